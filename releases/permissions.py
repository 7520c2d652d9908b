"""The literal table of roles and what each may do; `may()` is the one question that every door asks."""

from typing import TYPE_CHECKING

from releases.errors import NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from checks.models import Environment

VERBS = (
    "review",
    "publish",
    "request",
    "tick",
    "approve",
    "deploy",
    "skip",
    "abort",
    "rollback",
    "operate",
    "resolve",
    "hold",
)

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset(),
    "release_manager": frozenset("review publish request tick deploy skip abort rollback hold".split()),
    "approver": frozenset({"review", "approve", "tick", "skip", "hold"}),
    "operator": frozenset({"tick", "deploy", "abort", "rollback", "operate", "resolve", "hold"}),
    "administrator": frozenset(VERBS),
}


def may(user: "User", verb: str, environment: "Environment | None" = None) -> bool:
    """May `user` do `verb` in `environment` (None: somewhere)? Superusers may everything."""
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    grants = user.grants.filter(role__in=_roles(verb))
    if environment is not None:
        grants = grants.filter(environment=environment) | grants.filter(environment__isnull=True)
    return grants.exists()


def may_everywhere(user: "User", verb: str) -> bool:
    """May `user` do `verb` in every environment at once?"""
    if not user.is_active or user.is_superuser:
        return user.is_active
    return user.grants.filter(role__in=_roles(verb), environment__isnull=True).exists()


def _roles(verb: str) -> list[str]:
    return [role for role, verbs in ROLES.items() if verb in verbs]


def demand(user: "User", verb: str, environment: "Environment | None" = None) -> None:
    """Raise NotAllowed, naming who could be asked, unless `user` may."""
    if may(user, verb, environment):
        return
    raise _refusal(user, verb, f" in {environment}" if environment else "")


def demand_everywhere(user: "User", verb: str) -> None:
    """Raise NotAllowed, naming who could be asked, unless `user` may in every environment at once."""
    if not may_everywhere(user, verb):
        raise _refusal(user, verb, " in every environment at once")


def _refusal(user: "User", verb: str, place: str) -> NotAllowed:
    roles = " or ".join(role.replace("_", " ") for role in _roles(verb))
    return NotAllowed(
        f"{user.username} may not {verb}{place}: ask one who is {roles}, or have the role granted in the admin"
    )
