"""What of a runbook the plan does not hold: stages kept for reading, and lines that are placed nowhere; pure."""

from collections.abc import Collection, Iterable, Iterator
from math import inf

from releases.plan.model import Plan
from releases.plan.sheet import Aside, Part, Unplaced
from releases.plan.steps import is_program
from releases.runbooks.document import RUNNABLE, Block, Document, Item, Passage, Step

# Stages of which nothing is run or ticked.
ASIDE = ("communications", "maintenance", "troubleshooting", "reference")
QUIET = ("rule", "comment", "heading")
# Stages whose steps, told in words alone, are not on the sheet; and problems that say so of a line.
TOLD = ("post_deployment", "rollback_procedure")
LOST = ("not-placed", "box-like")


def asides(document: Document, plan: Plan) -> Iterator[Aside]:
    """The stages kept for reading, with what stands in them."""
    for role in ASIDE:
        steps = [step for step in _put_aside(document, plan) if step.role == role]
        if steps:
            yield Aside(
                role=role,
                parts=len(steps),
                boxes=sum(len(document.items_of(step.order)) for step in steps),
                commands=sum(block.kind in RUNNABLE for s in steps for block in document.blocks_of(s.order)),
                line=steps[0].line,
            )


def lost(document: Document, plan: Plan, parts: Iterable[Part]) -> list[Passage]:
    """The passages that are in none of the sheet's parts and should be, in the order of their lines."""
    shown = list(parts)
    rows = {row.line for part in shown for row in part.rows}
    lines = _lines_without_a_row(document, plan, rows) | {passage.line for passage in _strange(document)}
    told = {part.line for part in shown}
    silent = {step.order for step in document.steps if step.role in TOLD and step.line not in told}
    spoken = {step.role for step in document.steps if step.line in told}
    mute = [role for role in TOLD if role not in spoken]
    return [
        passage
        for passage in document.passages
        if passage.line in lines
        or (passage.kind in ("text", "table") and (passage.step in silent or passage.role in mute))
    ]


def unplaced(document: Document, passages: Iterable[Passage]) -> Iterator[Unplaced]:
    """The lost passages in runs, each with the heading above it."""
    gone, heading = {id(passage) for passage in passages}, document.title
    titles = {each.line: each.text for each in document.headings}
    run: list[Passage] = []
    for passage in (*document.passages, None):
        if passage and id(passage) in gone:
            run.append(passage)
            continue
        if passage and passage.kind in ("rule", "comment"):
            continue
        if run:
            yield Unplaced(heading=heading, line=run[0].line, end=max(each.end for each in run))
            run = []
        heading = titles.get(passage.line, heading) if passage else heading


def understood(document: Document, passages: Iterable[Passage]) -> tuple[int, int]:
    """(lines of the text, those of them that have no problem and are not among the lost passages)."""
    lines = _lines_of(document.passages)
    faulty = {problem.line for problem in document.problems if problem.level != "info"}
    return len(lines), len(lines - faulty - _lines_of(passages))


def _lines_of(passages: Iterable[Passage]) -> set[int]:
    return {line for passage in passages for line in range(passage.line, passage.end + 1)}


def _lines_without_a_row(document: Document, plan: Plan, rows: Collection[int]) -> set[int]:
    """Where boxes, fences and reasons stand that the sheet neither shows nor counts."""
    shown = {*rows, *(trigger.line for trigger in document.triggers)}
    aside = {step.order for step in _put_aside(document, plan)}
    fences = [block for block in document.blocks if block.kind in RUNNABLE or is_program(block)]
    things: list[Item | Block] = [*document.items, *fences]
    lines = {each.line for each in things if each.line not in shown and each.step not in aside}
    return lines | {problem.line for problem in document.problems if problem.id in LOST}


def _put_aside(document: Document, plan: Plan) -> list[Step]:
    taken = {step.key for step in plan.steps}
    steps = [step for role in ASIDE for step in document.steps_of(role)]
    return [step for step in steps if f"step-{step.order}" not in taken]


def _strange(document: Document) -> list[Passage]:
    """The passages below headings that say nothing; what stands above the first stage is about the document."""
    stages = (heading.line for heading in document.headings if heading.level > 1)
    first = min(stages, default=inf)
    found = [passage for passage in document.passages if passage.role == "other"]
    return [passage for passage in found if passage.line >= first and passage.kind not in QUIET]
