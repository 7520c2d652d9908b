"""A deployment's plan joined with its journal and its boxes, as a page shows it; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from releases.lifecycle.answers import SKIP
from releases.models import Attempt, ChecklistItem
from releases.plan import clock
from releases.plan.model import Plan, PlannedAction, PlannedStep
from releases.statuses import ItemState, Outcome

DONE, ACTIVE, BROKEN, WAITING, AHEAD = "done", "active", "broken", "waiting", "ahead"
CLOSED = (ItemState.TICKED, ItemState.WAIVED)


@dataclass(frozen=True, kw_only=True)
class Line:
    """An action of the plan and its attempts, the oldest first; `state` is the newest outcome, or `ahead`."""

    action: PlannedAction
    tries: tuple[Attempt, ...]

    @property
    def state(self) -> str:
        """The newest outcome in a word."""
        return (self.tries[-1].outcome or "open") if self.tries else AHEAD

    @property
    def seconds(self) -> float | None:
        """How long the newest attempt took."""
        return self.tries[-1].seconds if self.tries else None

    @property
    def wants_eyes(self) -> bool:
        """Unfolded from the start: it runs, or it did not go well."""
        return bool(self.tries) and not (self.tries[-1].outcome and Outcome(self.tries[-1].outcome).is_good)


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A step of the plan on the line of time; where the run keeps to a clock `due` is its time there.

    `is_timed`: it has begun, or is the next; then `late` says by how much.
    """

    step: PlannedStep
    lines: tuple[Line, ...]
    boxes: tuple[ChecklistItem, ...]
    due: datetime | None = None
    late: str = ""
    is_timed: bool = False

    @property
    def offset(self) -> str:
        """`T-15`, `T+5`; empty where the runbook says nothing."""
        minutes = self.step.offset_minutes
        return "" if minutes is None else _offset(minutes)

    @property
    def state(self) -> str:
        """Where this step stands: done, active, broken, waiting (for a box) or ahead."""
        states = [line.state for line in self.lines]
        if any(
            state not in (AHEAD, "open", Outcome.ABORTED) and not Outcome(state).is_good for state in states
        ):
            return BROKEN
        if "open" in states:
            return ACTIVE
        if any(box.state == ItemState.FAILED for box in self.boxes):
            return BROKEN
        if states and all(state != AHEAD for state in states):
            return WAITING if self.open_boxes else DONE
        if any(state != AHEAD for state in states):
            return ACTIVE
        return DONE if self.boxes and not self.lines and not self.open_boxes else AHEAD

    @property
    def began_at(self) -> datetime | None:
        """When its first attempt began."""
        return min((attempt.opened_at for line in self.lines for attempt in line.tries), default=None)

    @property
    def open_boxes(self) -> list[ChecklistItem]:
        """The required boxes that nobody has closed."""
        return [box for box in self.boxes if box.is_required and box.state not in CLOSED]


def stops(plan: Plan, attempts: Iterable[Attempt], boxes: Iterable[ChecklistItem]) -> list[Stop]:
    """The steps of a plan with what was tried and ticked, in the plan's order."""
    tries: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        tries.setdefault(attempt.action, []).append(attempt)
    rows = {box.key: box for box in boxes}
    return [_stop(step, tries, rows) for step in plan.steps]


def by_clock(found: Iterable[Stop], plan: Plan, zero: datetime, *, now: datetime | None) -> list[Stop]:
    """The same with their clock times, T-0 being `zero`, and how late each began, or the next one is `now`."""
    timed = []
    for stop in found:
        due, at = clock.starts_at(plan, stop.step, zero), stop.began_at
        if due and at is None and stop.state != DONE:
            at, now = now, None
        late = clock.late_words(clock.lateness(plan, stop.step, zero, at=at)) if at else ""
        timed.append(replace(stop, due=due, late=late, is_timed=bool(at and due)))
    return timed


def done_percent(found: Iterable[Stop]) -> int:
    """How much of the plan's actions went well, in whole percent."""
    lines = [line for stop in found for line in stop.lines]
    good = [line for line in lines if line.state in (Outcome.SUCCEEDED, Outcome.SKIPPED)]
    return round(100 * len(good) / len(lines)) if lines else 0


def _stop(step: PlannedStep, tries: Mapping[str, list[Attempt]], rows: Mapping[str, ChecklistItem]) -> Stop:
    actions = {action.key for action in step.actions}
    keys = [item.key for item in step.items] + [key for key in rows if key.rpartition(SKIP)[0] in actions]
    return Stop(
        step=step,
        lines=tuple(Line(action=each, tries=tuple(tries.get(each.key, ()))) for each in step.actions),
        boxes=tuple(rows[key] for key in keys if key in rows),
    )


def _offset(minutes: float) -> str:
    if minutes and minutes % 1440 == 0:
        return f"T{minutes / 1440:+g} d"
    if minutes and minutes % 60 == 0 and abs(minutes) > 60:
        return f"T{minutes / 60:+g} h"
    return f"T{minutes:+g}" if minutes else "T-0"
