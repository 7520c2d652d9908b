"""Importing a runbook's text as a draft and publishing it."""

import hashlib
from datetime import datetime

from django.contrib.auth.models import User

from checks.models import Service
from releases.errors import WaitsForPerson, WrongUsage
from releases.models import Runbook, RunbookRevision
from releases.permissions import demand
from releases.recorder import Add, Move, record
from releases.runbooks.document import Document, Problem
from releases.statuses import RevisionStatus


def import_text(
    service: Service, text: str, *, name: str, by: str, at: datetime
) -> tuple[RunbookRevision, bool]:
    """The revision with that text, and whether it is new; a text imported before is the same revision.

    Raises WrongUsage for a text without content.
    """
    if not text.strip():
        raise WrongUsage("the runbook is empty; nothing was imported")
    runbook, _ = Runbook.objects.get_or_create(service=service, name=name)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    known = runbook.revisions.filter(sha256=sha256).first()
    if known:
        return known, False
    newest = runbook.revisions.order_by("-number").first()
    revision = RunbookRevision(
        runbook=runbook,
        number=newest.number + 1 if newest else 1,
        sha256=sha256,
        text=text,
        imported_by=by,
        imported_at=at,
    )
    record(Add(revision), by=by, at=at)
    return revision, True


def publish(
    revision: RunbookRevision, *, user: User, at: datetime, accept_dangers: str = ""
) -> RunbookRevision:
    """Make a draft runnable; raises WaitsForPerson while it holds errors, or dangers that nobody accepted by reason."""
    demand(user, "publish")
    document = revision.document
    if document.errors:
        raise WaitsForPerson(_listed(f"{revision} cannot be published", document.errors))
    dangerous = dangers(document)
    if dangerous and not accept_dangers:
        shown = _listed(f"{revision} holds dangerous commands", dangerous)
        raise WaitsForPerson(f"{shown}; accept them with --accept-dangers REASON")
    if revision.status == RevisionStatus.PUBLISHED:
        return revision
    fields = {"published_by": user, "published_at": at}
    record(Move(revision, RevisionStatus.PUBLISHED, fields), by=user.username, at=at, why=accept_dangers)
    return revision


def newest(service: Service, *, status: str | None = None, number: int | None = None) -> RunbookRevision:
    """The newest revision of a service's runbook (of that status, or that number); raises WrongUsage if none."""
    revisions = RunbookRevision.objects.filter(runbook__service=service).order_by("-imported_at", "-number")
    if number is not None:
        revisions = revisions.filter(number=number)
    found = revisions.filter(status=status).first() if status else revisions.first()
    if found:
        return found
    if status == RevisionStatus.PUBLISHED and revisions.exists():
        raise WrongUsage(
            f"no revision of {service}'s runbook is published: `publish_runbook {service} --as USER`"
        )
    raise WrongUsage(f"{service} has no such runbook revision: `import_runbook FILE --service {service}`")


def dangers(document: Document) -> tuple[Problem, ...]:
    """The problems that mark a dangerous command."""
    return tuple(problem for problem in document.problems if problem.id.startswith("danger"))


def _listed(start: str, problems: tuple[Problem, ...]) -> str:
    return start + ": " + "; ".join(f"line {p.line}: {p.message}" for p in problems)
