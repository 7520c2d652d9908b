"""Clock times of a plan's steps, from offsets and durations; what the runbook does not say stays open."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from checks.windows import WindowError, is_jumped_over, moment, zone_named
from releases.errors import WrongUsage
from releases.plan.model import BEFORE, END, Plan, PlannedStep
from releases.runbooks.document import Step

ASKED = re.compile(
    r"(?:(?P<day>\d{4}-\d\d-\d\d)[T ])?(?P<clock>(?:[01]?\d|2[0-3]):[0-5]\d)(?P<seconds>:[0-5]\d)?"
    r"(?:(?P<offset>Z|[+-]\d\d:\d\d)|\s+(?P<zone>\S+))?"
)
HOW = "write 18:00, 18:00 Europe/Berlin or 2026-11-21T18:00+01:00"
FARTHEST = timedelta(days=366)


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


# --- a deployment by the clock (`--at`) ---------------------------------------------------------------


def starts_at(plan: Plan, step: PlannedStep, zero: datetime) -> datetime | None:
    """The clock time before which a step does not start; None where nothing is done, or without a time.

    `zero` is T-0. A step without an offset has the one of the step before it; what comes before the first offset, as
    Gantry's own pre-flight does, begins together with it. Without any offset before go-live all of it begins at `zero`.
    """
    if step.phase == END or not _does_something(step):
        return None
    offset = step.offset_minutes if step.phase != BEFORE else _offset(plan, step)
    return None if offset is None else plus(zero, offset / plan.time_scale)


def begins_at(plan: Plan, zero: datetime) -> datetime:
    """When the first step of all is due on the clock, with T-0 at `zero`."""
    starts = (starts_at(plan, step, zero) for step in plan.steps if step.phase == BEFORE)
    return min(filter(None, starts), default=zero)


def lateness(plan: Plan, step: PlannedStep, zero: datetime, *, at: datetime) -> timedelta:
    """How much later than its clock time a step starts at that moment; nothing when it is early or has none."""
    start = starts_at(plan, step, zero)
    return max(at - start, timedelta()) if start else timedelta()


def late_words(late: timedelta) -> str:
    """`12 min late`, `1 h 5 min late`; "" below a minute, for no step starts to the second."""
    minutes = int(late.total_seconds() // 60)
    hours, rest = divmod(minutes, 60)
    said = " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest else [])])
    return f"{said} late" if said else ""


def _does_something(step: PlannedStep) -> bool:
    return bool(step.actions) or any(item.is_by_hand for item in step.items)


def _offset(plan: Plan, step: PlannedStep) -> float:
    """The offset of a step before go-live: its own, else of the one before it, else the first there is."""
    steps = [each for each in plan.steps if each.phase == BEFORE and _does_something(each)]
    upto = [each.offset_minutes for each in steps[: steps.index(step) + 1]]
    known = [offset for offset in upto if offset is not None]
    first = next((each.offset_minutes for each in steps if each.offset_minutes is not None), 0.0)
    return known[-1] if known else first


def parse_at(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """The moment that `--at` names, aware; `zone` counts where it names none, and a time alone is the next one.

    Raises WrongUsage for what cannot be read, is over, is more than a year away, or is jumped over by summer time.
    """
    found = ASKED.fullmatch(text.strip())
    if not found:
        raise WrongUsage(f"--at is '{text}'; {HOW}")
    try:
        asked = _asked(found, text, now=now, zone=zone)
    except OverflowError:
        raise WrongUsage(f"--at is '{text}', and that is beyond the calendar; {HOW}") from None
    # Who types the time it is means now.
    if asked < now.replace(second=0, microsecond=0):
        raise WrongUsage(
            f"--at is '{text}', and that is over: it is {now.astimezone(asked.tzinfo):%Y-%m-%d %H:%M %Z}"
        )
    if asked - now > FARTHEST:
        raise WrongUsage(f"--at is '{text}', and that is more than a year away; {HOW}")
    return asked


def _asked(found: re.Match[str], text: str, *, now: datetime, zone: tzinfo) -> datetime:
    try:
        if found["offset"]:
            zone = datetime.fromisoformat(f"2000-01-01T00:00{found['offset']}").tzinfo or zone
        elif found["zone"]:
            zone = zone_named(found["zone"])
        clock = time.fromisoformat(f"{found['clock']:0>5}{found['seconds'] or ''}")
        day = date.fromisoformat(found["day"]) if found["day"] else _next_day(clock, now.astimezone(zone))
    except (WindowError, ValueError) as error:
        raise WrongUsage(f"--at is '{text}': {error}; {HOW}") from None
    if is_jumped_over(day, clock, zone):
        raise WrongUsage(
            f"--at is '{text}', and on {day} the clocks of {zone} jump over {clock:%H:%M}; {HOW}"
        )
    return moment(day, clock, zone).astimezone(zone)


def _next_day(clock: time, here: datetime) -> date:
    """The day on which the clocks show that time next."""
    this_minute = here.time().replace(second=0, microsecond=0)
    return here.date() if clock >= this_minute else here.date() + timedelta(days=1)
