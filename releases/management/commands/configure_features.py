"""`configure_features … [--environment SERVICE/ENV]`"""

from argparse import ArgumentParser
from typing import Any

from releases.errors import WrongUsage
from releases.features import own
from releases.lifecycle import operations
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.permissions import demand


class Command(Base):
    """Switch features of a service (or of Gantry itself), and read them back."""

    help = "Switch features of an environment by its own command, or of Gantry itself without --environment."
    examples = (
        "  manage.py configure_features --enable recommendations --environment shop/production --as olga\n"
        "  manage.py configure_features --disable automatic_rollback --as ada    (Gantry itself)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Switches, place, who."""
        parser.add_argument("--enable-all", action="store_true")
        parser.add_argument("--disable-all", action="store_true")
        parser.add_argument("--enable", metavar="F", action="append", default=[])
        parser.add_argument("--disable", metavar="F", action="append", default=[])
        parser.add_argument(
            "--set", metavar="K=V", action="append", default=[], help="a plain setting of the service"
        )
        parser.add_argument("--environment", metavar="SERVICE/ENV", help="without it: Gantry itself")
        parser.add_argument("--json", action="store_true", help="print the features as JSON")
        add_as(parser)

    def run(self, *, environment: str | None, json: bool, **options: Any) -> int:
        """Switch and read back."""
        arguments = _arguments(options)
        at = now()
        user = user_of(options, at=at)
        if environment:
            place = find_environment(environment)
            demand(user, "operate", place)
            seen = operations.configure(place, arguments, by=user.username, at=at)
            states, message = seen.values["features"], seen.message
        else:
            demand(user, "operate")
            own.switch(_own(options), by=user.username, at=at)
            states = own.states()
            message = "Gantry: " + ", ".join(f"{name} {'on' if on else 'off'}" for name, on in states.items())
        if json:
            self.print_json(states)
        else:
            self.say(message)
        return 0


def _arguments(options: dict[str, Any]) -> list[str]:
    """The switches in the service's own words; raises WrongUsage when there is none or they contradict."""
    found = [
        flag
        for name, flag in (("enable_all", "--enable-all"), ("disable_all", "--disable-all"))
        if options[name]
    ]
    for name in ("enable", "disable", "set"):
        for value in options[name]:
            found += [f"--{name}", value]
    if not found:
        raise WrongUsage(
            "say what to switch: --enable F, --disable F, --enable-all, --disable-all or --set K=V"
        )
    both = set(options["enable"]) & set(options["disable"])
    if both or (options["enable_all"] and options["disable_all"]):
        raise WrongUsage(f"{', '.join(sorted(both)) or 'all'} cannot be enabled and disabled at once")
    wrong = [value for value in options["set"] if "=" not in value]
    if wrong:
        raise WrongUsage(f"--set {wrong[0]} has no value: write --set NAME=VALUE")
    return found


def _own(options: dict[str, Any]) -> dict[str, bool]:
    if options["set"]:
        raise WrongUsage("Gantry's own settings stand in .env, see `show_config`; --set is for services")
    wanted = dict.fromkeys(own.OWN, True) if options["enable_all"] else {}
    wanted |= dict.fromkeys(own.OWN, False) if options["disable_all"] else {}
    return wanted | dict.fromkeys(options["enable"], True) | dict.fromkeys(options["disable"], False)
