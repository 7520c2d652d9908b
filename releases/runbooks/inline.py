"""Commands in the inline code of a box that asks to run them."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

from .dangers import dangers
from .filling import filled, left
from .placeholders import GIVEN, holes
from .script import COMMAND_FIRST
from .typed import never_ends

CODE = re.compile(r"(`+)\s?(.+?)\s?\1")
SCRIPT = re.compile(r"(?:\./|bin/|scripts?/)[\w./-]+(?:\s|$)")
# The words before the code say that it is not to be run here and now.
NOT_TO_RUN = re.compile(
    r"\b(?:no|not|never|don'?t|without|instead of|avoid|unlike|e\.g\.|for example|such as|like|output of|if|unless|rollback:?|to undo)\W*$",
    re.IGNORECASE,
)
# A remark about what was done or what a tool does, rather than a request.
MENTIONS = re.compile(
    r"\b(?:documented|reviewed|described|mentioned|see|according to|as in|listed|explained)\b", re.IGNORECASE
)


def command_in(text: str, *, way_back: bool = False) -> str:
    """The script that the box asks to run; "" for mere names, for what is dangerous and what nobody could fill."""
    if "`" not in text or MENTIONS.search(CODE.sub("", text)):
        return ""
    rows = [
        found[2].strip()
        for found in CODE.finditer(text)
        if _is_command(found[2].strip()) and not NOT_TO_RUN.search(text[: found.start()])
    ]
    return _runnable("\n".join(rows), way_back=way_back)


def _is_command(code: str) -> bool:
    """A known program with something to do, or a script of the service."""
    return bool(SCRIPT.match(code) or (COMMAND_FIRST.match(code) and len(code.split()) > 1))


def _runnable(script: str, *, way_back: bool) -> str:
    if not script or dangers(script, kind="shell") or any(map(never_ends, script.split("\n"))):
        return ""
    found = holes(script, kind="shell", line=1, way_back=way_back)
    known = [hole for hole in found if hole.variable in GIVEN]
    ready = filled(script, known, kind="shell")
    return "" if len(known) < len(found) or left(ready, found) or _asks_a_person(ready) else ready


def _asks_a_person(script: str) -> bool:
    """An ssh without a command would wait for somebody to type."""
    return bool(re.search(r"^\s*ssh\s+\S+\s*$", script, re.MULTILINE))
