"""Putting and lifting holds, and what they say to who wants to deploy."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from checks.models import Environment
from releases.errors import Held, StaleState, WrongUsage
from releases.models import Hold
from releases.models.holds import HoldState
from releases.permissions import demand, demand_everywhere
from releases.recorder import Add, Change, record

EVERYWHERE = "all"


def put(
    environment: Environment | None,
    *,
    reason: str,
    user: User,
    at: datetime,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Hold:
    """Hold new deployments of an environment, or (None) of every one, from `starts_at` (now, and never earlier).

    Raises WrongUsage without a reason or with an end that is not after the beginning.
    """
    _demand(user, environment)
    begins = max(starts_at or at, at)
    if not reason.strip():
        raise WrongUsage("a hold needs a reason: say what is waited for with --reason TEXT")
    if ends_at and ends_at <= begins:
        raise WrongUsage(f"a hold from {clock(begins)} cannot end at {clock(ends_at)}: give a later --until")
    hold = Hold(environment=environment, reason=reason.strip(), by=user, starts_at=begins, ends_at=ends_at)
    record(Add(hold), by=user.username, at=at, why=hold.reason)
    return hold


def lift(hold: Hold, *, reason: str, user: User, at: datetime) -> None:
    """End a hold before its time; raises WrongUsage without a reason and StaleState when it holds nothing any more."""
    _demand(user, hold.environment)
    if not reason.strip():
        raise WrongUsage(f"lifting {hold} needs a reason: say what changed with --reason TEXT")
    hold.refresh_from_db(fields=["lifted_at", "lifted_by"])
    if hold.lifted_at:
        raise StaleState(f"{hold} was lifted already, by {hold.lifted_by} at {clock(hold.lifted_at)}")
    if hold.ends_at and hold.state(at) is HoldState.OVER:
        raise StaleState(f"{hold} is over since {clock(hold.ends_at)}; there is nothing to lift")
    fields = {"lifted_at": at, "lifted_by": user, "lift_reason": reason.strip()}
    record(
        Change(hold, fields, verb="lifted", only_if={"lifted_at": None}),
        by=user.username,
        at=at,
        why=reason.strip(),
    )


def _demand(user: User, environment: Environment | None) -> None:
    """A role of one environment stops and frees that one; everything is for those whose role holds everywhere."""
    if environment:
        demand(user, "hold", environment)
    else:
        demand_everywhere(user, "hold")


# --- asking ------------------------------------------------------------------------------------------


def find(number: int, environment: Environment | None) -> Hold:
    """The hold of that number in that place; raises WrongUsage naming what stands there, or where it is."""
    hold = Hold.objects.select_related("environment__service", "by").filter(pk=number).first()
    if hold is None:
        raise WrongUsage(f"there is no hold {number}: `hold --list` shows those that stand")
    if hold.environment != environment:
        raise WrongUsage(f"{hold} is not for {place_of(environment)}: `{_way_out(hold)}`")
    return hold


def standing(environment: Environment, at: datetime) -> list[Hold]:
    """What holds new deployments there, the one that lasts longest first."""
    found = Hold.objects.standing(at, environment).select_related("environment__service", "by")
    return list(found.order_by(F("ends_at").desc(nulls_first=True), "starts_at", "pk"))


def as_error(environment: Environment, at: datetime) -> Held | None:
    """What a forward deployment there is told: who holds it, why, until when, and how to lift it; None: go on."""
    found = standing(environment, at)
    if not found:
        return None
    hold, more = found[0], len(found) - 1
    others = f"; {more} more: `hold {environment} --list`" if more else ""
    return Held(
        f"{environment} is held by {hold.by.username} {period(hold)}: {one_line(hold.reason)} "
        f"({hold}; lift it with `{_way_out(hold)}`{others})"
    )


# --- words -------------------------------------------------------------------------------------------


def place_of(environment: Environment | None) -> str:
    """A place as the command line names it."""
    return str(environment) if environment else EVERYWHERE


def period(hold: Hold) -> str:
    """ "since 2026-11-21 17:00 UTC until 2026-11-24 08:00 UTC", or "until it is lifted"."""
    return f"since {clock(hold.starts_at)} until {clock(hold.ends_at) if hold.ends_at else 'it is lifted'}"


def one_line(text: str) -> str:
    """A reason within a sentence: without its line breaks and its full stop."""
    return " ".join(text.split()).rstrip(".")


def clock(at: datetime) -> str:
    """A time as people say it, with its zone."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M %Z")


def _way_out(hold: Hold) -> str:
    return f"hold {place_of(hold.environment)} --lift {hold.pk} --reason TEXT --as USER"
