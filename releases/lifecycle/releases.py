"""Creating a release: one commit, one frozen revision, and the boxes that are ticked once a release."""

import re
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError

from checks.models import Service
from releases import repository
from releases.errors import WrongUsage
from releases.models import ChecklistItem, Deployment, Release, RunbookRevision
from releases.permissions import demand
from releases.plan.model import PlannedItem
from releases.recorder import Add, record
from releases.statuses import RevisionStatus

# A version is a part of file names and of command lines.
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")


def create(
    service: Service, version: str, *, ref: str, revision: RunbookRevision, user: User, at: datetime
) -> tuple[Release, bool]:
    """The release and whether it is new; the ref is resolved once, here.

    Raises WrongUsage for a missing ref, an unpublished revision, or a version that exists with another commit.
    """
    demand(user, "request")
    _demand_creatable(version, revision)
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
    # Loaded on use: only here a text is read, and everybody who deploys imports this module.
    from releases.plan.make import release_items

    boxes = [Add(box_of(release, item)) for item in release_items(revision.reviewed)]
    try:
        record(Add(release), *boxes, by=user.username, at=at)
    except IntegrityError:
        # Created by somebody else a moment ago: the second look finds it, or says how it differs.
        return create(service, version, ref=ref, revision=revision, user=user, at=at)
    return release, True


def _demand_creatable(version: str, revision: RunbookRevision) -> None:
    if not VERSION.fullmatch(version):
        raise WrongUsage(
            f"'{version[:40]}' is no version: use up to 100 letters, digits and . _ + -; --ref names the tag or branch"
        )
    if revision.status != RevisionStatus.PUBLISHED:
        service = revision.runbook.service
        raise WrongUsage(f"{revision} is a draft: `publish_runbook {service} --as USER` first")


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


def box_of(release: Release, item: PlannedItem, deployment: Deployment | None = None) -> ChecklistItem:
    """The row of a planned box: of a release, or of one deployment of it."""
    return ChecklistItem(
        release=release,
        deployment=deployment,
        key=item.key,
        text=item.text,
        heading=item.heading,
        line=item.line,
        ticked_by=item.by,
        is_required=item.required,
        is_claimed=item.claimed,
        command=item.command,
        choice=item.choice,
    )
