"""A plan and its parts: what is shown, approved by its hash, frozen on the deployment, and run."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

BEFORE, ATTENDED, WATCH, END = "before", "attended", "watch", "end"
ATTENDED_MINUTES = 60.0
TRIGGER = "trigger"  # who "ticks" a reason to go back: a person pulls it
ASK = "-ask"  # ends the key of a box that a command waits for
BY_HAND = "-hand"  # ends the key of a box for a command that a person runs


@dataclass(frozen=True, kw_only=True)
class PlannedAction:
    """What a step does; `text` is the author's script, `changes` says whether the service is touched by it.

    `is_dangerous`: it bears danger marks that a second person accepted. Neighbours of one `group` run at the same time.
    """

    key: str
    kind: str
    title: str
    text: str = ""
    line: int = 0
    changes: bool = True
    expects: str = ""
    is_dangerous: bool = False
    group: str = ""
    options: dict[str, str] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """An option as a number of seconds."""
        return float(self.options.get(name, default))


@dataclass(frozen=True, kw_only=True)
class PlannedItem:
    """A box of a step and who or what ticks it.

    `before` is the key of an action that waits for it, `command` what a person runs by hand or agrees to, and of
    the boxes with one `choice` only one is ticked.
    """

    key: str
    text: str
    by: str
    by_name: str = ""
    scope: str = "deployment"
    required: bool = True
    claimed: bool = False
    heading: str = ""
    line: int = 0
    before: str = ""
    command: str = ""
    choice: str = ""

    @property
    def is_by_hand(self) -> bool:
        """It stands for something that a person does, not for something to look at."""
        return self.key.endswith(BY_HAND)


@dataclass(frozen=True, kw_only=True)
class PlannedTrigger:
    """A reason to act that no number measures: a person pulls it. `response`: roll_back | investigate."""

    key: str
    text: str
    response: str
    line: int


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """A part of the plan: in the fence and before it (`before`), within the hour after (`attended`), or later."""

    key: str
    title: str
    phase: str
    offset_minutes: float | None = None
    actions: tuple[PlannedAction, ...] = ()
    items: tuple[PlannedItem, ...] = ()
    automation: str = "auto"


@dataclass(frozen=True, kw_only=True)
class PlannedLimit:
    """A threshold with its source phrase; `metric` is empty when no metric of the environment measures it."""

    text: str
    metric: str
    op: str
    value: Decimal
    unit: str
    for_minutes: float
    role: str
    line: int


@dataclass(frozen=True, kw_only=True)
class PlannedMethod:
    """A way back: what it covers, what it promises, and its steps."""

    title: str
    covers: str
    promised_minutes: float | None
    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that will happen, and the way back, known before anyone approves."""

    service: str
    environment: str
    direction: str
    version: str
    commit: str
    previous_version: str
    previous_commit: str
    revision: str
    rollback_class: str
    time_scale: int
    steps: tuple[PlannedStep, ...]
    limits: tuple[PlannedLimit, ...] = ()
    methods: tuple[PlannedMethod, ...] = ()
    triggers: tuple[PlannedTrigger, ...] = ()
    trigger_rule: str = "any"
    variables: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def actions(self) -> tuple[PlannedAction, ...]:
        """All actions in order."""
        return tuple(action for step in self.steps for action in step.actions)

    @property
    def items(self) -> tuple[PlannedItem, ...]:
        """All boxes in order."""
        return tuple(item for step in self.steps for item in step.items)

    @property
    def target_commit(self) -> str:
        """The commit that runs when this plan is done."""
        return self.previous_commit if self.direction == "back" else self.commit

    @property
    def target_version(self) -> str:
        """The version that runs when this plan is done."""
        return self.previous_version if self.direction == "back" else self.version

    @property
    def last_offset(self) -> float:
        """Minutes after go-live of the last step; 0 when nothing comes after."""
        return max(
            (step.offset_minutes or 0.0 for step in self.steps if step.phase in (ATTENDED, WATCH)),
            default=0.0,
        )

    def step_of(self, action_key: str) -> PlannedStep:
        """The step that holds the action with that key; raises StopIteration for a foreign key."""
        return next(step for step in self.steps if any(action.key == action_key for action in step.actions))


def plan_hash(plan: Plan) -> str:
    """The sha256 (hex) of the plan: revision, commits, commands, flags, limits, variables' versions; no times."""
    return hashlib.sha256(json.dumps(to_json(plan), sort_keys=True).encode()).hexdigest()


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values."""
    return json.loads(json.dumps(asdict(plan), default=str))


def from_json(stored: dict[str, Any]) -> Plan:
    """The plan that `to_json` stored."""
    return Plan(
        **{
            **stored,
            "steps": tuple(_step(step) for step in stored["steps"]),
            "limits": tuple(
                PlannedLimit(**{**limit, "value": Decimal(limit["value"])}) for limit in stored["limits"]
            ),
            "methods": tuple(
                PlannedMethod(**{**method, "steps": tuple(_step(step) for step in method["steps"])})
                for method in stored["methods"]
            ),
            "triggers": tuple(PlannedTrigger(**trigger) for trigger in stored.get("triggers", ())),
            "problems": tuple(stored["problems"]),
            "notes": tuple(stored["notes"]),
        }
    )


def _step(stored: dict[str, Any]) -> PlannedStep:
    return PlannedStep(
        **{
            **stored,
            "actions": tuple(PlannedAction(**action) for action in stored["actions"]),
            "items": tuple(PlannedItem(**item) for item in stored["items"]),
        }
    )
