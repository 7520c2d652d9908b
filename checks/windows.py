"""When deployments are allowed, in words of one line: days, hours and their time zone; pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST_NAME = 3
EVERY_DAY = ("daily", "everyday", "every day")
SHAPE = "write it as 'Mon-Thu 09:00-17:00 Europe/Berlin'"
PART = re.compile(
    r"(?P<days>.+?)\s+(?P<begins>\d\d?:\d\d)\s*[-–]\s*(?P<ends>\d\d?:\d\d)(?:\s+(?P<zone>\S+))?",
    re.IGNORECASE,
)
CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d")
MIDNIGHT_AT_THE_END = "24:00"
# A span may be swallowed by a day without it (summer time, a day left out at the date line): then the next one counts.
LOOKED_AHEAD = 16
SECOND = timedelta(seconds=1)


class WindowError(ValueError):
    """A window that cannot be read; names the part of it and the way out."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """Hours of some days of the week (0 is Monday); from `ends` at or before `begins` it is the next day's.

    `ends` is None for midnight at the end of the day.
    """

    days: frozenset[int]
    begins: time
    ends: time | None
    zone: ZoneInfo

    def around(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """From when to when (UTC) it is open, from the day before on: that may last over midnight."""
        today = at.astimezone(self.zone).date()
        for days in range(-1, LOOKED_AHEAD):
            day = today + timedelta(days=days)
            if day.weekday() in self.days:
                yield self._on(day)

    def _on(self, day: date) -> tuple[datetime, datetime]:
        is_over_midnight = self.ends is None or self.ends <= self.begins
        last = day + timedelta(days=1) if is_over_midnight else day
        return moment(day, self.begins, self.zone), moment(last, self.ends or time(), self.zone)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Spans of the week; open while one of them is."""

    spans: tuple[Span, ...]

    def allows(self, at: datetime) -> bool:
        """Is it open at that moment (aware)?"""
        return any(begins <= at < ends for span in self.spans for begins, ends in span.around(at))

    def next(self, at: datetime) -> datetime:
        """The moment itself while it is open, else when it opens next, on the clock of that span."""
        if self.allows(at):
            return at
        later = [
            (begins, span.zone)
            for span in self.spans
            for begins, ends in span.around(at)
            if at < begins < ends
        ]
        opens, zone = min(later, key=lambda each: each[0])
        return opens.astimezone(zone)


@lru_cache(maxsize=64)
def parse(text: str) -> Window:
    """The window of a text; raises WindowError naming the part that cannot be read."""
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts:
        raise WindowError(f"the window is empty; {SHAPE}")
    return Window(spans=tuple(_span(part) for part in parts))


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name like Europe/Berlin; raises WindowError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise WindowError(f"'{name}' is no time zone; write one like Europe/Berlin or UTC") from None


def moment(day: date, clock: time, zone: tzinfo) -> datetime:
    """The moment (UTC) at which the clocks of a zone show that; an hour that comes twice counts the first time.

    Where the clocks jump over it, the moment of the jump.
    """
    early, late = _both(day, clock, zone)
    return _jump(early, late, zone) if early < late else late


def is_jumped_over(day: date, clock: time, zone: tzinfo) -> bool:
    """Do the clocks of that zone never show this time on that day?"""
    early, late = _both(day, clock, zone)
    return early < late


def _both(day: date, clock: time, zone: tzinfo) -> tuple[datetime, datetime]:
    """The moment by the offset after a change of the clocks, and by the one before; mostly the same."""
    wall = datetime.combine(day, clock, zone)
    return wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC)


def _jump(early: datetime, late: datetime, zone: tzinfo) -> datetime:
    """The first moment of the new offset between two that have different ones, to the second."""
    new = late.astimezone(zone).utcoffset()
    while late - early > SECOND:
        middle = early + (late - early) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == new:
            late = middle
        else:
            early = middle
    return late


# --- reading ------------------------------------------------------------------------------------------


def _span(part: str) -> Span:
    found = PART.fullmatch(part)
    if not found:
        raise WindowError(f"'{part}' names no days with their hours; {SHAPE}")
    if not found["zone"]:
        raise WindowError(f"'{part}' names no time zone; {SHAPE}")
    begins, ends = _clock(found["begins"], part), _end(found["ends"], part)
    if begins == ends:
        raise WindowError(f"'{part}' ends when it begins; a whole day is 00:00-24:00")
    return Span(days=_days(found["days"], part), begins=begins, ends=ends, zone=zone_named(found["zone"]))


def _end(text: str, part: str) -> time | None:
    return None if text == MIDNIGHT_AT_THE_END else _clock(text, part)


def _clock(text: str, part: str) -> time:
    if not CLOCK.fullmatch(text):
        raise WindowError(
            f"'{text}' in '{part}' is no time of day; write 09:00 to 23:59, or 24:00 at the end"
        )
    hours, minutes = map(int, text.split(":"))
    return time(hours, minutes)


def _days(text: str, part: str) -> frozenset[int]:
    if text.casefold() in EVERY_DAY:
        return frozenset(range(7))
    return frozenset(day for each in text.split(",") for day in _range(each.strip(), part))


def _range(text: str, part: str) -> Iterator[int]:
    """One day, or from one to another; Fri-Mon goes over the weekend."""
    first, dash, last = (each.strip() for each in re.sub("[–]", "-", text).partition("-"))
    start = _day(first, part)
    end = _day(last, part) if dash else start
    return ((start + days) % 7 for days in range((end - start) % 7 + 1))


def _day(text: str, part: str) -> int:
    """The number of a day by its name or the beginning of it."""
    name = text.casefold()
    for number, day in enumerate(DAYS):
        if len(name) >= SHORTEST_NAME and day.startswith(name):
            return number
    raise WindowError(f"'{text}' in '{part}' is no day; write Mon to Sun, or daily")
