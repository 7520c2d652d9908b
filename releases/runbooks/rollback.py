"""The ways back that a rollback procedure describes."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Callable, Sequence
from itertools import groupby

from .document import Block, RollbackMethod, Step

COVERS: tuple[tuple[str, str], ...] = (
    (
        "RESTORE",
        r"\bdatabase\b|\brestor(e|ing)\b|\bfull\b|\bbackups?\b|\bdata\b|\bschema\b|\bdb\b|\bcomplete\b|\bmigrations?\b",
    ),
    (
        "FLAGS",
        r"\bflags?\b|\bfeatures?\b|\btoggles?\b|\bkill[- ]?switch\b|\benvironment variables?\b|\bconfig(uration)?\b|\bquick\b",
    ),
    (
        "CODE",
        r"\bcode\b|\bgit\b|\brevert\b|\bversion\b|\bdeploy(ment)?\b|\bapplication\b|\brelease\b|\bimage\b|\bcontainer\b|\brestart\b",
    ),
)
COVERS_TABLE = tuple((name, re.compile(wording, re.IGNORECASE)) for name, wording in COVERS)
IN_SEQUENCE = re.compile(r"^\W*(step|schritt|paso|étape|passo)\s+\d", re.IGNORECASE)
AFTERWARDS = re.compile(
    r"\b(post|after|verify|verification|document|communicat|notify|confirm)\w*\b", re.IGNORECASE
)


def methods(
    steps: Sequence[Step], blocks: Sequence[Block], *, stage_of: Callable[[int], str]
) -> tuple[RollbackMethod, ...]:
    """One method a step, in document order; steps that belong to no method ("Post-rollback") follow each.

    Steps of one stage named "Step 1", "Step 2" are one method, named for the stage.
    """
    found: list[RollbackMethod] = []
    shared: list[int] = []
    for stage, group in groupby(steps, key=lambda step: stage_of(step.order)):
        members = list(group)
        if any(IN_SEQUENCE.match(step.heading) for step in members):
            found.append(_sequence(stage, members, blocks))
            continue
        for step in members:
            covers = _covers(step, len(members))
            if covers:
                found.append(_single(step, covers))
            else:
                shared.append(step.order)
    if steps and not found:
        return (_sequence(stage_of(steps[0].order), list(steps), blocks),)
    return tuple(_with(method, shared) for method in found)


def _covers(step: Step, members: int) -> str:
    if AFTERWARDS.search(step.heading) and members > 1:
        return ""
    return next((name for name, wording in COVERS_TABLE if wording.search(step.heading)), "")


def _single(step: Step, covers: str) -> RollbackMethod:
    return RollbackMethod(
        title=step.heading, covers=covers, promised_minutes=step.duration_minutes, steps=(step.order,)
    )


def _sequence(stage: str, steps: list[Step], blocks: Sequence[Block]) -> RollbackMethod:
    orders = tuple(step.order for step in steps)
    restores = any(block.step in orders and block.action == "restore" for block in blocks)
    wording = " ".join([stage, *(step.heading for step in steps)])
    covers = (
        "RESTORE"
        if restores
        or re.search(r"\b(database|restore)\b.*\bbackup|\brestore (the )?(database|data)\b", wording, re.I)
        else "CODE"
    )
    promised = [step.duration_minutes for step in steps if step.duration_minutes]
    return RollbackMethod(title=stage, covers=covers, promised_minutes=sum(promised) or None, steps=orders)


def _with(method: RollbackMethod, shared: list[int]) -> RollbackMethod:
    steps = (*method.steps, *(order for order in shared if order not in method.steps))
    return RollbackMethod(
        title=method.title, covers=method.covers, promised_minutes=method.promised_minutes, steps=steps
    )
