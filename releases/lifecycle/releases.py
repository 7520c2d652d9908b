"""Creating a release: one commit, one frozen revision, and the boxes that are ticked once a release."""

from datetime import datetime

from django.contrib.auth.models import User

from checks.models import Service
from releases import repository
from releases.errors import WrongUsage
from releases.models import ChecklistItem, Release, RunbookRevision
from releases.permissions import demand
from releases.recorder import Add, record
from releases.runbooks.document import Item
from releases.statuses import RevisionStatus

# Boxes of these stages belong to the work before and in a release; the others to a rollback or to nobody.
RELEASE_ROLES = ("pre_deployment", "communications")


def create(
    service: Service, version: str, *, ref: str, revision: RunbookRevision, user: User, at: datetime
) -> tuple[Release, bool]:
    """The release and whether it is new; the ref is resolved once, here.

    Raises WrongUsage for a missing ref, an unpublished revision, or a version that exists with another commit.
    """
    demand(user, "request")
    if revision.status != RevisionStatus.PUBLISHED:
        raise WrongUsage(f"{revision} is a draft: `publish_runbook {service} --as USER` first")
    commit = repository.resolve(service.repository, ref)
    known = Release.objects.filter(service=service, version=version).first()
    if known and known.commit == commit:
        return known, False
    if known:
        raise WrongUsage(
            f"{known} exists with commit {known.commit[:10]}, and {ref} is {commit[:10]} now; choose a new version"
        )
    release = Release(
        service=service,
        version=version,
        ref=ref,
        commit=commit,
        revision=revision,
        requested_by=user,
        requested_at=at,
    )
    boxes = [Add(_box(release, item)) for item in revision.document.items if _is_ours(item)]
    record(Add(release), *boxes, by=user.username, at=at)
    return release, True


def find(service_name: str, version: str) -> Release:
    """The release by its two names; raises WrongUsage naming what exists."""
    service = find_service(service_name)
    release = (
        Release.objects.filter(service=service, version=version).select_related("service", "revision").first()
    )
    if release is None:
        known = ", ".join(service.releases.values_list("version", flat=True)[:5]) or "none yet"
        raise WrongUsage(
            f"{service} has no release '{version}' (there is: {known}); `create_release` makes one"
        )
    return release


def find_service(name: str) -> Service:
    """The service by name; raises WrongUsage naming what exists."""
    service = Service.objects.filter(name=name).first()
    if service is None:
        known = ", ".join(Service.objects.values_list("name", flat=True)[:10]) or "none yet"
        raise WrongUsage(
            f"there is no service '{name}' (there is: {known}); `register_service FILE.toml` makes one"
        )
    return service


def _is_ours(item: Item) -> bool:
    return item.scope == "release" and item.role in RELEASE_ROLES


def _box(release: Release, item: Item) -> ChecklistItem:
    return ChecklistItem(
        release=release,
        key=item.key,
        text=item.text,
        heading=item.heading,
        line=item.line,
        ticked_by=item.by,
        is_required=item.required,
        is_claimed=item.checked,
    )
