"""`plan_runbook FILE`"""

import re
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from releases.errors import WrongUsage
from releases.management.base import Command as Base
from releases.plan.compose import run_sheet
from releases.runbooks.encoding import decode
from releases.runbooks.files import bytes_of
from releases.runbooks.reader import read
from releases.runbooks.words import load

CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


class Command(Base):
    """Show what a Markdown checklist would be as a run; needs no service, no environment and no database."""

    help = (
        "A run sheet of a runbook: when, what, who; what would run, what is dangerous, what has to be decided. "
        "Nothing is registered, written or run."
    )
    examples = (
        "  manage.py plan_runbook DEPLOYMENT.md\n"
        "  manage.py plan_runbook DEPLOYMENT.md --at 18:00\n"
        "  manage.py plan_runbook DEPLOYMENT.md --at 2026-01-20T18:00 --json"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File, T-0, format."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--at",
            metavar="TIME",
            default="",
            help="T-0: 18:00 or 2026-01-20T18:00; default: the next full hour",
        )
        parser.add_argument("--json", action="store_true", help="the sheet as data")

    def run(self, *, file: Path, at: str, json: bool, **options: Any) -> int:
        """Read, compose, print."""
        zero = moment(at, now=timezone.localtime())
        data = bytes_of(file)
        decoded = decode(data)
        if not decoded.text.strip():
            said = decoded.problems[0].message if decoded.problems else "there is nothing in it"
            raise WrongUsage(f"{file} cannot be planned: {said}")
        sheet = run_sheet(read(data, words=load(settings.RUNBOOK_WORDS)), zero=zero)
        if json:
            self.print_json(sheet.to_json())
            return 0
        # Loaded on use: rich takes longer to load than a runbook to read.
        from releases.management.sheets import sheet_text

        self.say(sheet_text(sheet, name=str(file)))
        return 0


def moment(words: str, *, now: datetime) -> datetime:
    """The T-0 that was asked for: a clock time is the next one; nothing is the next full hour. Raises WrongUsage."""
    if not words:
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    clock = CLOCK.fullmatch(words)
    if clock:
        today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return today if today >= now else today + timedelta(days=1)
    try:
        asked = datetime.fromisoformat(words)
    except ValueError:
        raise WrongUsage(f"--at is '{words}'; write 18:00 or 2026-01-20T18:00") from None
    return asked if asked.tzinfo else asked.replace(tzinfo=now.tzinfo)
