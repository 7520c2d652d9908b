"""Clock times of a plan's steps, from offsets and durations; what the runbook does not say stays open."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from releases.plan.model import BEFORE, PlannedStep
from releases.runbooks.document import Step


@dataclass(frozen=True, kw_only=True)
class Slot:
    """When a step is expected to begin and to end; None where nobody can tell."""

    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Timetable:
    """A slot a step (by its key), and when users meet the new version."""

    slots: Mapping[str, Slot]
    live: datetime | None
    is_by_offsets: bool  # T-0 is the runbook's own; else it is the beginning of the first step


def timetable(planned: Iterable[PlannedStep], steps: Mapping[str, Step], *, zero: datetime) -> Timetable:
    """The expected times of the plan's steps. `steps` holds the document's step for the key of a planned one.

    With T-offsets in the steps before go-live `zero` is their T-0, else the beginning of the first of them.
    """
    first, later = _halves(planned, steps)
    by_offsets = any(step.offset_minutes is not None for step in first)
    slots: dict[str, Slot] = {}
    cursor = None if by_offsets else zero
    for step in first:
        offset = step.offset_minutes if by_offsets else None
        at = cursor if offset is None else plus(zero, offset)
        length = steps[step.key].duration_minutes
        cursor = plus(at, length) if at and length else None
        slots[step.key] = Slot(at=at, until=cursor)
    last = slots[first[-1].key] if first else Slot(until=zero)
    live = last.until or (last.at if by_offsets else None)
    origin = zero if by_offsets else live
    for step in later:
        slots[step.key] = _slot(step.offset_minutes, steps[step.key].duration_minutes, origin)
    return Timetable(slots=slots, live=live, is_by_offsets=by_offsets)


def plus(moment: datetime, minutes: float) -> datetime | None:
    """That many real minutes later on the same clock, whatever summer time does; None beyond the calendar."""
    try:
        later = moment.astimezone(UTC) + timedelta(minutes=minutes)
        return later.astimezone(moment.tzinfo)
    except OverflowError:
        return None


def _halves(
    planned: Iterable[PlannedStep], steps: Mapping[str, Step]
) -> tuple[list[PlannedStep], list[PlannedStep]]:
    """The deployment's steps up to go-live, and everything that has a time of its own."""
    known = [step for step in planned if step.key in steps]
    first = [step for step in known if step.phase == BEFORE and is_forward(steps[step.key])]
    return first, [step for step in known if step not in first]


def is_forward(step: Step) -> bool:
    """Is it a part of the deployment itself, not of its preparation?"""
    return step.role in ("deployment_steps", "post_deployment")


def _slot(offset: float | None, length: float | None, origin: datetime | None) -> Slot:
    if offset is None or origin is None:
        return Slot()
    at = plus(origin, offset)
    return Slot(at=at, until=plus(at, length) if at and length else None)
