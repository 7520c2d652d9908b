"""What a runbook says, as values: the document that `reader.read` returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

GUIDE, CONFIRM, AUTO, SKIP = "guide", "confirm", "auto", "skip"
# How far a step is automated: a person does it and ticks; the command is shown and one key runs it; by itself;
# not at all, because it does not apply.
AUTOMATIONS = (GUIDE, CONFIRM, AUTO, SKIP)
RUNNABLE = ("shell", "sql", "http")  # kinds of blocks
RUN_ROLES = ("deployment_steps", "post_deployment", "rollback_procedure")  # where blocks are run


@dataclass(frozen=True, kw_only=True)
class Heading:
    """One heading; `role` is the stage it belongs to (see words.ROLES)."""

    text: str
    level: int
    role: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of a stage, in document order (`order` counts from 1 over all stages).

    `offset_minutes` is relative to the release (T-30 is -30.0), None when the document gives none;
    `path` holds the headings above it and its own; `key` names it together with what it would run, so a
    decision about it falls when its commands change. `automation` is one of AUTOMATIONS.
    """

    heading: str
    order: int
    offset_minutes: float | None
    duration_minutes: float | None
    line: int
    role: str
    level: int
    path: tuple[str, ...]
    key: str = ""
    automation: str = "guide"


@dataclass(frozen=True, kw_only=True)
class Item:
    """One box. `checked` is the author's claim; `required` is False where a release may end without it.

    `is_optional`: the text says it may not apply ("if applicable"). `choice` names the group of boxes of which
    one is picked ("None / Minor / Major"), "" for a box of its own. `command` is the script in its inline code,
    `runs` says whether a reviewer turned it on, `action` its typed action.
    """

    text: str
    checked: bool
    heading: str
    line: int
    path: tuple[str, ...]
    step: int | None
    by: str  # person | step | confirm | probe | threshold
    by_name: str  # the probe's or threshold's name, else ""
    scope: str  # release | deployment
    required: bool
    role: str
    key: str
    is_optional: bool = False
    choice: str = ""
    command: str = ""
    action: str = ""
    runs: bool = False


@dataclass(frozen=True, kw_only=True)
class Hole:
    """A placeholder in a command: its words, the line, and the variable that fills it (`NAME`, no dollar).

    A literal date in a way back is a hole, too: it is bound to this release's own backup.
    """

    words: str
    line: int
    variable: str


@dataclass(frozen=True, kw_only=True)
class Http:
    """A request that a block makes; $VARIABLES in it are still names. `body` is "" without one."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fence. `kind` says what it is, `action` what it does when it is wholly of one typed kind, else "".

    `host` is the user@host that the lines run on ("" = here), `http` the request when kind is http,
    `accepted` the ids of dangers that a second person accepted at review.
    """

    language: str
    text: str
    kind: str  # shell | sql | http | config | sample | message | snippet
    action: str  # "" | backup | restore | maintenance | drain | code | migrate | features | cache | restart
    line: int
    attributes: Mapping[str, str]
    expects: str | None
    step: int | None
    path: tuple[str, ...]
    role: str
    key: str
    script: str  # what would be run: the text without prompts and their output
    host: str = ""
    http: Http | None = None
    holes: tuple[Hole, ...] = ()
    dangers: tuple[str, ...] = ()  # ids of the danger marks in it
    accepted: tuple[str, ...] = ()

    @property
    def extent(self) -> range:
        """The lines of the fence, with those that open and close it."""
        return range(self.line, self.line + self.text.count("\n") + 2)


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A measurable limit. `role`: rollback_trigger | success | alert | monitor; times are minutes."""

    text: str
    metric: str
    op: str  # < <= > >= ==
    value: Decimal
    unit: str  # percent ms s minutes hours days KB MB GB MB/hour req/s x sigma count ...
    for_minutes: float | None
    window_minutes: float | None
    relative_to_baseline: bool
    role: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A reason to act that the rollback section names. `response`: roll_back | investigate.

    `measured` says that a threshold with this line judges it; one without a number is pulled by a person.
    """

    text: str
    line: int
    key: str
    response: str
    measured: bool


@dataclass(frozen=True, kw_only=True)
class Option:
    """One of several ways: the lines of the document that belong to it (`line` to `end`, both included)."""

    key: str
    label: str
    line: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Exactly one of the options is picked at review; the lines of the others do not apply."""

    key: str
    title: str
    line: int
    options: tuple[Option, ...]
    role: str
    picked: str = ""


@dataclass(frozen=True, kw_only=True)
class Passage:
    """What lines of the document belong to; together the passages cover every line that is not blank.

    kind: heading | item | text | table | fence | comment | rule | front_matter | html
    """

    line: int
    end: int
    kind: str
    role: str
    step: int | None


@dataclass(frozen=True, kw_only=True)
class SqlCheck:
    """A read-only query and what its answer should be, in the document's words."""

    sql: str
    expects: str | None
    line: int


@dataclass(frozen=True, kw_only=True)
class RolloutPhase:
    """One share of the traffic and how long it stays there, in the document's words."""

    percent: float
    bake: str | None


@dataclass(frozen=True, kw_only=True)
class RollbackMethod:
    """One way back: what it covers, how long it promises to take, the orders of its steps."""

    title: str
    covers: str  # FLAGS | CODE | RESTORE
    promised_minutes: float | None
    steps: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something a person should look at; `id` is stable, `line` counts from 1."""

    level: str  # error | warning | info
    message: str
    hint: str
    line: int
    id: str


@dataclass(frozen=True, kw_only=True)
class Document:
    """Everything read from one text; reading is deterministic, so it is read again rather than stored."""

    title: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    headings: tuple[Heading, ...] = ()
    steps: tuple[Step, ...] = ()
    items: tuple[Item, ...] = ()
    blocks: tuple[Block, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    env_vars: tuple[str, ...] = ()
    rollout_phases: tuple[RolloutPhase, ...] = ()
    rollback_methods: tuple[RollbackMethod, ...] = ()
    contacts: tuple[str, ...] = ()
    signoff_roles: tuple[str, ...] = ()
    sql_checks: tuple[SqlCheck, ...] = ()
    placeholders: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()  # variables that the blocks read and no block sets
    triggers: tuple[Trigger, ...] = ()
    trigger_rule: str = "any"  # any | all of the triggers take the release back
    choices: tuple[Choice, ...] = ()
    passages: tuple[Passage, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.level == "error")

    @property
    def judged(self) -> tuple[tuple[Trigger, Threshold | None], ...]:
        """Each trigger with the limit that judges it, None for one that a person pulls."""
        limits = {limit.line: limit for limit in self.thresholds}
        return tuple((each, limits.get(each.line) if each.measured else None) for each in self.triggers)

    def steps_of(self, role: str) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.role == role)

    def items_of(self, order: int) -> tuple[Item, ...]:
        """The boxes of the step with that order."""
        return tuple(item for item in self.items if item.step == order)

    def blocks_of(self, order: int) -> tuple[Block, ...]:
        """The fences of the step with that order."""
        return tuple(block for block in self.blocks if block.step == order)

    def to_json(self) -> dict[str, Any]:
        """The document with the fixed keys of `import_runbook --format json`.

        `steps` are those of the deployment itself; every other stage stands among the headings.
        `placeholders` holds the variables a block needs, too, as `$NAME`.
        """
        return {
            "title": self.title,
            "metadata": dict(self.metadata),
            "headings": [_pick(h, "text", "level", "role", "line") for h in self.headings],
            "steps": [_pick(s, *STEP_KEYS) for s in self.steps if s.role == "deployment_steps"],
            "items": [_pick(i, "text", "checked", "heading", "line") for i in self.items],
            "blocks": [_pick(b, "language", "text", "kind", "line") for b in self.blocks],
            "thresholds": [_pick(t, *THRESHOLD_KEYS) for t in self.thresholds],
            "env_vars": list(self.env_vars),
            "rollout_phases": [_pick(p, "percent", "bake") for p in self.rollout_phases],
            "contacts": list(self.contacts),
            "signoff_roles": list(self.signoff_roles),
            "sql_checks": [_pick(c, "sql", "expects", "line") for c in self.sql_checks],
            "placeholders": [*self.placeholders, *(f"${name}" for name in self.variables)],
            "problems": [_pick(p, "id", "level", "message", "hint", "line") for p in self.problems],
        }


STEP_KEYS = ("heading", "order", "offset_minutes", "duration_minutes", "line")
THRESHOLD_KEYS = (
    "text",
    "metric",
    "op",
    "value",
    "unit",
    "for_minutes",
    "window_minutes",
    "relative_to_baseline",
    "role",
    "line",
)


def _pick(value: object, *keys: str) -> dict[str, Any]:
    return {key: _plain(getattr(value, key)) for key in keys}


def _plain(value: Any) -> Any:
    """JSON has one kind of number: whole decimals and floats become ints."""
    if isinstance(value, Decimal | float) and not isinstance(value, bool):
        return int(value) if value == int(value) else float(value)
    return value
