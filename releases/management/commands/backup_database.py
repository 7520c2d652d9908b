"""`backup_database --environment SERVICE/ENV`"""

from argparse import ArgumentParser
from typing import Any

from releases.backups import standalone
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.models import Backup
from releases.permissions import demand

SHOWN = ("id", "database", "path", "sha256", "size", "status", "started_at")


class Command(Base):
    """Copy an environment's databases, read back and checksummed."""

    help = "Copy every database of an environment; a copy counts when it was read back whole."
    examples = (
        "  manage.py backup_database --environment shop/production --as olga\n"
        "  manage.py backup_database --environment shop/production --list"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Place, or a list."""
        parser.add_argument("--environment", metavar="SERVICE/ENV", required=True)
        parser.add_argument("--list", action="store_true", help="show the copies there are")
        parser.add_argument("--json", action="store_true")
        add_as(parser)

    def run(self, *, environment: str, json: bool, **options: Any) -> int:
        """Copy, or list."""
        place = find_environment(environment)
        if options["list"]:
            rows = list(Backup.objects.filter(database__environment=place).select_related("database"))
        else:
            at = now()
            user = user_of(options, at=at)
            demand(user, "operate", place)
            rows = standalone.back_up(place, by=user.username, at=at)
        if json:
            self.print_json([{name: getattr(row, name) for name in SHOWN} for row in rows])
            return 0
        for row in rows:
            when = f"{row.started_at:%Y-%m-%d %H:%M:%S}"
            self.say(f"{row.pk:>5}  {when}  {row.database}  {row.status}  {row.size} bytes  {row.path}")
        if not rows:
            self.say(f"{place} has no copies yet")
        return 0
