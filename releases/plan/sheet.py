"""The run sheet of a runbook as a value: who does what and when, before anything is registered."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

PERSON, KEY, ITSELF = "person", "one key", "itself"
BOX, HAND, SHOWN = "box", "by hand", "shown"  # what a row is, besides the kinds of actions
DANGER, DECIDE, NOTE = "danger", "decide", "note"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something to look at before it runs. `kind`: danger | decide | note; `id` names the sort of matter."""

    kind: str
    id: str
    text: str
    lines: tuple[int, ...]
    hint: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the sheet: a box, or something that is run. `who`: person | one key | itself, "" for what is shown.

    `what` is the action's kind, "box", "by hand" or "shown"; `more` counts the commands after the first one.
    """

    what: str
    text: str
    who: str
    line: int
    more: int = 0
    expects: str = ""
    offers: str = ""  # a command in a box that a reviewer may turn on
    is_claimed: bool = False
    is_optional: bool = False
    choice: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Part:
    """A step with its expected times; `level` is how far it is automated."""

    title: str
    line: int
    level: str
    rows: tuple[Row, ...]
    offset_minutes: float | None = None
    duration_minutes: float | None = None
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Times:
    """When the whole begins, is live and is watched no longer; None where the runbook does not say."""

    zero: datetime
    is_by_offsets: bool  # `zero` is the T-0 of the runbook, else the beginning of its first step
    begins: datetime | None
    live: datetime | None
    ends: datetime | None
    minutes: float | None  # from the first step to go-live, or the sum of what the steps say
    untimed: int  # steps of the release without a time or a duration


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A reason to act; `metric` measures it, a person pulls one without. `response`: roll_back | investigate."""

    text: str
    line: int
    response: str
    metric: str = ""
    is_relative: bool = False


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way back: what it covers (FLAGS, CODE, RESTORE), the minutes it promises, what is done."""

    title: str
    covers: str
    minutes: float | None
    parts: tuple[Part, ...]


@dataclass(frozen=True, kw_only=True)
class Aside:
    """A stage that is only shown: how many parts, boxes and commands, and its first line."""

    role: str
    parts: int
    boxes: int
    commands: int
    line: int


@dataclass(frozen=True, kw_only=True)
class Unplaced:
    """Lines below a heading whose wording says nothing of what they are for; they are shown, never run."""

    heading: str
    line: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Counts:
    """The closing line: lines of the text and how many are understood, what runs, who ticks, what is open."""

    lines: int
    understood: int
    actions: int
    actions_back: int
    boxes: int
    to_decide: int


@dataclass(frozen=True, kw_only=True)
class RunSheet:
    """Everything a release manager wants to see of a runbook on one sheet."""

    title: str
    facts: Mapping[str, str]
    times: Times
    before: tuple[Part, ...]
    release: tuple[Part, ...]
    after: tuple[Part, ...]
    at_the_end: tuple[Part, ...]
    reasons: tuple[Reason, ...]
    rule: str
    ways: tuple[Way, ...]
    phases: tuple[tuple[float, str], ...]
    watched: tuple[str, ...]
    variables: tuple[str, ...]
    contacts: tuple[str, ...]
    signoffs: tuple[str, ...]
    asides: tuple[Aside, ...]
    unplaced: tuple[Unplaced, ...]
    open: tuple[Mark, ...]
    notes: tuple[Mark, ...]
    counts: Counts = field(repr=False)

    def to_json(self) -> dict[str, Any]:
        """The sheet as plain values; moments in ISO 8601."""
        return json.loads(json.dumps(asdict(self), default=datetime.isoformat))
