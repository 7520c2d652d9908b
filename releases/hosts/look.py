"""A short question to a host: nothing is kept of it there, and a line that breaks is an answer that did not come."""

import time
from collections.abc import Mapping
from functools import partial

from checks.gates.process import CAPTURED, Captured
from releases.hosts import programs
from releases.hosts.connection import Connection, Unreachable, Unusable
from releases.shell.ssh import Target, folder_variable, going_along

UNANSWERED = 255


def look(target: Target, text: str, *, variables: Mapping[str, str], timeout: float = 30.0) -> Captured:
    """Run `text` there in the folder that the last block ended in; code 255 and one line when there was no answer."""
    names = going_along(variables)
    program = partial(
        programs.question,
        text,
        variables={name: variables[name] for name in names},
        folder=folder_variable(target.name),
    )
    try:
        return _asked(Connection(target), program, timeout)
    except (Unreachable, Unusable) as why:
        return Captured(code=UNANSWERED, out="", err=str(why))


def _asked(connection: Connection, program: partial[bytes], timeout: float) -> Captured:
    connection.open()
    until = time.monotonic() + timeout
    with connection.talk(program) as talk:
        talk.answer(within=timeout)
        said = b""
        while heard := talk.hear(until - time.monotonic()):
            said = (said + heard)[:CAPTURED]
        if heard is None:
            return Captured(
                code=124, out="", err=f"{connection.target.name} did not end within {timeout:g} s"
            )
        return Captured(code=talk.end(), out=said.decode("utf-8", "replace"), err=talk.complaint())
