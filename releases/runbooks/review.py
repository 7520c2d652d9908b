"""What reviewers decided, applied to what the text says; pure, so the page shown and the plan run are the same."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from .dangers import dangers
from .document import AUTOMATIONS, RUN_ROLES, RUNNABLE, SKIP, Block, Choice, Document, Item, Option, Step
from .keys import digest, exact
from .steps import default_automation, lines_of, runnable

# What a decision is about, and what its subject names.
KINDS = {
    "level": "how far a step is automated: guide, confirm, auto or skip",
    "by": "who ticks a box: person, confirm, step, probe:NAME or threshold",
    "scope": "whether a box is ticked once a release or once a deployment",
    "run": "whether the command in a box's text is run",
    "pick": "which of several ways is taken",
    "fill": "which variable fills a placeholder",
    "accept": "that a dangerous command is meant",
}
# These change which boxes a release has, so they are settled before the text is published.
BEFORE_PUBLISHING = ("by", "scope", "run", "pick")

LONGEST = 200  # characters of a value

Decisions = Mapping[tuple[str, str], str]  # (kind, subject) -> value


@dataclass(frozen=True, kw_only=True)
class Matter:
    """Something that a person has to decide before the text may run; `subject` names it in a decision of `kind`."""

    kind: str
    subject: str
    line: int
    text: str


def reviewed(document: Document, decisions: Decisions) -> Document:
    """The document as its reviewers decided; what they left open stays as the text says."""
    choices = tuple(
        replace(each, picked=decisions.get(("pick", each.key), each.picked)) for each in document.choices
    )
    gone = gone_lines(choices)
    blocks = [_decided_block(block, decisions) for block in document.blocks if block.line not in gone]
    kept = tuple(_without(block, gone) for block in blocks)
    items = (_decided_item(item, decisions) for item in document.items if item.line not in gone)
    own, open_lines = runnable(kept), lines_of(choices)
    return replace(
        document,
        choices=choices,
        blocks=kept,
        items=tuple(items),
        steps=tuple(
            replace(step, automation=SKIP)
            if step.line in gone
            else _decided_step(step, own.get(step.order, []), open_lines, decisions)
            for step in document.steps
        ),
    )


def matters(document: Document) -> tuple[Matter, ...]:
    """What is still open in a reviewed document, in the order of its lines."""
    skipped = {step.order for step in document.steps if step.automation == SKIP}
    gone = gone_lines(document.choices)
    found = [
        Matter(kind="pick", subject=choice.key, line=choice.line, text=_ways(choice))
        for choice in document.choices
        if choice.role in RUN_ROLES and not choice.picked and choice.line not in gone
    ]
    for block in document.blocks:
        if block.role not in RUN_ROLES or block.step in skipped or block.kind not in RUNNABLE:
            continue
        found += _unaccepted(block)
    return tuple(sorted(found, key=lambda matter: (matter.line, matter.subject)))


def subjects(document: Document) -> dict[tuple[str, str], int]:
    """Every (kind, subject) that can be decided about in a document as it was read, with its line."""
    found = {("level", step.key): step.line for step in document.steps}
    for item in document.items:
        found |= {(kind, item.key): item.line for kind in ("by", "scope")}
        if item.command:
            found["run", run_subject(item)] = item.line
    found |= {("pick", choice.key): choice.line for choice in document.choices}
    for block in document.blocks:
        found |= {("fill", hole.words): hole.line for hole in reversed(block.holes)}
        found |= {("accept", danger_subject(block, danger)): block.line for danger in block.dangers}
    return found


def fault(document: Document, kind: str, subject: str, value: str) -> str:
    """Why this cannot be decided so, in a sentence; empty when it can. Values are checked against the text."""
    if len(value) > LONGEST:
        return f"a decision says at most {LONGEST} characters, not {len(value):,}"
    if (kind, subject) not in subjects(document):
        return f"the runbook has nothing called '{subject}' to decide about"
    if kind == "pick":
        options = next(choice.options for choice in document.choices if choice.key == subject)
        known = [option.key for option in options]
    else:
        known = list(VALUES.get(kind, ()))
    if kind == "by" and value.partition(":")[0] == "probe" and value.partition(":")[2]:
        return ""
    if kind == "fill":
        return "" if value.isidentifier() else f"'{value}' is no name of a variable"
    return "" if value in known else f"'{value}' is none of {', '.join(known)}"


def is_by_hand(document: Document, option: Option) -> bool:
    """Does nothing of a picked way run or get ticked, so that a person has to do it?"""
    if any(option.line <= item.line <= option.end for item in document.items):
        return False
    runnable = (block for block in document.blocks if block.kind in RUNNABLE)
    return not any(_commands_within(block, option) for block in runnable)


def gone_lines(choices: Iterable[Choice]) -> frozenset[int]:
    """The lines of the ways that were not taken."""
    return frozenset(
        line
        for choice in choices
        if choice.picked
        for option in choice.options
        if option.key != choice.picked
        for line in range(option.line, option.end + 1)
    )


def steps_that_run(document: Document) -> tuple[Step, ...]:
    """The steps that hold a command which a run may run."""
    runs = {block.step for block in document.blocks if block.kind in RUNNABLE}
    return tuple(step for step in document.steps if step.role in RUN_ROLES and step.order in runs)


def danger_subject(block: Block, danger: str) -> str:
    """How a decision names one danger mark of one block, whose key holds a digest of the exact script."""
    return f"{block.key}:{danger}"


def run_subject(item: Item) -> str:
    """How a decision names the command in a box: a box keeps its key when only its punctuation changes."""
    return f"{item.key}:{digest(exact(item.command))}"


def dangerous_words(block: Block, danger: str) -> str:
    """The line of the block that bears the mark."""
    marks = (mark.offset for mark in dangers(block.script, kind=block.kind) if mark.id == danger)
    row = next(marks, -1)
    return block.script.split("\n")[row].strip()[:80] if row >= 0 else first_command(block.script)


def first_command(script: str) -> str:
    """The first line of a script that is no comment."""
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith(("#", "--"))), (lines or [""])[0])[:80]


VALUES = {
    "level": AUTOMATIONS,
    "by": ("person", "confirm", "step", "threshold"),
    "scope": ("release", "deployment"),
    "run": ("yes", "no"),
    "accept": ("yes",),
}


def _unaccepted(block: Block) -> list[Matter]:
    """One matter a danger mark that nobody accepted, with the line that it stands in."""
    places = {danger.id: danger.offset for danger in reversed(dangers(block.text, kind=block.kind))}
    return [
        Matter(
            kind="accept",
            subject=danger_subject(block, id),
            line=block.line + 1 + places.get(id, -1),
            text=f"{id}: {dangerous_words(block, id)}",
        )
        for id in block.dangers
        if id not in block.accepted
    ]


def _decided_step(step: Step, own: Sequence[Block], open_lines: Set[int], decisions: Decisions) -> Step:
    level = decisions.get(("level", step.key)) or default_automation(own, open_lines)
    return replace(step, automation=level)


def _decided_item(item: Item, decisions: Decisions) -> Item:
    by, _, name = decisions.get(("by", item.key), f"{item.by}:{item.by_name}").partition(":")
    scope = decisions.get(("scope", item.key), item.scope)
    runs = bool(item.command) and decisions.get(("run", run_subject(item))) == "yes"
    return replace(item, by=by, by_name=name, scope=scope, runs=runs)


def _decided_block(block: Block, decisions: Decisions) -> Block:
    accepted = tuple(d for d in block.dangers if decisions.get(("accept", danger_subject(block, d))) == "yes")
    holes = tuple(replace(h, variable=decisions.get(("fill", h.words), h.variable)) for h in block.holes)
    return replace(block, accepted=accepted, holes=holes)


def _without(block: Block, gone: Set[int]) -> Block:
    """The block without the lines of the ways not taken; what it does is read anew from what is left."""
    rows = block.text.split("\n")
    kept = [row for offset, row in enumerate(rows) if block.line + 1 + offset not in gone]
    if len(kept) == len(rows):
        return block
    # Loaded on use: only a text with alternatives needs the grammar of commands here.
    from .blocks import trimmed

    text = "\n".join(kept)
    return trimmed(block, text, tuple(hole for hole in block.holes if hole.words in text))


def _commands_within(block: Block, option: Option) -> bool:
    rows = block.text.split("\n")
    lines = [row for offset, row in enumerate(rows) if option.line <= block.line + 1 + offset <= option.end]
    return any(row.strip() and not row.strip().startswith(("#", "--")) for row in lines)


def _ways(choice: Choice) -> str:
    return f"{choice.title}: " + " | ".join(option.label for option in choice.options)
