"""The first page: what runs where, what is in flight, what is wrong, and what waits for a person."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.http import HttpRequest
from django.utils import timezone

from checks.models import Environment, Metric, MetricSnapshot
from releases.models import Approval, Deployment, Hold, Incident, Release
from releases.models.holds import HoldState
from releases.statuses import OCCUPYING, DeploymentStatus, IncidentStatus, ItemState, ReleaseStatus

D = DeploymentStatus
LIVE = (D.WATCHING, D.SUCCEEDED)
UNTOUCHED = (D.PLANNED, D.QUEUED, D.ABORTED)
IN_FLIGHT = (D.QUEUED, D.RUNNING, D.WAITING, D.PAUSED, D.WATCHING)
FOR_PEOPLE = (D.PLANNED, D.WAITING, D.PAUSED, D.UNKNOWN)
SHOWN_SECONDS = 600
POINTS = 60
WIDTH, HEIGHT = 120, 28
EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The newest value of a metric and the line of its last minutes, as points of an SVG polyline.

    A value that another version may have caused has a `note` that says so; one of before this version is empty.
    """

    name: str
    unit: str
    value: str
    line: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Place:
    """An environment and what is known of it now."""

    environment: Environment
    deployment: Deployment | None
    version: str
    in_flight: Deployment | None
    incidents: int
    is_held: bool
    readings: tuple[Reading, ...]


def context(request: HttpRequest, given: dict[str, Any]) -> dict[str, Any]:
    """All that the first page shows, in a number of queries that does not grow."""
    flights = list(_deployments().filter(status__in=IN_FLIGHT).order_by("-planned_at")[:20])
    incidents = list(_open_incidents()[:20])
    holds = _holds()
    places = _places(flights, incidents, holds)
    people = _for_people()
    return given | {
        "places": places,
        "flights": flights,
        "incidents": incidents,
        "holds": holds,
        "people": people,
        "recent": list(_deployments().exclude(status=D.PLANNED).order_by("-planned_at")[:8]),
        "figures": [
            ("Environments", len(places), "dns", ""),
            ("In flight", len(flights), "rocket_launch", "moving" if flights else ""),
            ("Waiting for a person", len(people), "front_hand", "look" if people else ""),
            ("Open incidents", len(incidents), "emergency_home", "bad" if incidents else "good"),
        ],
    }


def _deployments() -> QuerySet[Deployment]:
    """Deployments without their plans, but with the version that each left behind."""
    rows = Deployment.objects.select_related("release__service", "environment__service", "requested_by")
    return rows.defer("plan").annotate(previous=KT("plan__previous_version"))


def _open_incidents() -> QuerySet[Incident]:
    rows = Incident.objects.filter(status=IncidentStatus.OPEN)
    return rows.select_related("environment__service", "deployment__environment__service").order_by(
        "severity", "opened_at"
    )


def _holds() -> list[tuple[Hold, HoldState]]:
    """What stands and what is to come, in the order in which it begins."""
    now = timezone.now()
    rows = Hold.objects.current(now).select_related("environment__service", "by")
    return [(row, row.state(now)) for row in rows.order_by("starts_at", "pk")[:20]]


# --- what runs where ----------------------------------------------------------------------------------


def _places(
    flights: Iterable[Deployment], incidents: Iterable[Incident], holds: Iterable[tuple[Hold, HoldState]]
) -> list[Place]:
    newest = Deployment.objects.filter(environment=OuterRef("pk")).order_by("-number").values("pk")
    environments = list(
        Environment.objects.select_related("service").annotate(
            live=Subquery(newest.filter(status__in=LIVE)[:1]),
            last=Subquery(newest.exclude(status__in=UNTOUCHED)[:1]),
        )
    )
    live = _known(pk for each in environments for pk in (each.live, each.last) if pk)
    # What holds an environment is shown before what waits in line for it.
    ahead = sorted(flights, key=lambda each: each.status in OCCUPYING)
    flying = {each.environment_id: each for each in ahead if each.status != D.WATCHING}
    wrong = [each.environment_id for each in incidents]
    held = {hold.environment_id for hold, state in holds if state is HoldState.STANDING}
    readings = _readings()
    return [
        Place(
            environment=each,
            deployment=live.get(each.live),
            version=version_left_by(live.get(each.live)),
            in_flight=flying.get(each.pk),
            incidents=wrong.count(each.pk),
            is_held=not held.isdisjoint((each.pk, None)),
            readings=_of_version(readings.get(each.pk, ()), live.get(each.live), live.get(each.last)),
        )
        for each in environments
    ]


def _known(keys: Iterable[int]) -> dict[int, Deployment]:
    rows = _deployments().select_related("release__service", "environment__service", "undoes")
    return {row.pk: row for row in rows.defer("plan", "undoes__plan").filter(pk__in=set(keys))}


def version_left_by(deployment: Any) -> str:
    """The version that runs after a deployment went well; empty when none did."""
    if deployment is None:
        return ""
    return str(deployment.previous) if deployment.undoes_id else str(deployment.release.version)


def _readings() -> dict[int, tuple[Reading, ...]]:
    metrics = {metric.pk: metric for metric in Metric.objects.all()}
    since = timezone.now() - timedelta(seconds=SHOWN_SECONDS)
    rows = MetricSnapshot.objects.filter(metric__in=metrics, at__gte=since).order_by("at")
    values: dict[int, list[tuple[datetime, float]]] = {}
    for metric_id, at, value in rows.values_list("metric_id", "at", "value"):
        values.setdefault(metric_id, []).append((at, float(value)))
    found: dict[int, tuple[Reading, ...]] = {}
    for pk, metric in metrics.items():
        if pk in values:
            found[metric.environment_id] = (
                *found.get(metric.environment_id, ()),
                _reading(metric, values[pk]),
            )
    return found


def _reading(metric: Metric, values: list[tuple[datetime, float]]) -> Reading:
    at, newest = values[-1]
    return Reading(
        name=metric.name.replace("_", " "),
        unit={"percent": "%"}.get(metric.unit, metric.unit),
        value=f"{newest:.0f}" if newest == int(newest) or abs(newest) >= 100 else f"{newest:.1f}",
        line=sparkline([value for _, value in values[-POINTS:]]),
        at=at,
    )


def _of_version(
    readings: Iterable[Reading], live: Deployment | None, last: Deployment | None
) -> tuple[Reading, ...]:
    """What was read before the version that runs came, or since a later one began, says so."""
    came = (live and (live.live_at or live.ended_at)) or EVER
    other = (last.undoes or last) if last and last != live else None
    goes = (other and other.started_at) or NEVER
    before, after = f"last read then, before {live}", f"read then, after {other} began"
    return tuple(
        replace(each, value="", note=before)
        if each.at < came
        else replace(each, note=after if each.at >= goes else "")
        for each in readings
    )


def sparkline(values: list[float]) -> str:
    """The points of a polyline in a box of WIDTH × HEIGHT, oldest left, greatest on top."""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    step = WIDTH / max(len(values) - 1, 1)
    inner = HEIGHT - 4
    return " ".join(
        f"{index * step:.1f},{2 + inner * (1 - (value - low) / span):.1f}"
        for index, value in enumerate(values)
    )


# --- what waits for a person ---------------------------------------------------------------------------


def _for_people() -> list[dict[str, Any]]:
    rows = _deployments().filter(status__in=FOR_PEOPLE, release__status=ReleaseStatus.OPEN)
    waiting = [
        {"deployment": row, "asks": _asks(row)}
        for row in rows.annotate(signed=_signed()).order_by("-planned_at")[:20]
    ]
    return waiting + [{"release": row, "asks": f"{row.boxes} open boxes"} for row in _unticked()[:20]]


def _signed() -> Subquery:
    approvals = Approval.objects.filter(deployment=OuterRef("pk"), withdrawn_at__isnull=True)
    return Subquery(approvals.values("by__username")[:1])


def _asks(deployment: Any) -> str:
    if deployment.status == D.PLANNED:
        return (
            f"approved by {deployment.signed}, ready to deploy" if deployment.signed else "needs an approval"
        )
    return str(deployment.message or deployment.status)


def _unticked() -> QuerySet[Any]:
    unsettled = Q(items__deployment__isnull=True, items__is_required=True) & Q(
        items__state__in=[ItemState.OPEN, ItemState.FAILED]
    )
    rows = Release.objects.filter(status=ReleaseStatus.OPEN).annotate(boxes=Count("items", filter=unsettled))
    return rows.filter(boxes__gt=0).select_related("service")
