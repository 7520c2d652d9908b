"""What looks as if somebody should do it and stands where nothing plans it: said at import, so that it is not lost."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from .document import RUN_ROLES, RUNNABLE, Block, Problem
from .placed import Placed

BOX_LIKE = re.compile(
    r"(?:[☐☑☒□❏❑]|\[(?:[-~✓✔✗✘]|\s+[xX]?\s*|[xX]\s+)\]|(?:\*\*|__|`)\[[ xX]?\](?:\*\*|__|`))\s*\S"
)
# Stages of which no box is ticked, and those of which no fence is run or shown; "other" is before the first stage, too.
WITHOUT_BOXES = ("other", "contacts")
WITHOUT_FENCES = ("other", "contacts", "signoff", "success_criteria", "rollback_triggers")


def problems(
    placed: Sequence[Placed], blocks: Sequence[Block], *, reasons: Collection[int]
) -> Iterator[Problem]:
    """Boxes, fences and indented code that no plan has, and lines that only look like boxes.

    `reasons` holds the lines of triggers: what else is listed among them is told, too.
    """
    boxes = (one for one in placed if one.piece.kind == "item" and one.role in WITHOUT_BOXES)
    for _, group in groupby(boxes, key=lambda one: one.path):
        members = list(group)
        said = "This box is" if len(members) == 1 else f"These {len(members)} boxes are"
        yield _not_placed(members[0].piece.line, f"{said} below no stage that asks for ticks")
    for one in placed:
        if one.piece.kind == "code" and one.role in RUN_ROLES:
            yield _not_placed(one.piece.line, "Indented code is read as text; commands stand in a fence")
        if one.piece.kind == "text" and one.role != "rollback_triggers" and BOX_LIKE.match(one.piece.text):
            yield _box_like(one.piece.line)
        if _is_detail(one) and one.piece.line not in reasons:
            yield replace(_not_placed(one.piece.line, "This is no reason to go back by itself"), level="info")
    for block in blocks:
        if block.kind in RUNNABLE and block.role in WITHOUT_FENCES:
            yield _not_placed(block.line, "Nothing runs this fence where it stands")


def _is_detail(one: Placed) -> bool:
    is_listed = one.piece.kind == "text" and one.piece.info == "item"
    return one.role == "rollback_triggers" and is_listed and not one.piece.text.rstrip(" *_").endswith(":")


def _not_placed(line: int, message: str) -> Problem:
    hint = "Put it below the heading of a stage that is planned."
    return Problem(id="not-placed", level="warning", line=line, message=message, hint=hint)


def _box_like(line: int) -> Problem:
    return Problem(
        id="box-like",
        level="warning",
        line=line,
        message="This looks like a box and is none: nobody is asked to tick it",
        hint="Write it as a task: - [ ] text",
    )
