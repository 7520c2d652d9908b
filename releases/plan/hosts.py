"""A block that runs on several hosts: an action a host, in sequence or in batches with a look between; pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from releases.plan.model import PlannedAction, PlannedItem, PlannedStep

HOST, HOSTS, BATCH, HEALTH, SET = "host", "hosts", "batch", "health", "set"
READY = "ready"
LONGEST_KEY = 80
UNFIT = re.compile(r"[^A-Za-z0-9@._+-]")  # keys are names of files, too
BATCH_SIZE = re.compile(r"(?P<count>[1-9]\d{0,3})|(?P<percent>[1-9]\d?|100)%")


def expanded(steps: Iterable[PlannedStep], hosts: Sequence[str]) -> tuple[PlannedStep, ...]:
    """The steps with an action for each host that a block names; what waits for the block waits for the first."""
    return tuple(_step(step, hosts) for step in steps)


def named(words: str, hosts: Sequence[str]) -> tuple[list[str], list[str]]:
    """The hosts that `words` (web1,web2 or web*) name, each once, and the words that name none."""
    found: dict[str, None] = {}
    missing = []
    for word in filter(None, (each.strip() for each in words.split(","))):
        matched = [word] if word in hosts else sorted(name for name in hosts if fnmatchcase(name, word))
        found |= dict.fromkeys(matched)
        missing += [] if matched else [word]
    return list(found), missing


def batch_size(batch: str, count: int) -> int:
    """How many of `count` hosts at a time: a number, or a share rounded down, at least one; "" is one."""
    found = BATCH_SIZE.fullmatch(batch or "1")
    if not found:
        return 1
    return int(found["count"]) if found["count"] else max(1, count * int(found["percent"]) // 100)


def is_rolling(batch: str, count: int) -> bool:
    """Is there a second batch, and so a look before it?"""
    return bool(batch) and batch_size(batch, count) < count


def _step(step: PlannedStep, hosts: Sequence[str]) -> PlannedStep:
    sets = {action.key: _on_each(action, hosts) for action in step.actions}
    if all(len(actions) == 1 for actions in sets.values()):
        return replace(step, actions=tuple(actions[0] for actions in sets.values()))
    first = {key: actions[0].key for key, actions in sets.items()}
    last = {key: actions[-1].key for key, actions in sets.items()}
    return replace(
        step,
        actions=tuple(action for actions in sets.values() for action in actions),
        items=tuple(_item(item, first, last) for item in step.items),
    )


def _item(item: PlannedItem, first: Mapping[str, str], last: Mapping[str, str]) -> PlannedItem:
    """A box stands before the first host, and is ticked by what the last one did."""
    by_name = last.get(item.by_name, item.by_name) if item.by == "step" else item.by_name
    return replace(item, before=first.get(item.before, item.before), by_name=by_name)


def _on_each(action: PlannedAction, hosts: Sequence[str]) -> list[PlannedAction]:
    """The action as it is where it names no host that there is; such a plan is held."""
    names, _ = named(action.options.get(HOSTS, ""), hosts)
    if not names:
        return [action]
    batch, health = action.options.get(BATCH, ""), action.options.get(HEALTH, "")
    size = batch_size(batch, len(names))
    batches = [names[start : start + size] for start in range(0, len(names), size)]
    found: list[PlannedAction] = []
    for number, own in enumerate(batches, start=1):
        group = f"{action.key}#{number}" if batch and len(own) > 1 else ""
        found += [_on(action, name, names, group) for name in own]
        if batch and number < len(batches):
            found.append(_look(action, number, len(batches), health))
    return found


def _on(action: PlannedAction, name: str, names: Sequence[str], group: str) -> PlannedAction:
    kept = {key: value for key, value in action.options.items() if key not in (HOSTS, BATCH, HEALTH)}
    # Until the last one is done, others of the set still run what they ran.
    of_set = {SET: action.key if name == names[-1] else ""} if len(names) > 1 else {}
    return replace(
        action,
        key=_key(action.key, name),
        title=f"{action.title} on {name}",
        group=group,
        options={**kept, HOST: name, **of_set},
    )


def _look(action: PlannedAction, number: int, count: int, health: str) -> PlannedAction:
    return PlannedAction(
        key=f"{action.key}#{number}-{READY}",
        kind=READY,
        title=f"Health after batch {number} of {count}",
        line=action.line,
        changes=False,
        options={HEALTH: health} if health else {},
    )


def _key(key: str, name: str) -> str:
    """KEY@NAME; a name that is long or holds other signs than a file's name is told apart by a digest."""
    plain = UNFIT.sub("_", name)
    room = LONGEST_KEY - len(key) - 1
    if plain == name and len(name) <= room:
        return f"{key}@{name}"
    return f"{key}@{plain[: room - 9]}~{hashlib.sha256(name.encode()).hexdigest()[:8]}"
