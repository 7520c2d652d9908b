"""What the review page of a revision shows: the text beside what was understood, with who decided what."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from releases.admin.review_parts import (
    MEANINGS,
    SPAN,
    STAGES,
    WHY_DANGEROUS,
    Parts,
    StageView,
    ticked_by,
)
from releases.admin.review_text import anchors_of, lines
from releases.lifecycle import reviews, runbooks
from releases.models import Decision, RunbookRevision
from releases.permissions import may
from releases.runbooks.changes import Changes, changes
from releases.runbooks.document import (
    AUTO,
    AUTOMATIONS,
    CONFIRM,
    GUIDE,
    RUN_ROLES,
    RUNNABLE,
    Document,
    Problem,
    RollbackMethod,
    Step,
    Threshold,
    Trigger,
)
from releases.runbooks.encoding import decode
from releases.runbooks.review import Matter, dangerous_words, matters, reviewed
from releases.statuses import RevisionStatus

Folded = Mapping[str, int]
URGENCY = ("error", "warning", "info")


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Something that stops publishing, and the address of where it is settled."""

    text: str
    address: str


def page(revision: RunbookRevision, user: User, *, at: str = "") -> dict[str, Any]:
    """What the page of a revision shows to this user; of a long stage the steps beside the one of order `at`."""
    rows = {(row.kind, row.subject): row for row in revision.decisions.select_related("by")}
    read = revision.document
    document = reviewed(read, {key: row.value for key, row in rows.items()})
    still_open = matters(document)
    shown = Parts(revision, document, rows, at=at)
    previous = runbooks.before(revision)
    changed = changes(previous.document, read) if previous else Changes()
    stages = shown.stages()
    folded = _folded(stages)
    return {
        "document": document,
        "is_draft": revision.status == RevisionStatus.DRAFT,
        "stops": stops(revision, document, user, folded),
        "problems": _problems(document),
        "open": len(still_open),
        "matters": [_matter(document, matter, folded) for matter in still_open[:SPAN]],
        "stages": [stage for stage in stages if stage.role in STAGES],
        "folded": [stage for stage in stages if stage.role not in STAGES],
        "levels": _levels_of(stages),
        "bulk": [(level, MEANINGS[level]) for level in (GUIDE, CONFIRM, AUTO)],
        "triggers": _triggers(document, shown.metrics),
        "limits": _limits(document, shown.metrics),
        "ways_back": [(method, _steps_of(document, method)) for method in document.rollback_methods],
        "variables": _variables(document, shown.sources),
        "lines": lines(decode(revision.text).text, document, anchors_of(stages)),
        "counts": counts(document),
        "previous": previous,
        "changed": changed,
        "decisions": [(row, about(read, row), said(read, row)) for row in rows.values()],
        "releases": revision.releases.select_related("service"),
    }


def stops(revision: RunbookRevision, document: Document, user: User, folded: Folded) -> list[Stop]:
    """What still keeps this user from publishing the revision, in sentences; nothing for a published one."""
    if revision.status == RevisionStatus.PUBLISHED:
        return []
    found = [Stop(text=f"line {p.line}: {p.message}", address=f"#line-{p.line}") for p in document.errors]
    found += [
        Stop(text=f"line {m.line}: {_open(document, m)}", address=_address(m, folded))
        for m in matters(document)
    ]
    if reviews.has_accepted(user, revision, document):
        found.append(Stop(text="you accepted dangerous commands: a second person publishes", address=""))
    if not may(user, "publish"):
        found.append(Stop(text="you may not publish: a release manager does", address=""))
    return found


def counts(document: Document) -> list[tuple[str, int]]:
    """What was found, in numbers."""
    return [
        ("steps", len(document.steps_of("deployment_steps"))),
        ("boxes", len(document.items)),
        ("commands", sum(block.kind in RUNNABLE for block in document.blocks)),
        ("thresholds", len(document.thresholds)),
        ("ways back", len(document.rollback_methods)),
    ]


# --- limits, ways back, variables ---------------------------------------------------------------------


def _triggers(document: Document, metrics: Iterable[str]) -> list[tuple[Trigger, Threshold | None, bool]]:
    """Each trigger, the limit that judges it, and whether a probe reads the metric."""
    return [
        (trigger, limit, limit is not None and limit.metric in metrics) for trigger, limit in document.judged
    ]


def _limits(document: Document, metrics: Iterable[str]) -> list[tuple[Threshold, str, bool]]:
    """(limit, its role, whether a probe reads the metric) of those that are no trigger."""
    judged = {trigger.line for trigger in document.triggers if trigger.measured}
    return [
        (limit, limit.role.replace("_", " "), limit.metric in metrics)
        for limit in document.thresholds
        if limit.line not in judged
    ]


def _steps_of(document: Document, method: RollbackMethod) -> list[Step]:
    return [step for step in document.steps if step.order in method.steps]


def _variables(document: Document, sources: Mapping[str, str]) -> list[tuple[str, str]]:
    """(name, where it comes from or "") of every variable that the commands need."""
    filled = {hole.variable for block in document.blocks for hole in block.holes if block.role in RUN_ROLES}
    names = sorted({*document.variables, *filled} - {""})
    return sorted(((name, sources.get(name, "")) for name in names), key=lambda pair: bool(pair[1]))


def _levels_of(stages: Iterable[StageView]) -> list[tuple[str, int]]:
    """(level, how many of the steps that run have it)."""
    found = Counter(
        view.step.automation for stage in stages for view in stage.steps if view.step and view.runs
    )
    return [(level, found[level]) for level in AUTOMATIONS if found[level]]


# --- problems, open matters, decisions ----------------------------------------------------------------


def _problems(document: Document) -> list[tuple[Problem, list[int]]]:
    """Each problem once, with the other lines that have it; errors first."""
    found: dict[tuple[str, str, str], list[Problem]] = defaultdict(list)
    for problem in document.problems:
        found[problem.id, problem.level, problem.message].append(problem)
    same = sorted(found.values(), key=lambda each: (URGENCY.index(each[0].level), each[0].line))
    return [(each[0], sorted({problem.line for problem in each[1:]} - {each[0].line})) for each in same]


def _matter(document: Document, matter: Matter, folded: Folded) -> tuple[Matter, str, str]:
    """The matter, its sentence, and where it stands."""
    return matter, _open(document, matter), _address(matter, folded)


def _open(document: Document, matter: Matter) -> str:
    if matter.kind == "accept":
        return _danger(document, matter.subject)
    return f"pick one of several ways: {matter.text}"


def _danger(document: Document, subject: str) -> str:
    key, _, danger = subject.partition(":")
    rows = (dangerous_words(block, danger) for block in document.blocks if block.key == key)
    return f"{WHY_DANGEROUS.get(danger, danger)}: {next(rows, '')}"


def _address(matter: Matter, folded: Folded) -> str:
    """Where it is settled; of a long stage another part may be shown."""
    key = matter.subject.partition(":")[0]
    return f"?at={folded[key]}#at-{key}" if key in folded else f"#at-{key}"


def _folded(stages: Iterable[StageView]) -> Folded:
    """The keys of commands and choices in steps that are shown in a line each, with the order of their step."""
    closed = [view for stage in stages for span in stage.spans if not span.is_open for view in span.steps]
    found = {block.block.key: view.step.order for view in closed if view.step for block in view.blocks}
    return found | {each.choice.key: view.step.order for view in closed if view.step for each in view.choices}


def about(document: Document, row: Decision) -> str:
    """What a decision is about, in the words of the text."""
    if row.kind == "level":
        return next((step.heading for step in document.steps if step.key == row.subject), row.subject)
    if row.kind == "pick":
        return next((choice.title for choice in document.choices if choice.key == row.subject), row.subject)
    if row.kind == "accept":
        return _danger(document, row.subject)
    if row.kind == "fill":
        return row.subject
    key = row.subject.partition(":")[0]
    return next((item.text for item in document.items if item.key == key), row.subject)


def said(document: Document, row: Decision) -> str:
    """What was decided, in words."""
    if row.kind == "pick":
        options = (option for choice in document.choices for option in choice.options)
        return next((option.label for option in options if option.key == row.value), row.value)
    if row.kind == "by":
        return ticked_by(*row.value.partition(":")[::2])
    return {"accept": "accepted", "fill": f"${row.value}"}.get(row.kind, row.value)
