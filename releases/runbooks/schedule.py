"""When: T-offsets, durations and windows in the wording of headings and lines; minutes come back."""

import re
from dataclasses import dataclass

MINUTES = {
    "s": 1 / 60,
    "sec": 1 / 60,
    "second": 1 / 60,
    "m": 1,
    "min": 1,
    "minute": 1,
    "h": 60,
    "hr": 60,
    "hour": 60,
    "d": 1440,
    "day": 1440,
    "w": 10080,
    "wk": 10080,
    "week": 10080,
    "month": 43200,
}
UNIT = r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|months?)"
NUMBER = r"(\d{1,6}(?:\.\d{1,3})?)"
DASH = "\\-\u2010\u2011\u2012\u2013\u2014\u2212"
OFFSET = re.compile(rf"\bT\s?([+{DASH}±])\s?{NUMBER}\s?(?:{UNIT}\b)?")
PLAIN_T = re.compile(r"\bT\s?[=:]?\s?0\b|\bT[- ]zero\b", re.IGNORECASE)
SPAN = re.compile(rf"{NUMBER}(?:\s?[{DASH}]\s?{NUMBER})?[\s{DASH}]?{UNIT}\b", re.IGNORECASE)
DURATION_IN_BRACKETS = re.compile(
    rf"\((?:[^()]{{0,60}}[,;:~]\s?|\s?(?:approx\.? |about |max\.? |est\.? ))?({SPAN.pattern})\s?\)",
    re.IGNORECASE,
)
DURATION_LINE = re.compile(
    r"^\**(?:(?:estimated|expected|total|recovery|rollback)\s)?(?:time|duration|time estimate|estimate|eta|rto)"
    rf"(?:\sestimate|\srequired|\sneeded)?\s?:?\**\s?:?\**\s{{0,3}}[~<≤]?\s?({SPAN.pattern})",
    re.IGNORECASE,
)
BEFORE = re.compile(rf"\b{NUMBER}\s?{UNIT}\s(?:before|prior to)\b", re.IGNORECASE)
AFTER = re.compile(
    rf"\b(?:after|in)\s{NUMBER}[\s{DASH}]?{UNIT}\b|\b{NUMBER}[\s{DASH}]?{UNIT}\s(?:after|check|later)\b", re.I
)
WITHIN = re.compile(
    rf"\b(?:within|first|next)\s(?:the\s(?:first\s|next\s)?)?(?:{NUMBER}\s?)?{UNIT}\b", re.IGNORECASE
)
NTH = re.compile(rf"\b(day|week|hour|month)s?\s(\d{{1,3}})(?:\s?[{DASH}]\s?(\d{{1,3}}))?(\+)?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class When:
    """Minutes from T, and how long; None where the wording does not say."""

    offset: float | None = None
    duration: float | None = None


def of_heading(text: str, *, windows: bool) -> When:
    """When a heading's part happens; `windows` reads "first hour", "day 1-2", "24-48 hours" as stretches after T."""
    offsets = _offsets(text)
    if offsets:
        start = offsets[0]
        length = offsets[1] - start if len(offsets) > 1 and offsets[1] > start else None
        return When(offset=start, duration=length if length is not None else _bracketed(text))
    if windows:
        return _window(text)
    return When(duration=_bracketed(text))


def duration_line(text: str) -> float | None:
    """The minutes of a line such as "**Time**: 5 minutes"; of a range, the lower end."""
    found = DURATION_LINE.search(text)
    return _low(found[1]) if found else None


def minutes(text: str) -> float | None:
    """The first span of time in the text; of a range, the lower end."""
    return _low(text)


def _offsets(text: str) -> list[float]:
    found = [_signed(sign, float(number), unit) for sign, number, unit in OFFSET.findall(text)]
    return found or ([0.0] if PLAIN_T.search(text) else [])


def _signed(sign: str, number: float, unit: str) -> float:
    minutes = number * _unit(unit or "m")
    return minutes if sign in "+±" or not minutes else -minutes


def _unit(unit: str) -> float:
    name = unit.lower()
    return MINUTES.get(name) or MINUTES[name.removesuffix("s")]


def _bracketed(text: str) -> float | None:
    found = DURATION_IN_BRACKETS.search(text)
    return _low(found[1]) or None if found else None


def _low(text: str) -> float | None:
    found = SPAN.search(text)
    return float(found[1]) * _unit(found[3]) if found else None


def _window(text: str) -> When:
    return _nth(text) or _counted(text) or _relative(text) or _between(text) or When()


def _nth(text: str) -> When | None:
    found = NTH.search(text)
    if not found:
        return None
    unit, first = _unit(found[1]), int(found[2])
    last = int(found[3]) if found[3] else first
    start = max(first - 1, 0) * unit
    return When(offset=start, duration=None if found[4] else max(last - max(first - 1, 0), 1) * unit)


def _counted(text: str) -> When | None:
    found = WITHIN.search(text)
    return When(offset=0.0, duration=float(found[1] or 1) * _unit(found[2])) if found else None


def _relative(text: str) -> When | None:
    before = BEFORE.search(text)
    if before:
        return When(offset=-float(before[1]) * _unit(before[2]))
    after = AFTER.search(text)
    if not after:
        return None
    number, unit = (after[1], after[2]) if after[1] else (after[3], after[4])
    return When(offset=float(number) * _unit(unit))


def _between(text: str) -> When | None:
    found = SPAN.search(text)
    if not found or not found[2]:
        return When(duration=_bracketed(text)) if _bracketed(text) is not None else None
    low, high, unit = float(found[1]), float(found[2]), _unit(found[3])
    return When(offset=low * unit, duration=max(high - low, 0) * unit)
