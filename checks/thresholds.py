"""Is a limit breached, and for long enough? Pure, with the semantics of Prometheus's alerting rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from checks.comparisons import OPERATORS, OPPOSITES, SYMBOLS, canonical, duration, with_unit
from checks.errors import UnitError
from checks.units import convert
from checks.verdicts import Verdict

AT_ONCE = timedelta(0)


class State(StrEnum):
    """Where a limit stands: `pending` is breached, but not yet for its sustained-for."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One value at a time; those under maintenance do not count."""

    at: datetime
    value: Decimal
    in_maintenance: bool = False


@dataclass(frozen=True, kw_only=True)
class Limit:
    """`metric op value unit` is the bad case, sustained for `for_` (0: the newest sample decides)."""

    metric: str
    op: str
    value: Decimal
    unit: str = ""
    for_: timedelta = AT_ONCE
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Verdict and state, the newest value in the limit's unit, since when it is breached, and one sentence.

    Inconclusive and error say nothing about the state before: whoever keeps one keeps it.
    """

    verdict: Verdict
    state: State
    value: Decimal | None
    since: datetime | None
    message: str


def history(limit: Limit, *, max_age: timedelta) -> timedelta:
    """How far back `judge` needs samples: the window, the longest gap before it, the age of the newest."""
    return 2 * limit.for_ + max_age


def judge(
    limit: Limit, samples: Sequence[Sample], *, now: datetime, unit: str, max_age: timedelta
) -> Judgement:
    """Judge a limit by samples (in any order, in `unit`) of at least `history()` before `now`.

    Firing (failed): every sample of the window breaches, two at least, and they cover it. Breached for less:
    pending. No sample, one older than `max_age`, or a gap above the sustained-for: inconclusive. NaN: error.
    """
    counted = _counted(samples, now)
    if not counted:
        return _inconclusive(f"{limit.metric}: no data", None)
    newest = counted[-1]
    if now - newest.at > max_age:
        age = duration(now - newest.at)
        return _inconclusive(f"{limit.metric}: no data for {age}, the last is of {newest.at:%H:%M:%S}", None)
    try:
        value = _converted(newest, unit=unit, limit=limit).value
        breaching = _breaching(limit, counted, unit=unit)
    except (UnitError, ValueError) as wrong:
        return _error(limit, str(wrong))
    return _judge_trail(limit, counted, now, value=value, breaching=breaching)


def _counted(samples: Sequence[Sample], now: datetime) -> list[Sample]:
    """In order of time, one an instant, none of maintenance, none from the future (a clock set back)."""
    by_time = {sample.at: sample for sample in samples if not sample.in_maintenance and sample.at <= now}
    return [by_time[at] for at in sorted(by_time)]


def _gap(limit: Limit, counted: Sequence[Sample], now: datetime) -> timedelta | None:
    """The gap before now or before the newest sample, if it is above the sustained-for: nobody looked."""
    if limit.for_ == AT_ONCE:
        return None
    times = [sample.at for sample in counted[-2:]] + [now]
    longest = max(later - earlier for earlier, later in pairwise(times))
    return longest if longest > limit.for_ else None


def _converted(sample: Sample, *, unit: str, limit: Limit) -> Sample:
    if not sample.value.is_finite():
        raise ValueError(f"the value at {sample.at:%H:%M:%S} is {sample.value}, not a number")
    return Sample(at=sample.at, value=convert(sample.value, from_unit=unit, to_unit=limit.unit))


def _breaching(limit: Limit, counted: Sequence[Sample], *, unit: str) -> list[Sample]:
    """The newest samples that all breach, with no gap above the sustained-for: one false one starts anew."""
    breaches, found = OPERATORS[canonical(limit.op)], list[Sample]()
    for sample in reversed(counted):
        if found and found[-1].at - sample.at > limit.for_:
            break
        if not sample.value.is_finite() and found and found[0].at - found[-1].at >= limit.for_:
            break
        converted = _converted(sample, unit=unit, limit=limit)
        if not breaches(converted.value, limit.value):
            break
        found.append(converted)
    return found[::-1]


def _judge_trail(
    limit: Limit, counted: Sequence[Sample], now: datetime, *, value: Decimal, breaching: Sequence[Sample]
) -> Judgement:
    gap = _gap(limit, counted, now)
    if gap is not None:
        return _unseen(limit, value, gap)
    if not breaching:
        return _alone(limit, value) if limit.for_ and len(counted) == 1 else _fine(limit, value)
    if breaching[-1].at - breaching[0].at >= limit.for_:
        return _firing(limit, breaching)
    return _pending(limit, breaching)


def _error(limit: Limit, message: str) -> Judgement:
    return Judgement(
        verdict=Verdict.ERROR,
        state=State.INACTIVE,
        value=None,
        since=None,
        message=f"{limit.metric}: {message}",
    )


def _inconclusive(message: str, value: Decimal | None) -> Judgement:
    return Judgement(
        verdict=Verdict.INCONCLUSIVE, state=State.INACTIVE, value=value, since=None, message=message
    )


def _alone(limit: Limit, value: Decimal) -> Judgement:
    message = f"{_reading(limit, value)}, but one sample is too few to judge {duration(limit.for_)} by"
    return _inconclusive(message, value)


def _unseen(limit: Limit, value: Decimal, gap: timedelta) -> Judgement:
    too_long = f"{duration(gap)} without a sample is longer than {duration(limit.for_)}"
    message = f"{_reading(limit, value)}, but {too_long}"
    return _inconclusive(message, value)


def _fine(limit: Limit, value: Decimal) -> Judgement:
    opposite = OPPOSITES[canonical(limit.op)]
    message = (
        f"{_reading(limit, value)} {SYMBOLS.get(opposite, opposite)} {with_unit(limit.value, limit.unit)}"
    )
    return Judgement(verdict=Verdict.PASSED, state=State.INACTIVE, value=value, since=None, message=message)


def _pending(limit: Limit, breaching: Sequence[Sample]) -> Judgement:
    lasted = duration(breaching[-1].at - breaching[0].at)
    return _breached(
        limit, breaching, Verdict.INCONCLUSIVE, State.PENDING, f" for {lasted} of {duration(limit.for_)}"
    )


def _firing(limit: Limit, breaching: Sequence[Sample]) -> Judgement:
    lasted = f" for {duration(limit.for_)}" if limit.for_ else ""
    return _breached(limit, breaching, Verdict.FAILED, State.FIRING, lasted)


def _breached(
    limit: Limit, breaching: Sequence[Sample], verdict: Verdict, state: State, lasted: str
) -> Judgement:
    first, newest = breaching[0], breaching[-1]
    sign = canonical(limit.op)
    count = f"{len(breaching)} sample{'' if len(breaching) == 1 else 's'} since {first.at:%H:%M:%S}"
    limit_text = f"{SYMBOLS.get(sign, sign)} {with_unit(limit.value, limit.unit)}{lasted}"
    return Judgement(
        verdict=verdict,
        state=state,
        value=newest.value,
        since=first.at,
        message=f"{_reading(limit, newest.value)} {limit_text} ({count})",
    )


def _reading(limit: Limit, value: Decimal) -> str:
    return f"{limit.metric} {with_unit(value, limit.unit)}"
