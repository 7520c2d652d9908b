"""The text of a runbook beside its review: what each line was understood as, and where."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from releases.admin.review_parts import StageView, StepView
from releases.runbooks.document import Document
from releases.runbooks.review import gone_lines


@dataclass(frozen=True, kw_only=True)
class LineView:
    """A line of the text: the problem on it, what it is, where its understanding stands, whether it is taken."""

    number: int
    text: str
    level: str
    kind: str
    anchor: str
    is_gone: bool


def lines(text: str, document: Document, anchors: Mapping[int, str]) -> list[LineView]:
    """The lines of the text with what they were understood as; `anchors` say where that stands on the page."""
    levels = {problem.line: problem.level for problem in reversed(document.problems)}
    kinds, gone = _kinds(document), gone_lines(document.choices)
    return [
        LineView(
            number=number,
            text=row,
            level=levels.get(number, ""),
            kind=kinds.get(number, ""),
            anchor=anchors.get(number, ""),
            is_gone=number in gone,
        )
        for number, row in enumerate(text.split("\n"), 1)
    ]


def anchors_of(stages: Iterable[StageView]) -> dict[int, str]:
    """Line -> the part of the page that was made of it."""
    found: dict[int, str] = {}
    for stage in stages:
        for view in stage.shown:
            found |= {line: f"at-{key}" for line, key in _parts(view)}
        found |= {view.line: view.anchor for view in stage.steps if view.anchor}
    return found


def _parts(view: StepView) -> list[tuple[int, str]]:
    """(line, key) of the commands and boxes of a step."""
    parts = [(block.block.line, block.block.key) for block in view.blocks]
    return parts + [(box.item.line, box.item.key) for box in view.boxes]


def _kinds(document: Document) -> dict[int, str]:
    found = {heading.line: "heading" for heading in document.headings}
    for block in document.blocks:
        found |= dict.fromkeys(block.extent, "fence")
    return found
