"""What comes next: a pure answer from the plan, the attempts and the boxes."""

from collections.abc import Mapping
from dataclasses import dataclass

from releases.plan.model import ATTENDED, BEFORE, Plan, PlannedAction, PlannedItem, PlannedStep
from releases.statuses import ItemState, Outcome


@dataclass(frozen=True, kw_only=True)
class Perform:
    """Run these actions of this step, at the same time if they are several."""

    step: PlannedStep
    actions: tuple[PlannedAction, ...]


@dataclass(frozen=True, kw_only=True)
class Tick:
    """Judge these boxes (probe, threshold, or step without an action left): their step is done."""

    step: PlannedStep
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, kw_only=True)
class AwaitPeople:
    """These boxes wait for a person before the run may go on."""

    step: PlannedStep
    items: tuple[PlannedItem, ...]


@dataclass(frozen=True, kw_only=True)
class AwaitTime:
    """Nothing to do until `offset_minutes` after go-live; before it, where the run keeps to a clock, around T-0."""

    step: PlannedStep
    offset_minutes: float


@dataclass(frozen=True, kw_only=True)
class Broken:
    """The last attempt at this action did not succeed."""

    step: PlannedStep
    action: PlannedAction
    outcome: str


@dataclass(frozen=True, kw_only=True)
class GoLive:
    """All before go-live is done."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """Nothing is left to do."""


MECHANICAL = ("step", "probe", "threshold")
Next = Perform | Tick | AwaitPeople | AwaitTime | Broken | GoLive | Finished


@dataclass(frozen=True, kw_only=True)
class Journal:
    """The newest outcome of each action, the state of each box, and minutes since go-live (None: not live).

    `minutes_of_clock`: minutes since T-0, negative before it, where the run keeps to a clock.
    """

    outcomes: Mapping[str, str]
    items: Mapping[str, str]
    minutes_live: float | None = None
    minutes_of_clock: float | None = None


def next_move(plan: Plan, journal: Journal) -> Next:
    """What the run does now. Deterministic: a resumed run asks the same question of the same rows."""
    for step in plan.steps:
        if step.phase != BEFORE and journal.minutes_live is None:
            return GoLive()
        if _is_early(step, journal):
            return AwaitTime(step=step, offset_minutes=step.offset_minutes or 0.0)
        move = _within(step, journal)
        # Once users are served what waits for a person must not stop the checks that come after it.
        if move and not (isinstance(move, AwaitPeople) and step.phase != BEFORE):
            return move
    if plan.direction == "forward" and journal.minutes_live is None:
        return GoLive()
    return _outstanding(plan, journal) or Finished()


def _is_early(step: PlannedStep, journal: Journal) -> bool:
    if step.phase != BEFORE:
        return (step.offset_minutes or 0.0) > (journal.minutes_live or 0.0)
    if journal.minutes_of_clock is None or step.offset_minutes is None or _is_begun(step, journal):
        return False
    return step.offset_minutes > journal.minutes_of_clock


def _is_begun(step: PlannedStep, journal: Journal) -> bool:
    return any(action.key in journal.outcomes for action in step.actions)


def _within(step: PlannedStep, journal: Journal) -> Next | None:
    for action in step.actions:
        outcome = journal.outcomes.get(action.key)
        if outcome is None or outcome == Outcome.ABORTED:
            agreements = tuple(item for item in _unsettled(step, journal) if item.before == action.key)
            if agreements:
                return AwaitPeople(step=step, items=agreements)
            return Perform(step=step, actions=_together(step, action, journal))
        if not Outcome(outcome).is_good:
            return Broken(step=step, action=action, outcome=outcome)
    mechanical = tuple(item for item in _open(step, journal) if item.by in MECHANICAL)
    if mechanical:
        return Tick(step=step, items=mechanical)
    people = _unsettled(step, journal)
    return AwaitPeople(step=step, items=people) if people else None


def _together(step: PlannedStep, first: PlannedAction, journal: Journal) -> tuple[PlannedAction, ...]:
    """The action, or what is left of its group."""
    if not first.group:
        return (first,)
    undone = (None, Outcome.ABORTED)
    return tuple(
        action
        for action in step.actions
        if action.group == first.group and journal.outcomes.get(action.key) in undone
    )


def _outstanding(plan: Plan, journal: Journal) -> AwaitPeople | None:
    for step in plan.steps:
        people = _unsettled(step, journal)
        if people:
            return AwaitPeople(step=step, items=people)
    return None


def _open(step: PlannedStep, journal: Journal) -> list[PlannedItem]:
    return [item for item in step.items if journal.items.get(item.key) == ItemState.OPEN]


def _unsettled(step: PlannedStep, journal: Journal) -> tuple[PlannedItem, ...]:
    """The required boxes of a step that are open or failed."""
    unsettled = (ItemState.OPEN, ItemState.FAILED)
    return tuple(item for item in step.items if item.required and journal.items.get(item.key) in unsettled)


def is_attended(move: Next) -> bool:
    """Does this move belong to the window in which somebody sits beside the run?"""
    step = getattr(move, "step", None)
    return step is None or step.phase in (BEFORE, ATTENDED)
