"""`clear_cache [--environment SERVICE/ENV]`"""

from argparse import ArgumentParser
from typing import Any

from releases import cache
from releases.lifecycle import operations
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.permissions import demand


class Command(Base):
    """Clear the cache of a service by its own command, or Gantry's own keys."""

    help = "Clear the cache of an environment, or Gantry's own keys without --environment (never the whole Redis)."
    examples = "  manage.py clear_cache --environment shop/production --as olga\n  manage.py clear_cache"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Place, who."""
        parser.add_argument("--environment", metavar="SERVICE/ENV", help="without it: Gantry itself")
        add_as(parser)

    def run(self, *, environment: str | None, **options: Any) -> int:
        """Clear."""
        if environment is None:
            self.say(f"Gantry: {cache.clear()} cached entries removed")
            return 0
        place = find_environment(environment)
        demand(user_of(options, at=now()), "operate", place)
        self.say(operations.clear_cache(place).message)
        return 0
