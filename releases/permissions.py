"""The literal table of roles and what each may do; `may()` is the one question that every door asks."""

from typing import TYPE_CHECKING

from releases.errors import NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from checks.models import Environment

VERBS = ("review", "publish", "request", "tick", "approve", "deploy", "rollback", "operate", "resolve")

ROLES: dict[str, frozenset[str]] = {
    "viewer": frozenset(),
    "release_manager": frozenset({"review", "publish", "request", "tick", "deploy", "rollback"}),
    "approver": frozenset({"review", "approve", "tick"}),
    "operator": frozenset({"tick", "deploy", "rollback", "operate", "resolve"}),
    "administrator": frozenset(VERBS),
}


def may(user: "User", verb: str, environment: "Environment | None" = None) -> bool:
    """May `user` do `verb` in `environment` (None: somewhere)? Superusers may everything."""
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    grants = user.grants.filter(role__in=[role for role, verbs in ROLES.items() if verb in verbs])
    if environment is not None:
        grants = grants.filter(environment=environment) | grants.filter(environment__isnull=True)
    return grants.exists()


def demand(user: "User", verb: str, environment: "Environment | None" = None) -> None:
    """Raise NotAllowed, naming who could be asked, unless `user` may."""
    if may(user, verb, environment):
        return
    roles = " or ".join(role.replace("_", " ") for role, verbs in ROLES.items() if verb in verbs)
    place = f" in {environment}" if environment else ""
    raise NotAllowed(
        f"{user.username} may not {verb}{place}: ask one who is {roles}, or have the role granted in the admin"
    )
