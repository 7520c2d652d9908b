"""`hold SERVICE/ENVIRONMENT|all`"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from checks.models import Environment
from releases.errors import WrongUsage
from releases.lifecycle import holds
from releases.lifecycle.environments import find as find_environment
from releases.lifecycle.holds import EVERYWHERE, clock, one_line, place_of
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.commands.plan_runbook import moment
from releases.models import Hold


class Command(Base):
    """Hold new deployments of an environment or of every one; lift a hold; show them."""

    help = (
        "Stop new deployments of one environment or of all: a freeze window, a stop of the line, a lock.\n"
        "It stands from now (or --from) until it is lifted (or --until). A deployment that is under way\n"
        "stops at its next safe point; a rollback is never held."
    )
    examples = (
        "  manage.py hold shop/production --reason 'payments are failing, looking into it' --as olga\n"
        "  manage.py hold all --from 2026-12-23T18:00 --until 2027-01-02T08:00 --reason 'year-end freeze' --as rita\n"
        "  manage.py hold --list\n"
        "  manage.py hold shop/production --lift 3 --reason 'the provider is back' --as olga"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where, why, how long, who; or which one to lift."""
        parser.add_argument(
            "place",
            metavar="SERVICE/ENVIRONMENT|all",
            nargs="?",
            default="",
            help="one environment, or all of them",
        )
        parser.add_argument(
            "--reason", metavar="TEXT", default="", help="what is waited for, or why it is lifted"
        )
        parser.add_argument(
            "--from", dest="begin", metavar="TIME", default="", help="18:00 or 2026-12-23T18:00; default: now"
        )
        parser.add_argument(
            "--until", metavar="TIME", default="", help="when it ends by itself; default: when it is lifted"
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--lift", metavar="NUMBER", type=int, help="end this hold now")
        what.add_argument(
            "--list", action="store_true", help="show what stands and what is to come; needs no USER"
        )
        parser.add_argument("--json", action="store_true", help="what is put, lifted or listed, as data")
        add_as(parser)

    def run(self, *, place: str, **options: Any) -> int:
        """Put, lift or list."""
        at = now()
        if options["list"]:
            return self._list(place, at, as_json=options["json"])
        if not place:
            raise WrongUsage("say what to hold: SERVICE/ENVIRONMENT or all; `hold --list` shows what is held")
        user, environment = user_of(options, at=at), _environment(place)
        act = self._put if options["lift"] is None else self._lift
        hold, said = act(environment, user, at, **options)
        if options["json"]:
            self._show([hold], at)
        else:
            self.say(said)
        return 0

    def _put(
        self, environment: Environment | None, user: User, at: datetime, *, reason: str, **options: Any
    ) -> tuple[Hold, str]:
        starts_at = _moment("--from", options["begin"], timezone.localtime(at)) or at
        ends_at = _moment("--until", options["until"], timezone.localtime(starts_at))
        hold = holds.put(environment, reason=reason, user=user, at=at, starts_at=starts_at, ends_at=ends_at)
        return hold, f"{hold}: no new deployment of {_named(environment)} {_line(hold)}"

    def _lift(
        self, environment: Environment | None, user: User, at: datetime, *, reason: str, **options: Any
    ) -> tuple[Hold, str]:
        hold = holds.find(options["lift"], environment)
        holds.lift(hold, reason=reason, user=user, at=at)
        left = Hold.objects.standing(at, environment).count()
        return hold, f"{hold} is lifted" + (f"; {left} more: `hold --list`" if left else "")

    def _list(self, place: str, at: datetime, *, as_json: bool) -> int:
        known = Hold.objects.select_related("environment__service", "by").order_by("starts_at", "pk")
        environment = _environment(place) if place else None
        found = [*known.standing(at, environment), *known.ahead(at)]
        if place:
            found = [hold for hold in found if hold.environment in (None, environment)]
        if as_json:
            self._show(found, at)
            return 0
        for hold in found:
            self.say(f"{hold.pk:>4}  {place_of(hold.environment):<24}  {hold.state(at):<8}  {_line(hold)}")
        if not found:
            self.say(f"nothing is held{f' in {place}' if place else ''}")
        return 0

    def _show(self, found: list[Hold], at: datetime) -> None:
        self.print_json([_plain(hold, at) for hold in found])


def _environment(place: str) -> Environment | None:
    return None if place == EVERYWHERE else find_environment(place)


def _moment(option: str, words: str, now: datetime) -> datetime | None:
    if not words:
        return None
    try:
        return moment(words, now=now)
    except WrongUsage:
        raise WrongUsage(
            f"{option} is '{words}'; write 18:00, 2026-12-23T18:00 or 2026-12-23T18:00+01:00"
        ) from None


def _named(environment: Environment | None) -> str:
    return str(environment) if environment else "any environment"


def _span(hold: Hold) -> str:
    return f"from {clock(hold.starts_at)} until {clock(hold.ends_at) if hold.ends_at else 'it is lifted'}"


def _line(hold: Hold) -> str:
    return f"{_span(hold)}, {hold.by.username}: {one_line(hold.reason)}"


def _plain(hold: Hold, at: datetime) -> dict[str, Any]:
    return {
        "number": hold.pk,
        "environment": place_of(hold.environment),
        "state": hold.state(at),
        "reason": hold.reason,
        "by": hold.by.username,
        "starts_at": hold.starts_at,
        "ends_at": hold.ends_at,
        "lifted_at": hold.lifted_at,
        "lifted_by": hold.lifted_by.username if hold.lifted_by else None,
        "lift_reason": hold.lift_reason,
    }
