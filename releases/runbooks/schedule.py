"""When: T-offsets, durations and windows in the wording of headings and lines; minutes come back."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from dataclasses import dataclass

# How units begin, longer beginnings first; minutes of one.
MINUTES: tuple[tuple[str, float], ...] = (
    ("mo", 43200),
    ("mes", 43200),
    ("сек", 1 / 60),
    ("секунд", 1 / 60),
    ("秒", 1 / 60),
    ("мин", 1),
    ("分", 1),
    ("час", 60),
    ("小时", 60),
    ("時間", 60),
    ("stund", 60),
    ("sem", 10080),
    ("недел", 10080),
    ("周", 10080),
    ("週", 10080),
    ("tag", 1440),
    ("jour", 1440),
    ("дн", 1440),
    ("день", 1440),
    ("天", 1440),
    ("日", 1440),
    ("w", 10080),
    ("d", 1440),
    ("h", 60),
    ("m", 1),
    ("s", 1 / 60),
)
UNIT = (
    r"(s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|wks?|weeks?|months?"
    r"|segundos?|minutos?|horas?|d[ií]as?|semanas?|mes(?:es)?|sekunden?|minuten?|stunden?|tage?n?|wochen?|secondes?|heures?|jours?|semaines?"
    r"|секунд\w*|минут\w*|мин|час\w{0,2}|дн\w{1,2}|недел\w*|秒|分钟|分間|分|小时|時間|天|日間|日|周|週間)"
)
NUMBER = r"(\d{1,6}(?:[.,]\d{1,3})?)"
DASH = "\\-\u2010\u2011\u2012\u2013\u2014\u2212"
COUNTED = {"one": 1, "a": 1, "the": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
COUNT = rf"({NUMBER[1:-1]}|{'|'.join(COUNTED)})"
OFFSET = re.compile(rf"\bT\s?(?:([+{DASH}±])|-?(minus|plus)\b)\s?{NUMBER}(?:[h:](\d\d)\b|\s?{UNIT}\b)?")
PLAIN_T = re.compile(r"\bT\s?[=:]?\s?0\b|\bT[- ]zero\b", re.IGNORECASE)
SPAN = re.compile(
    rf"{NUMBER}(?:\s?(?:[{DASH}]|to|bis|a|à)\s?{NUMBER})?[\s{DASH}]?{UNIT}(?![^\W_])", re.IGNORECASE
)
ROUGHLY = r"(?:~|≈|<|≤|approx(?:\.|imately)? |about |around |max\.? |up to |est(?:\.|imated)?:? |ca\. |env\. |aprox\. |约|約)"
DURATION_IN_BRACKETS = re.compile(
    rf"[(\[（](?:[^()\[\]]{{0,60}}[,;:](?!\d)\s?)?\s?(?P<roughly>{ROUGHLY})?\s?(?P<span>{SPAN.pattern})\s?[)\]）]",
    re.IGNORECASE,
)
DURATION_AT_END = re.compile(rf"\s[{DASH}]\s{ROUGHLY}?\s?(?P<span>{SPAN.pattern})$", re.IGNORECASE)
DURATION_LABEL = (
    r"(?:(?:estimated|expected|total|recovery|rollback)\s)?(?:time|duration|time estimate|estimate|eta|rto)(?:\sestimate|\srequired|\sneeded)?"
    r"|duración(?:\s\w+)?|tiempo(?:\s\w+)?|duração(?:\s\w+)?|tempo(?:\s\w+)?|dauer|geschätzte dauer|zeitbedarf|durée(?:\s\w+)?|时间|预计时间|耗时|所要時間|время|длительность|продолжительность"
)
DURATION_LINE = re.compile(
    rf"^(?:[^\w(]|_)*(?:{DURATION_LABEL})\s?[:：]?[*_]*\s?[:：]?[*_]*\s{{0,3}}{ROUGHLY}?\s?(?P<span>{SPAN.pattern})",
    re.IGNORECASE,
)
DURATION_ALONE = re.compile(
    rf"[^\w\n]{{0,6}}(?:takes\s)?{ROUGHLY}?\s?(?P<span>{SPAN.pattern})[^\w\n]{{0,4}}", re.IGNORECASE
)
OFFSET_LINE = re.compile(
    r"^[*_]*(?:when|time|timing|start|scheduled|at|cuándo|quando|wann|quand|когда)\s?[:：]?[*_]*\s?[:：]?[*_]*\s{0,3}(?=T\s?[^\w\s]?)",
    re.IGNORECASE,
)
CLOCKS = re.compile(
    rf"(?<![\d:])([01]?\d|2[0-3]):([0-5]\d)\s?(?:[{DASH}]|to|until|→)\s?([01]?\d|2[0-3]):([0-5]\d)(?![\d:])"
)
BEFORE = re.compile(
    rf"\b{COUNT}[\s{DASH}]{UNIT}\s(?:before|prior to|ahead of)\b|^(?:the\s)?(day|week|hour)\s(?:before|prior to)\b",
    re.IGNORECASE,
)
AFTER = re.compile(
    rf"\b(?:after|in|nach|après|después de|após|через)\s{NUMBER}[\s{DASH}]?{UNIT}\b|\b{NUMBER}[\s{DASH}]?{UNIT}\s(?:after|check|later|post\b|después|danach|nach|après|depois|после)"
    rf"|(?:^|\()\+\s?{NUMBER}\s?{UNIT}\b|(?:后|後)\s?{NUMBER}\s?{UNIT}|{NUMBER}\s?{UNIT}(?:后|後)",
    re.IGNORECASE,
)
WITHIN = re.compile(
    rf"\b(?:within|first|next|primer[ao]?s?|primeir[ao]s?|erste[nr]?|ersten|premi[eè]re?s?|innerhalb von|первы[йех]|первые|первая)\s(?:the\s(?:first\s|next\s)?)?(?:{NUMBER}\s?)?{UNIT}(?!\w)|(?:最初の|首|前)\s?{NUMBER}\s?{UNIT}",
    re.IGNORECASE,
)
NTH = re.compile(
    rf"\b(day|week|hour|month|día|dia|semana|tag|woche|jour|semaine|день|неделя)s?\s(\d{{1,3}})(?:\s?(?:[{DASH}]|to)\s?(\d{{1,3}}))?(\+)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class When:
    """Minutes from T, and how long; None where the wording does not say."""

    offset: float | None = None
    duration: float | None = None


def of_heading(text: str, *, windows: bool) -> When:
    """When a heading's part happens; `windows` reads "first hour", "day 1-2", "24-48 hours" as stretches after T."""
    offsets = t_offsets(text)
    if offsets:
        start = offsets[0]
        length = offsets[1] - start if len(offsets) > 1 and offsets[1] > start else None
        return When(offset=start, duration=length if length is not None else _length(OFFSET.sub("", text)))
    if windows:
        return _window(text)
    return _before(text) or When(duration=_length(text))


def duration_line(text: str) -> float | None:
    """The minutes of a line such as "**Time**: 5 minutes", or "15 minutes" alone; of a range, the lower end."""
    found = DURATION_LINE.search(text) or DURATION_ALONE.fullmatch(text)
    return _low(found["span"]) if found else None


def offset_line(text: str) -> float | None:
    """The minutes from T of a line such as "**When**: T-30 minutes"."""
    found = OFFSET_LINE.match(text)
    return next(iter(t_offsets(text[found.end() :])), None) if found else None


def minutes(text: str) -> float | None:
    """The first span of time in the text; of a range, the lower end."""
    return _low(text)


def t_offsets(text: str) -> list[float]:
    """The offsets from T, as T-30, T+1 week, T-0, in minutes."""
    found = [_signed(*match.groups()) for match in OFFSET.finditer(text)]
    return found or ([0.0] if PLAIN_T.search(text) else [])


def _signed(sign: str | None, word: str | None, number: str, more: str | None, unit: str | None) -> float:
    """ "T+1h30" and "T+1:30" are hours with minutes."""
    minutes = _number(number) * 60 + int(more) if more else _number(number) * _unit(unit or "m")
    later = word == "plus" or (sign or "-") in "+±"
    return minutes if later or not minutes else -minutes


def _number(text: str) -> float:
    return float(COUNTED.get(text.lower()) or text.replace(",", "."))


def _unit(unit: str) -> float:
    name = unit.lower()
    return next(minutes for start, minutes in MINUTES if name.startswith(start))


def _length(text: str) -> float | None:
    """How long: in brackets, at the end behind a dash, or from one time of the clock to another."""
    found = DURATION_IN_BRACKETS.search(text) or DURATION_AT_END.search(text)
    if found:
        return _low(found["span"]) or None
    clocks = CLOCKS.search(text)
    if not clocks:
        return None
    start, end = (int(clocks[hour]) * 60 + int(clocks[hour + 1]) for hour in (1, 3))
    return float((end - start) % 1440) or None


def _low(text: str) -> float | None:
    found = SPAN.search(text)
    return _number(found[1]) * _unit(found[3]) if found else None


def _window(text: str) -> When:
    return (
        _nth(text)
        or _counted(text)
        or _before(text)
        or _after(text)
        or _between(text)
        or When(duration=_length(text))
    )


def _nth(text: str) -> When | None:
    found = NTH.search(text)
    if not found:
        return None
    unit, first = _unit(found[1]), int(found[2])
    last = int(found[3]) if found[3] else first
    start = max(first - 1, 0) * unit
    return When(offset=start, duration=None if found[4] else max(last - max(first - 1, 0), 1) * unit)


def _counted(text: str) -> When | None:
    found = _groups(WITHIN.search(text))
    return (
        When(offset=0.0, duration=_number(found[0] if len(found) > 1 else "1") * _unit(found[-1]))
        if found
        else None
    )


def _before(text: str) -> When | None:
    found = _groups(BEFORE.search(text))
    return When(offset=-_number(found[0] if len(found) > 1 else "1") * _unit(found[-1])) if found else None


def _after(text: str) -> When | None:
    found = _groups(AFTER.search(text))
    return When(offset=_number(found[0]) * _unit(found[1])) if found else None


def _groups(found: re.Match[str] | None) -> list[str]:
    """What the alternative that matched has found: a number, where there is one, and a unit."""
    return [group for group in found.groups() if group] if found else []


def _between(text: str) -> When | None:
    """ "24-48 hours" is a stretch after T, "(about 5-10 minutes)" is how long it takes."""
    rough = DURATION_IN_BRACKETS.search(text)
    found = SPAN.search(text)
    if not found or not found[2] or (rough and rough["roughly"]):
        return None
    low, high, unit = _number(found[1]), _number(found[2]), _unit(found[3])
    return When(offset=low * unit, duration=max(high - low, 0) * unit)
