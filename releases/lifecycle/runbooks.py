"""Importing a runbook's text as a draft and publishing it."""

import hashlib
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError

from checks.models import Service
from releases.errors import Held, WaitsForPerson, WrongUsage
from releases.lifecycle import reviews
from releases.models import Runbook, RunbookRevision
from releases.permissions import demand
from releases.recorder import Add, Move, record
from releases.runbooks.document import Problem
from releases.statuses import RevisionStatus

TRIES = 5
LONGEST_NAME = 200  # characters


def import_text(
    service: Service, text: str, *, name: str, by: str, at: datetime
) -> tuple[RunbookRevision, bool]:
    """The revision with that text, and whether it is new; a text imported before is the same revision.

    What was decided for the revision before holds for all that did not change. Raises WrongUsage for a text
    without content, and for one that cannot be stored.
    """
    if not text.strip():
        raise WrongUsage("the runbook is empty; nothing was imported")
    _demand_storable(text, name)
    runbook, _ = Runbook.objects.get_or_create(service=service, name=name)
    for _ in range(TRIES):
        known = runbook.revisions.filter(sha256=_sha256(text)).order_by("-number").first()
        if known:
            return known, False
        try:
            return _draft(runbook, text, by=by, at=at), True
        except IntegrityError:
            # Somebody else imported a moment ago, and has the number: look again.
            continue
    raise Held(f"{runbook} is being imported by others; try again")


def _demand_storable(text: str, name: str) -> None:
    """Raise WrongUsage for what some databases do not take."""
    if len(name) > LONGEST_NAME:
        raise WrongUsage(f"a runbook's name has at most {LONGEST_NAME} characters, not {len(name):,}")
    if "\0" in name + text:
        raise WrongUsage("a NUL stands in the text or its name: this is no text")
    try:
        f"{name}{text}".encode()
    except UnicodeEncodeError as error:
        raise WrongUsage(
            f"half a character (U+{ord(error.object[error.start]):04X}) stands in the text or its name; "
            "save it as UTF-8"
        ) from None


def redraft(revision: RunbookRevision, *, user: User, at: datetime) -> RunbookRevision:
    """A new draft of a published text with all its decisions, to decide anew what publishing had settled."""
    demand(user, "publish")
    newest_one = revision.runbook.revisions.order_by("-number").first()
    if newest_one and newest_one.status == RevisionStatus.DRAFT:
        raise WrongUsage(f"{newest_one} is a draft already")
    return _draft(revision.runbook, revision.text, by=user.username, at=at)


def _draft(runbook: Runbook, text: str, *, by: str, at: datetime) -> RunbookRevision:
    before = runbook.revisions.order_by("-number").first()
    revision = RunbookRevision(
        runbook=runbook,
        number=before.number + 1 if before else 1,
        sha256=_sha256(text),
        text=text,
        imported_by=by,
        imported_at=at,
    )
    decisions = reviews.carried(before, revision)
    record(Add(revision), *(Add(decision) for decision in decisions), by=by, at=at)
    return revision


def publish(revision: RunbookRevision, *, user: User, at: datetime) -> RunbookRevision:
    """Make a draft runnable.

    Raises WaitsForPerson while it holds errors or matters that nobody decided, NotAllowed for who accepted its dangers.
    """
    demand(user, "publish")
    if revision.status == RevisionStatus.PUBLISHED:
        return revision
    document = revision.reviewed
    if document.errors:
        raise WaitsForPerson(_listed(f"{revision} cannot be published", document.errors))
    reviews.demand_settled(revision, document, publisher=user)
    fields = {"published_by": user, "published_at": at}
    record(Move(revision, RevisionStatus.PUBLISHED, fields), by=user.username, at=at)
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


def before(revision: RunbookRevision) -> RunbookRevision | None:
    """The revision that it followed; None for a runbook's first one."""
    return revision.runbook.revisions.filter(number__lt=revision.number).order_by("-number").first()


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _listed(start: str, problems: tuple[Problem, ...]) -> str:
    return start + ": " + "; ".join(f"line {p.line}: {p.message}" for p in problems)
