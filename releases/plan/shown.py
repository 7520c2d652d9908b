"""What a dry run shows of a plan, for people and programs: each command as it will run, and what is known beside it.

Pure. What is shown is the plan that is hashed, approved and run; what stands beside it is in no hash.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from checks.secrets import mask, masked
from releases.plan.clock import starts_at
from releases.plan.model import (
    BEFORE,
    Plan,
    PlannedAction,
    PlannedItem,
    PlannedLimit,
    PlannedMethod,
    PlannedStep,
)
from releases.plan.substitution import ALL, filled, names_set, substituted
from releases.repository import Changes, Commit, Pin
from releases.runbooks.filling import bound
from releases.runbooks.typed import dump_variables
from releases.shell.ssh import HERE

WIDTH = 100
MOST_LINES, FIRST_LINES, LAST_LINES = 12, 8, 4
HOST = "host"
WHO = {
    "person": "a person",
    "confirm": "a person confirms",
    "step": "the step",
    "probe": "probe",
    "threshold": "threshold",
    "trigger": "a person pulls it",
}
# What Gantry does itself, whatever command the author wrote there.
OWN = {
    "preflight": "Gantry looks at code, service, databases, disk and probes",
    "backup": "Gantry copies every database of the environment, and reads each copy back",
    "restore": "Gantry stops the service by its own command, and puts the newest copies in place",
}
# What such a step sets for those that follow.
BACKUP_FILE = "BACKUP_FILE"


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is told beside a plan.

    `variables`: those known before the run, secrets masked already; `hidden`: what is masked wherever it stands;
    `scripts`: by action key what runs in place of the author's text; `seconds`: by action key what it takes, `whole`:
    until users meet it, the median of `runs`; `signed`: who signed and who has to; `zero`: T-0, by the clock.
    """

    variables: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    whole: float | None = None
    runs: int = 0
    changes: Changes = field(default_factory=Changes)
    signed: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    holds: tuple[str, ...] = ()
    zero: datetime | None = None


# --- for people ------------------------------------------------------------------------------------------


def plan_lines(plan: Plan, digest: str, beside: Beside | None = None) -> Iterator[str]:
    """The plan as it will run, a line each, with what is known beside it; nothing secret is in them."""
    told = beside or Beside()
    lines = list(_lines(plan, digest, told))
    # One text, for a secret may go on over several lines.
    yield from mask("\n".join(lines), told.hidden).split("\n")


def _lines(plan: Plan, digest: str, told: Beside) -> Iterator[str]:
    yield from _head(plan, digest, told)
    yield from _between(told.changes)
    texts = commands_of(plan, told)
    for step in plan.steps:
        if step.actions or any(item.scope != "release" for item in step.items):
            yield from _step_lines(plan, step, texts, told)
    for limit in plan.limits:
        yield from _row("watched", _limit_words(limit))
    for method in plan.methods:
        yield from _way_lines(method)
    for trigger in plan.triggers:
        words = trigger.response.replace("_", " ")
        yield from _row("by hand", f"{trigger.text} (line {trigger.line}: {words})")
    for label, rows in (
        ("offered", told.offers),
        ("note", plan.notes),
        ("PROBLEM", plan.problems),
        ("signed", told.signed),
        ("HOLDS", told.holds),
    ):
        for row in rows:
            yield f"  {label:<9} {row}"


def _head(plan: Plan, digest: str, told: Beside) -> Iterator[str]:
    scale = f"; demo clock, {plan.time_scale} × faster" if plan.time_scale != 1 else ""
    yield f"Plan {digest[:12]}: {plan.service} {plan.previous_version} → {plan.version} in {plan.environment}{scale}"
    expected = (
        f", {_until(plan)} in {span(told.whole)} ({_count(told.runs, 'run')} before)" if told.whole else ""
    )
    yield (
        f"  commit {plan.previous_commit[:10]} → {plan.commit[:10]}, rollback class {plan.rollback_class}"
        f"{', the way back' if plan.direction == 'back' else ''}{expected}"
    )
    if told.zero:
        yield f"  T-0 is {told.zero:%a %d %b %Y %H:%M %Z}"


def _until(plan: Plan) -> str:
    return "done" if plan.direction == "back" else "live"


def _between(changes: Changes) -> Iterator[str]:
    """The commits, migrations and dependencies between what runs and what comes."""
    yield from _commit_lines(changes.commits, changes.more, "new commit")
    yield from _commit_lines(changes.gone, changes.more_gone, "commit", " taken away")
    if changes.migrations:
        yield f"  {_count(len(changes.migrations), 'migration')}"
        yield from (f"    {path}" for path in changes.migrations)
    if changes.pins or changes.files:
        yield "  dependencies"
        yield from (f"    {_pin_words(pin)}" for pin in changes.pins)
        yield from (f"    {path} differs" for path in changes.files)


def _commit_lines(commits: tuple[Commit, ...], more: int, word: str, which: str = "") -> Iterator[str]:
    if not commits:
        return
    yield f"  {_count(len(commits) + more, word)}{which}"
    for commit in commits:
        subject = textwrap.shorten(commit.subject, WIDTH - 40, placeholder=" …")
        yield f"    {commit.id}  {subject}  ({commit.author})"
    if more:
        yield f"    … and {more} more"


def _pin_words(pin: Pin) -> str:
    if not pin.before:
        return f"+ {pin.name} {pin.after} ({pin.file})"
    if not pin.after:
        return f"- {pin.name} {pin.before} ({pin.file})"
    return f"{pin.name} {pin.before} → {pin.after} ({pin.file})"


def _step_lines(plan: Plan, step: PlannedStep, texts: Mapping[str, str], told: Beside) -> Iterator[str]:
    level = "" if step.automation == "auto" else f"  [{step.automation}]"
    start = starts_at(plan, step, told.zero) if told.zero else None
    at = f", {start:%H:%M}" if start else ""
    yield f"  {offset_words(step):>8}  {step.title}{level}{at}"
    for action in step.actions:
        yield from _action_lines(action, step, texts[action.key], told)
    for item in step.items:
        if item.required and item.scope == "deployment":
            yield from _wrapped(f"[ ] {item.text} ({who(item)})", " " * 12)


def _action_lines(action: PlannedAction, step: PlannedStep, text: str, told: Beside) -> Iterator[str]:
    """One line where the command is one, else the whole script below what is said of it."""
    rows = text.split("\n") if text else []
    title = OWN.get(action.kind) or (action.title if action.title not in action.text or not rows else "")
    if not title and len(rows) == 1:
        title = rows.pop()
    yield f"            - {action.kind}{': ' if title else ''}{title}{_facts(action, step, told)}"
    yield from (f"                {row}" for row in _cut(rows))
    if action.expects:
        yield from _wrapped(f"expects {action.expects}", " " * 14)


def _cut(rows: list[str]) -> list[str]:
    """A long script's beginning and end."""
    if len(rows) <= MOST_LINES:
        return rows
    between = len(rows) - FIRST_LINES - LAST_LINES
    return [*rows[:FIRST_LINES], f"… {between} more lines", *rows[-LAST_LINES:]]


def _facts(action: PlannedAction, step: PlannedStep, told: Beside) -> str:
    """Where, with how many others, whether it changes something, and how long it takes."""
    seconds = told.seconds.get(action.key)
    together = sum(bool(each.group) and each.group == action.group for each in step.actions)
    facts = [
        f"on {action.options[HOST]}" if HOST in action.options else "",
        f"{together} at a time" if together > 1 else "",
        "only looks" if step.phase == BEFORE and not action.changes else "",
        "DANGEROUS" if action.is_dangerous else "",
        (f"~{span(seconds)}" if seconds is not None else "no history") if told.seconds else "",
    ]
    said = ", ".join(filter(None, facts))
    return f"  ({said})" if said else ""


def _way_lines(method: PlannedMethod) -> Iterator[str]:
    promised = f", promised {method.promised_minutes:g} min" if method.promised_minutes else ""
    yield f"  way back  {method.title} ({method.covers}{promised})"
    for step in method.steps:
        for action in step.actions:
            yield f"            - {action.kind}: {action.title}"


def _limit_words(limit: PlannedLimit) -> str:
    by = f"read by {limit.metric}" if limit.metric else "a person watches it"
    return f"{limit.text} (line {limit.line}: {limit.role.replace('_', ' ')}, {by})"


def _row(label: str, words: str) -> Iterator[str]:
    first, *rest = textwrap.wrap(words, WIDTH - 12, break_long_words=False, break_on_hyphens=False) or [""]
    yield f"  {label:<9} {first}"
    yield from (f"{'':12}{row}" for row in rest)


def _wrapped(words: str, indent: str) -> list[str]:
    return textwrap.wrap(
        words,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )


# --- for programs --------------------------------------------------------------------------------------------


def shown_json(plan: Plan, digest: str, beside: Beside | None = None) -> dict[str, Any]:
    """The same as an object; nothing secret is in it. Moments in ISO 8601, seconds as numbers."""
    told = beside or Beside()
    texts = commands_of(plan, told)
    found = {
        "plan_hash": digest,
        "service": plan.service,
        "environment": plan.environment,
        "direction": plan.direction,
        "from": {"version": plan.previous_version, "commit": plan.previous_commit},
        "to": {"version": plan.version, "commit": plan.commit},
        "revision": plan.revision,
        "rollback_class": plan.rollback_class,
        "time_scale": plan.time_scale,
        "t_0": told.zero.isoformat() if told.zero else None,
        "expected_seconds": told.whole,
        "expected_from_runs": told.runs,
        "changes": asdict(told.changes),
        "steps": [_step_json(plan, step, texts, told) for step in plan.steps],
        "limits": [{**asdict(limit), "value": str(limit.value)} for limit in plan.limits],
        "ways_back": [_way_json(plan, method, told) for method in plan.methods],
        "triggers": [asdict(trigger) for trigger in plan.triggers],
        "offered": told.offers,
        "notes": plan.notes,
        "problems": plan.problems,
        "signed": told.signed,
        "holds": told.holds,
    }
    return masked(found, told.hidden)


def _step_json(plan: Plan, step: PlannedStep, texts: Mapping[str, str], told: Beside) -> dict[str, Any]:
    start = starts_at(plan, step, told.zero) if told.zero else None
    return {
        "title": step.title,
        "phase": step.phase,
        "offset_minutes": step.offset_minutes,
        "starts_at": start.isoformat() if start else None,
        "level": step.automation,
        "actions": [
            {
                "key": action.key,
                "kind": action.kind,
                "title": action.title,
                "command": texts[action.key],
                "host": action.options.get(HOST, ""),
                "group": action.group,
                "changes": action.changes,
                "is_dangerous": action.is_dangerous,
                "expects": action.expects,
                "expected_seconds": told.seconds.get(action.key),
            }
            for action in step.actions
        ],
        "boxes": [
            {
                "text": item.text,
                "by": item.by,
                "scope": item.scope,
                "required": item.required,
                "line": item.line,
            }
            for item in step.items
        ],
    }


def _way_json(plan: Plan, method: PlannedMethod, told: Beside) -> dict[str, Any]:
    texts = _texts((action for step in method.steps for action in step.actions), told)
    return {
        "title": method.title,
        "covers": method.covers,
        "promised_minutes": method.promised_minutes,
        "steps": [_step_json(plan, step, texts, told) for step in method.steps],
    }


# --- commands ---------------------------------------------------------------------------------------------------


def commands_of(plan: Plan, told: Beside) -> dict[str, str]:
    """By action key the command after substitution; "" where Gantry does it itself, or only looks.

    What an earlier command may have set is not known before the run, and stays as it is written.
    """
    return _texts(plan.actions, told)


def _texts(actions: Iterable[PlannedAction], told: Beside) -> dict[str, str]:
    found: dict[str, str] = {}
    unknown: frozenset[str] = frozenset()
    for action in actions:
        found[action.key] = _text(action, unknown, told)
        unknown |= names_set(action.text)
        if action.kind == "backup":
            unknown |= {BACKUP_FILE, *dump_variables(action.text)}
    return found


def _text(action: PlannedAction, unknown: frozenset[str], told: Beside) -> str:
    if action.kind in OWN:
        return f"in place of: {action.text.strip()}" if action.text.strip() else ""
    if action.kind == "sql":
        return _query(action.text, told.variables)
    known = {} if unknown >= ALL else {n: v for n, v in told.variables.items() if n not in unknown}
    if action.kind == "http" and HOST not in action.options:
        return _request(action, known)
    if HOST in action.options:
        known = {name: value for name, value in known.items() if name not in HERE}
    script = told.scripts.get(action.key, action.text).strip("\n")
    return substituted(script, known, unknown=names_set(script))


def _query(text: str, variables: Mapping[str, str]) -> str:
    class Known(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return f"${name}"

    return bound(text.strip("\n"), Known(variables))


def _request(action: PlannedAction, known: Mapping[str, str]) -> str:
    """The request line, its headers and its body."""
    options = action.options
    headers = [f"{name}: {value}" for name, value in json.loads(options.get("headers") or "[]")]
    rows = [f"{options.get('method', 'GET').upper()} {options.get('url', '')}", *headers]
    return filled("\n".join([*rows, *filter(None, [options.get("body", "")])]), known)


# --- words -----------------------------------------------------------------------------------------------------


def who(item: PlannedItem) -> str:
    """Who or what ticks a box: "a person", "probe traffic"."""
    return f"{WHO.get(item.by, item.by)} {item.by_name}".strip()


def offset_words(step: PlannedStep) -> str:
    """`T-10`, `T+0`; "" for a step without a time."""
    return "" if step.offset_minutes is None else f"T{step.offset_minutes:+g}"


def span(seconds: float) -> str:
    """How long, in two words at most: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller, small in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
