"""`lint_runbook FILE [FILE ...]`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from releases.management.base import Command as Base
from releases.runbooks import lint
from releases.runbooks.words import load


class Command(Base):
    """The problems of runbooks alone, a line each."""

    help = (
        "The problems of Markdown runbooks as FILE:LINE:ID message, for a team's own CI. Exit 1 on errors, "
        "2 when a file cannot be read; `gantry-lint` does the same without any settings."
    )
    examples = (
        "  manage.py lint_runbook RUNBOOK.md\n"
        "  manage.py lint_runbook --strict docs/*.md      (warnings count, too)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files and how strict."""
        lint.add_arguments(parser)

    def run(self, *, files: list[Path], strict: bool, **options: Any) -> int:
        """Lint all of them, whatever the first one says."""
        words = load(settings.RUNBOOK_WORDS)
        return lint.lint(files, words=words, strict=strict, say=self.say, complain=self._complain)

    def _complain(self, line: str) -> None:
        self.stderr.write(self.style.ERROR(line))
