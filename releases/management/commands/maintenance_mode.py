"""`maintenance_mode on|off|status [--environment SERVICE/ENV]`"""

from argparse import ArgumentParser
from typing import Any

from maintenance_mode.core import get_maintenance_mode, set_maintenance_mode

from releases.lifecycle import operations
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, by_seat, now, user_of
from releases.permissions import demand


class Command(Base):
    """Close a service (or Gantry itself) to its users, and see it from outside."""

    help = "Switch maintenance mode of an environment, or of Gantry itself without --environment."
    examples = (
        "  manage.py maintenance_mode on --environment shop/production --as olga\n"
        "  manage.py maintenance_mode status                          (Gantry itself)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """State, place, who."""
        parser.add_argument("state", choices=["on", "off", "status"])
        parser.add_argument("--environment", metavar="SERVICE/ENV", help="without it: Gantry itself")
        parser.add_argument("--json", action="store_true", help='print {"is_on": true}')
        add_as(parser)

    def run(self, *, state: str, environment: str | None, json: bool, **options: Any) -> int:
        """Switch and look."""
        is_on, message = self._service(state, environment, options) if environment else self._gantry(state)
        if json:
            self.print_json({"is_on": is_on})
        else:
            self.say(message)
        return 0

    def _gantry(self, state: str) -> tuple[bool, str]:
        if state != "status":
            set_maintenance_mode(state == "on")
        is_on = bool(get_maintenance_mode())
        return is_on, f"Gantry: maintenance is {'on; the admin and /health stay open' if is_on else 'off'}"

    def _service(self, state: str, place: str, options: dict[str, Any]) -> tuple[bool, str]:
        at, environment = now(), find_environment(place)
        if state == "status":
            seen = operations.maintenance_status(environment, by=by_seat(), at=at)
        else:
            user = user_of(options, at=at)
            demand(user, "operate", environment)
            seen = operations.maintenance(environment, state, by=user.username, at=at)
        return seen.values["is_on"], seen.message
