"""Deciding what a runbook's text leaves open, and carrying decisions over to its next text."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User

from releases.errors import NotAllowed, WaitsForPerson, WrongUsage
from releases.models import Attempt, Decision, Runbook, RunbookRevision
from releases.permissions import demand
from releases.recorder import Add, Change, Still, record
from releases.runbooks.document import AUTO, RUNNABLE, Document, Step
from releases.runbooks.review import BEFORE_PUBLISHING, fault, matters, subjects
from releases.statuses import DeploymentStatus, Outcome, RevisionStatus


def decide(
    revision: RunbookRevision, kind: str, subject: str, value: str, *, user: User, at: datetime, why: str = ""
) -> Decision:
    """Decide one thing about one revision; deciding again replaces.

    Raises WrongUsage for what cannot be decided so, WaitsForPerson where a reason or a new draft is needed.
    """
    demand(user, "review")
    document = revision.document
    wrong = fault(document, kind, subject, value)
    if wrong:
        raise WrongUsage(wrong)
    _demand_open(revision, kind)
    wanted = "" if why.strip() else reason_wanted(revision, document, kind, subject, value)
    if wanted:
        raise WaitsForPerson(f"{wanted}: --why TEXT")
    if kind == "accept" and revision.published_by_id == user.pk:
        raise NotAllowed(
            f"{user.username} published {revision}: a second person accepts its dangerous commands"
        )
    guards = [Still(revision, RevisionStatus.DRAFT)] if kind in BEFORE_PUBLISHING else []
    known = revision.decisions.filter(kind=kind, subject=subject).first()
    fields = {"value": value, "why": why, "by": user, "at": at, "made_in": revision.number}
    if known:
        record(*guards, Change(known, fields, verb="decided"), by=user.username, at=at, why=why)
        return known
    decision = Decision(revision=revision, kind=kind, subject=subject, **fields)
    record(*guards, Add(decision), by=user.username, at=at, why=why)
    return decision


def _demand_open(revision: RunbookRevision, kind: str) -> None:
    """Raise WaitsForPerson for what publishing has settled."""
    if kind in BEFORE_PUBLISHING and revision.status == RevisionStatus.PUBLISHED:
        raise WaitsForPerson(
            f"{revision} is published and releases were made of it; `review_runbook {revision.runbook.service} "
            "--redraft` makes a draft of the same text to decide anew"
        )


def reason_wanted(revision: RunbookRevision, document: Document, kind: str, subject: str, value: str) -> str:
    """Why this may not be decided without a reason, in a sentence; empty when it may."""
    if kind == "accept":
        return "accepting a dangerous command needs a reason"
    if kind == "level" and value == "skip":
        return "a step that does not apply needs a reason"
    if kind == "level" and value == AUTO:
        step = next(step for step in document.steps if step.key == subject)
        if not clean_runs(revision.runbook, document)[step.key] and _runs_something(document, step):
            return f"'{step.heading}' has no clean run yet; raising it to auto before one needs a reason"
    return ""


def carried(old: RunbookRevision | None, new: RunbookRevision) -> list[Decision]:
    """The decisions of an earlier revision about what stands unchanged in a new one, not yet written."""
    if old is None:
        return []
    still = subjects(new.document)
    return [
        Decision(
            revision=new,
            kind=row.kind,
            subject=row.subject,
            value=row.value,
            why=row.why,
            by=row.by,
            at=row.at,
            made_in=row.made_in,
        )
        for row in old.decisions.select_related("by")
        if (row.kind, row.subject) in still
    ]


def demand_settled(revision: RunbookRevision, document: Document, *, publisher: User) -> None:
    """Raise WaitsForPerson while something is undecided, NotAllowed where a second person has to publish."""
    open_matters = matters(document)
    if open_matters:
        shown = "; ".join(f"line {matter.line}: {matter.kind} {matter.text}" for matter in open_matters)
        raise WaitsForPerson(
            f"{revision} is not reviewed: {shown}. Decide in the admin, or with "
            f"`review_runbook {revision.runbook.service}`"
        )
    if has_accepted(publisher, revision, document):
        raise NotAllowed(
            f"{publisher.username} accepted dangerous commands of {revision} and cannot publish it, too: "
            "a second person has to"
        )


def has_accepted(user: User, revision: RunbookRevision, document: Document) -> bool:
    """Did this user accept dangerous commands of the revision, so that somebody else has to publish it?"""
    accepted = any(block.accepted for block in document.blocks)
    return accepted and revision.decisions.filter(kind="accept", by=user).exists()


def clean_runs(runbook: Runbook, document: Document) -> Counter[str]:
    """Step key -> in how many deployments all of its commands succeeded at the first try."""
    rows = Attempt.objects.filter(
        deployment__release__revision__runbook=runbook,
        deployment__status__in=[DeploymentStatus.WATCHING, DeploymentStatus.SUCCEEDED],
    ).values_list("deployment", "action", "outcome")
    good: dict[int, set[str]] = defaultdict(set)
    bad: dict[int, set[str]] = defaultdict(set)
    for deployment, action, outcome in rows:
        (good if outcome == Outcome.SUCCEEDED else bad)[deployment].add(action)
    clean = [done - bad[deployment] for deployment, done in good.items()]
    return Counter({step.key: _times(document, step, clean) for step in document.steps})


def _times(document: Document, step: Step, clean: Iterable[set[str]]) -> int:
    own = {block.key for block in document.blocks_of(step.order) if block.kind in RUNNABLE}
    return sum(own <= done for done in clean) if own else 0


def _runs_something(document: Document, step: Step) -> bool:
    return any(block.kind in RUNNABLE for block in document.blocks_of(step.order))
