"""What a step would run, in its key and in how far it is automated at first."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace

from .document import CONFIRM, GUIDE, RUNNABLE, Block, Choice, Item, Step
from .keys import Keys, exact

# What a fence's attributes say about how careful its command is run.
HEEDED = ("confirm", "on_fail", "probe", "database")
ROLLING = ("batch", "health")


def completed(
    steps: Iterable[Step], blocks: Iterable[Block], choices: Sequence[Choice], items: Iterable[Item]
) -> tuple[Step, ...]:
    """The steps with their keys, which change with what they run and how, and their first automation."""
    own, open_lines = runnable(blocks), lines_of(choices)
    inline: dict[int | None, list[str]] = defaultdict(list)
    for item in items:
        if item.command:
            inline[item.step].append(item.command)
    keys = Keys()
    found = []
    for step in steps:
        runs = own.get(step.order, [])
        name = exact(step.path, *(terms(block) for block in runs), *inline.get(step.order, []))
        automation = default_automation(runs, open_lines)
        found.append(replace(step, key=keys.named(name), automation=automation))
    return tuple(found)


def terms(block: Block) -> str:
    """All that a decision about a command stands on: what is run, where, what has to come of it, with which care."""
    heeded = [block.attributes.get(name, "") for name in HEEDED]
    heeded += [f"{name}={block.attributes[name]}" for name in ROLLING if name in block.attributes]
    return exact(block.kind, block.host, block.script, block.expects or "", *heeded)


def runnable(blocks: Iterable[Block]) -> dict[int | None, list[Block]]:
    """The blocks that can be run, by the order of their step."""
    found: dict[int | None, list[Block]] = defaultdict(list)
    for block in blocks:
        if block.kind in RUNNABLE:
            found[block.step].append(block)
    return found


def lines_of(choices: Iterable[Choice]) -> frozenset[int]:
    """The lines of ways of which none was picked yet."""
    ways = (option for choice in choices if not choice.picked for option in choice.options)
    return frozenset(line for option in ways for line in range(option.line, option.end + 1))


def default_automation(own: Sequence[Block], open_lines: Set[int]) -> str:
    """Where a step with these commands begins: guide where there is none or one must be looked at first, else
    confirm."""
    if not own or any(block.host or set(block.dangers) - set(block.accepted) for block in own):
        return GUIDE
    if any(not open_lines.isdisjoint(block.extent) for block in own):
        return GUIDE
    return CONFIRM


def holder(steps: Sequence[Step], line: int) -> int:
    """The order of the step that a line stands in, the last that begins at or above it; 0 before the first."""
    place = bisect_right(steps, line, key=lambda step: step.line)
    return steps[place - 1].order if place else 0
