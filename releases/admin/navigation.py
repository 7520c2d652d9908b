"""The side bar: where a person goes, with what waits there."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from releases.models import ChecklistItem, Deployment, Hold, Incident
from releases.statuses import OCCUPYING, DeploymentStatus, IncidentStatus, ItemState, ReleaseStatus

GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "Releases",
        (
            ("Releases", "package_2", "releases_release", ""),
            ("Deployments", "rocket_launch", "releases_deployment", "in_flight"),
            ("Checklist", "checklist", "releases_checklistitem", "open_boxes"),
            ("Incidents", "emergency_home", "releases_incident", "open_incidents"),
            ("Holds", "lock_clock", "releases_hold", "standing_holds"),
            ("Backups", "database", "releases_backup", ""),
        ),
    ),
    (
        "Services",
        (
            ("Services", "deployed_code", "checks_service", ""),
            ("Environments", "dns", "checks_environment", ""),
            ("Runbooks", "menu_book", "releases_runbookrevision", ""),
            ("Features", "toggle_on", "releases_feature", ""),
        ),
    ),
    (
        "What was seen",
        (
            ("Probes", "stethoscope", "checks_probe", ""),
            ("Answers", "quiz", "checks_proberesult", ""),
            ("Metrics", "monitoring", "checks_metric", ""),
            ("Audit trail", "receipt_long", "checks_auditentry", ""),
        ),
    ),
    (
        "Access",
        (
            ("Roles", "shield_person", "releases_grant", ""),
            ("Tokens", "key", "releases_accesstoken", ""),
            ("Users", "group", "auth_user", ""),
            ("Groups", "groups", "auth_group", ""),
        ),
    ),
)
SUPERUSERS_ONLY = ("auth_user", "auth_group")


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """The side bar as unfold wants it."""
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    shown = [{"title": title, "items": _items(request, entries)} for title, entries in GROUPS]
    return [{"items": [overview]}, *shown]


def _items(request: HttpRequest, entries: tuple[tuple[str, str, str, str], ...]) -> list[dict[str, Any]]:
    is_super = getattr(request.user, "is_superuser", False)
    return [
        {"title": title, "icon": icon, "link": reverse(f"admin:{name}_changelist"), **_badge(counted)}
        for title, icon, name, counted in entries
        if is_super or name not in SUPERUSERS_ONLY
    ]


def _badge(counted: str) -> dict[str, str]:
    """How many wait there; no badge for none."""
    count = COUNTED[counted]().count() if counted else 0
    return (
        {"badge": str(count), "badge_variant": "danger" if counted == "open_incidents" else "primary"}
        if count
        else {}
    )


def _in_flight() -> QuerySet[Deployment]:
    return Deployment.objects.filter(status__in=[*OCCUPYING, DeploymentStatus.QUEUED])


def _open_incidents() -> QuerySet[Incident]:
    return Incident.objects.filter(status=IncidentStatus.OPEN)


def _standing_holds() -> QuerySet[Hold]:
    return Hold.objects.standing(timezone.now())


def _open_boxes() -> QuerySet[ChecklistItem]:
    boxes = ChecklistItem.objects.filter(
        release__status=ReleaseStatus.OPEN, deployment__isnull=True, is_required=True
    )
    return boxes.filter(state__in=[ItemState.OPEN, ItemState.FAILED])


COUNTED: dict[str, Callable[[], QuerySet[Any]]] = {
    "in_flight": _in_flight,
    "open_boxes": _open_boxes,
    "open_incidents": _open_incidents,
    "standing_holds": _standing_holds,
}
