"""`create_token USER --label TEXT`"""

from argparse import ArgumentParser
from typing import Any

from releases import identity
from releases.errors import WrongUsage
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of

LONGEST = 3650


class Command(Base):
    """Make a token that a pipeline gives in place of a password."""

    help = "Make a token for yourself, printed once; give it as GANTRY_TOKEN together with --as."
    examples = "  manage.py create_token --label 'CI pipeline' --days 90 --as rita"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What for, how long, who."""
        parser.add_argument("--label", required=True, help="what it is for")
        parser.add_argument("--days", type=int, default=90, help="how long it is valid (default 90)")
        add_as(parser)

    def run(self, *, label: str, days: int, **options: Any) -> int:
        """Make and print it."""
        if not 1 <= days <= LONGEST:
            raise WrongUsage(f"--days {days} is not possible: 1 to {LONGEST}")
        at = now()
        user = user_of(options, at=at)
        self.say(identity.create_token(user, label=label, days=days, by=user.username, at=at))
        return 0
