"""What every command shares: errors in one line with their exit code, and proving who decides."""

import getpass
import json
import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from checks.audit import seat
from checks.errors import ChecksError
from releases import identity
from releases.errors import GantryError, WrongUsage

EXIT_CODES = """\
exit codes:
  0 done                      3 waits for a person       5 held (deployment, incident, hold)
  1 failed, all as before     4 rolled back by itself    6 rollback failed or unknown: call someone
  2 wrong usage
"""


class Command(BaseCommand):
    """Base of Gantry's commands: subclasses write `run(**options)`, which does it and returns the exit code."""

    requires_system_checks = []
    examples = ""
    run: Callable[..., int]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """A help text that shows examples and exit codes as they are written."""
        kwargs["formatter_class"] = RawDescriptionHelpFormatter
        kwargs["epilog"] = (f"examples:\n{self.examples}\n" if self.examples else "") + EXIT_CODES
        return super().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run, and end with the exit code; an error is one line, never a traceback."""
        try:
            code = self.run(**options)
        except GantryError as error:
            code = self.fail(str(error), error.exit_code)
        except ChecksError as error:
            code = self.fail(str(error), 1)
        except KeyboardInterrupt:
            code = self.fail("interrupted", 130)
        except DatabaseError as error:
            code = self.fail(
                f"Gantry's own database does not answer as it should: {_first_line(error)}; {_DATABASE}", 1
            )
        if code:
            sys.exit(code)

    def fail(self, message: str, code: int) -> int:
        """Say what is wrong on standard error; returns the code."""
        try:
            self.stderr.write(self.style.ERROR(f"gantry: {message}"))
        except OSError:
            mute()
        return code

    def say(self, text: str) -> None:
        """One line for a person; a closed terminal is no reason to stop."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except OSError:
            mute()

    def print_json(self, value: Any) -> None:
        """What a program reads."""
        self.say(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def mute() -> None:
    """Nobody listens any more: what is still printed goes nowhere, or the interpreter would end with 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


_DATABASE = "look at DATABASE_URL, and run `manage.py migrate` once"


def add_as(parser: ArgumentParser) -> None:
    """Offer `--as USER` and the ways to prove it."""
    parser.add_argument(
        "--as", dest="as_user", metavar="USER", default=os.environ.get("GANTRY_USER", ""),
        help="who decides; proved by GANTRY_PASSWORD or GANTRY_TOKEN in the environment, --password-file, or a prompt",
    )  # fmt: skip
    parser.add_argument(
        "--password-file", metavar="FILE", help="file whose first line is the password or the token"
    )


def user_of(options: dict[str, Any], *, at: datetime) -> User:
    """The user who decides, proved; raises WrongUsage or NotAllowed."""
    username = options["as_user"]
    if not username:
        raise WrongUsage("say who decides: --as USER (or GANTRY_USER in the environment)")
    secret = _secret(options, username)
    if secret.startswith(identity.PREFIX):
        return identity.prove(username, token=secret, at=at)
    return identity.prove(username, password=secret, at=at)


def _secret(options: dict[str, Any], username: str) -> str:
    if options.get("password_file"):
        return _from_file(Path(options["password_file"]))
    for name in ("GANTRY_TOKEN", "GANTRY_PASSWORD"):
        if os.environ.get(name):
            return os.environ[name]
    if not sys.stdin.isatty():
        raise WrongUsage(
            f"prove that you are {username}: set GANTRY_PASSWORD or GANTRY_TOKEN, or give --password-file"
        )
    return getpass.getpass(f"password of {username}: ")


def _from_file(path: Path) -> str:
    try:
        return path.read_text().splitlines()[0].strip()
    except (OSError, IndexError, UnicodeDecodeError):
        raise WrongUsage(f"cannot read a password from {path}") from None


def by_seat() -> str:
    """Who acts when no user decides: the operating system's user."""
    return seat()


def now() -> datetime:
    """The one moment of a command."""
    return timezone.now()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
