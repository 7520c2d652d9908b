"""From one environment to the next: what must have succeeded before, and what that proves."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from checks.models import Environment
from releases.errors import GantryError, WaitsForPerson
from releases.lifecycle import logbook
from releases.models import ChecklistItem, Deployment, Release
from releases.plan import places
from releases.statuses import DeploymentStatus

D = DeploymentStatus
TRIED = (D.QUEUED, D.RUNNING, D.WAITING, D.PAUSED, D.WATCHING)


def obstacle(release: Release, environment: Environment) -> GantryError | None:
    """What is said when this commit and revision did not succeed yet in the environment that comes first."""
    earlier = environment.after
    if earlier is None or proof(release, earlier):
        return None
    words = f"deploy_release {release.service} {release.version} --environment {earlier.name}"
    return WaitsForPerson(
        f"{environment} comes after {earlier}, and {release} ({release.commit[:10]}, revision "
        f"{release.revision.number} of the runbook) {_state(release, earlier)}: `{words}`"
    )


def proof(release: Release, environment: Environment) -> Deployment | None:
    """The newest deployment of the same commit and revision that succeeded there and was not taken back since."""
    return _same(release, environment).filter(status=D.SUCCEEDED).order_by("-number").first()


def _same(release: Release, environment: Environment) -> QuerySet[Deployment]:
    """Deployments there of this commit by this revision, under whatever version."""
    forward = Deployment.objects.filter(environment=environment, undoes__isnull=True)
    same = forward.filter(release__commit=release.commit, release__revision=release.revision_id)
    return same.select_related("release__service", "environment__service", "requested_by")


def _state(release: Release, earlier: Environment) -> str:
    """How far it came there."""
    if tried := _same(release, earlier).filter(status__in=TRIED).order_by("-number").first():
        return f"is still {tried.status} there as #{tried.number}; it has to succeed first"
    others = Deployment.objects.filter(environment=earlier, undoes__isnull=True, status=D.SUCCEEDED)
    by_another = others.filter(release__commit=release.commit).select_related("release__revision").first()
    if by_another:
        number = by_another.release.revision.number
        return f"succeeded there by revision {number} only (#{by_another.number}); it has to by the same one"
    return "has to succeed there first"


# --- boxes ---------------------------------------------------------------------------------------------


def about(text: str, environments: Iterable[Environment]) -> Environment | None:
    """The environment that a box talks about, by its words."""
    by_name = {environment.name: environment for environment in environments}
    return by_name.get(places.about(text, by_name))


def blocks(item: ChecklistItem, environment: Environment) -> bool:
    """May an open box of a release keep it out of an environment? Not one that tells of that environment itself."""
    return not places.about(item.text, [environment.name])


def offered(item: ChecklistItem, release: Release) -> str:
    """The evidence that a deployment offers for a box about its environment; "" for none. A person still ticks."""
    place = about(item.text, release.service.environments.all())
    if place is None or (item.deployment and item.deployment.environment_id == place.pk):
        return ""
    found = proof(release, place)
    return evidence(found) if found else ""


def evidence(deployment: Deployment) -> str:
    """Number, when, by whom, how it ended and where its log lies, in a line."""
    ended = timezone.localtime(deployment.ended_at or deployment.live_at or deployment.planned_at)
    return (
        f"{deployment.environment.name} #{deployment.number} of {deployment.release.version} "
        f"({deployment.release.commit[:10]}), {logbook.outcome(deployment)}, {ended:%Y-%m-%d %H:%M %Z}, "
        f"requested by {deployment.requested_by.username}; log {logbook.path_of(deployment).name}"
    )
