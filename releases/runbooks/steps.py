"""What a step would run, in its key and in how far it is automated at first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from .document import CONFIRM, GUIDE, RUNNABLE, Block, Choice, Option, Step
from .keys import digest


def completed(steps: Iterable[Step], blocks: Sequence[Block], choices: Sequence[Choice]) -> tuple[Step, ...]:
    """The steps with their keys, which change with what they run, and their first automation."""
    own: dict[int | None, list[Block]] = {}
    for block in blocks:
        if block.kind in RUNNABLE:
            own.setdefault(block.step, []).append(block)
    seen: Counter[str] = Counter()
    found = []
    for step in steps:
        runs = own.get(step.order, [])
        name = "\n".join([*step.path, *(block.script for block in runs)])
        seen[name] += 1
        key = digest(name if seen[name] == 1 else f"{name}\n#{seen[name]}")
        found.append(replace(step, key=key, automation=default_automation(step, runs, choices)))
    return tuple(found)


def default_automation(step: Step, blocks: Iterable[Block], choices: Iterable[Choice]) -> str:
    """Where a step begins: guide where nothing can be run or something must be looked at first, else confirm."""
    own = [block for block in blocks if block.step == step.order and block.kind in RUNNABLE]
    if not own or any(block.host or set(block.dangers) - set(block.accepted) for block in own):
        return GUIDE
    open_lines = [option for choice in choices if not choice.picked for option in choice.options]
    if any(_overlaps(option, block) for option in open_lines for block in own):
        return GUIDE
    return CONFIRM


def _overlaps(option: Option, block: Block) -> bool:
    return option.line <= block.line + block.text.count("\n") + 1 and option.end >= block.line
