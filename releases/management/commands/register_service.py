"""`register_service FILE.toml`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from releases.lifecycle import environments
from releases.management.base import Command as Base
from releases.management.base import by_seat, now


class Command(Base):
    """Register a service with its environments, variables, databases and probes."""

    help = "Register a service from a TOML file; run again it changes only what differs, and prints it."
    examples = "  manage.py register_service shop.toml"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file."""
        parser.add_argument("file", metavar="FILE.toml", type=Path)

    def run(self, *, file: Path, **options: Any) -> int:
        """Register and print each change."""
        lines = environments.register(file, by=by_seat(), at=now())
        for line in lines or ["nothing differs"]:
            self.say(line)
        return 0
