"""`restore_database BACKUP --environment SERVICE/ENV`"""

from argparse import ArgumentParser
from typing import Any

from releases.backups import standalone
from releases.errors import WaitsForPerson
from releases.lifecycle import operations
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.permissions import demand


class Command(Base):
    """Put a copy back; the replaced database is kept under a dated name."""

    help = (
        "Stop the service, put a copy in its database's place (the replaced one is kept), start the service."
    )
    examples = "  manage.py restore_database latest --environment shop/production --confirm shop/production --as olga"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which copy, where, who."""
        parser.add_argument(
            "backup", metavar="BACKUP", help="number from `backup_database --list`, or 'latest'"
        )
        parser.add_argument("--environment", metavar="SERVICE/ENV", required=True)
        parser.add_argument(
            "--confirm", metavar="SERVICE/ENV", default="", help="type the environment again (needed)"
        )
        add_as(parser)

    def run(self, *, backup: str, environment: str, confirm: str, **options: Any) -> int:
        """Stop, put back, start."""
        at = now()
        user = user_of(options, at=at)
        place = find_environment(environment)
        demand(user, "operate", place)
        row = standalone.of_environment(place, backup)
        if confirm != str(place):
            raise WaitsForPerson(
                f"this replaces {row.database} by the copy of {row.started_at:%Y-%m-%d %H:%M:%S} "
                f"(what was written since stays only in the replaced one): say --confirm {place}"
            )
        operations.run_declared(place, "stop")
        try:
            kept = standalone.put_back(row, by=user.username, at=at)
        finally:
            operations.run_declared(place, "start")
        self.say(f"{row.database} is back from {row.path}; the replaced one is kept as {kept}")
        return 0
