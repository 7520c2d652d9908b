"""Numbers and units as people write them: thousands, decimal commas, percent, times, sizes, rates."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from decimal import Decimal

NUMBER = r"(?:\d{1,3}(?:[, '’]\d{3}){1,3}(?:\.\d{1,6})?|\d{1,3}(?:\.\d{3}){2,3}(?:,\d{1,6})?|\d{1,9}(?:[.,]\d{1,6})?)"
TIME_UNITS = r"ms|msecs?|millis(?:econds?)?|milliseconds?|secs?|seconds?|s|mins?|minutes?|m|hrs?|hours?|h|days?|d|weeks?"
TIME_UNITS += r"|milisegundos?|segundos?|minutos?|horas?|días?|dias?|millisekunden|sekunden?|minuten?|stunden?|tage?n?|millisecondes?|secondes?|heures?|jours?"
TIME_UNITS += r"|миллисекунд\w*|секунд\w*|минут\w*|час\w{0,2}|мс|сек|мин|毫秒|秒|分钟|分間|分|小时|時間"
SIZE_UNITS = r"[KMGT]i?B|[KMGT]i|[kmgt]b|bytes?"
UNITS = (
    r"%(?!ile)|percentage points?|per ?cent|pct|por ciento|por cento|prozent|pour ?cent|процент\w*"
    rf"|(?:{SIZE_UNITS})(?:\s?(?:/|per)\s?(?:hour|hr|h|day|d|minute|min|second|sec|s))?"
    r"|(?:req(?:uest)?s?|queries|transactions|messages|msgs?|jobs|events)\s?(?:/|per)\s?(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hr|h)|rps|qps|tps"
    rf"|x|×|times|σ|sigmas?|standard deviations?|std ?dev|{TIME_UNITS}|/\s?\d{{1,3}}|LOC"
)
# A Chinese or Japanese unit may be followed by any letter, others end where the word does.
UNIT_ENDS = r"(?:(?<=[秒钟分間时時])|(?!\w)|(?=[\u3040-\u30ff\u4e00-\u9fff]))"

PER = {
    "h": "hour",
    "hr": "hour",
    "d": "day",
    "m": "minute",
    "min": "minute",
    "s": "s",
    "sec": "s",
    "second": "s",
}
MINUTES = {"ms": 1 / 60000, "s": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}
# How units of time begin, longest first: name and factor.
TIMES: tuple[tuple[str, str, int], ...] = (
    *((start, "ms", 1) for start in ("ms", "mill", "mili", "милли", "мс", "毫")),
    *((start, "s", 1) for start in ("sek", "сек", "秒", "s")),
    *((start, "hours", 1) for start in ("stund", "heure", "hora", "час", "小", "時", "h")),
    *((start, "days", 1) for start in ("tag", "jour", "día", "d")),
    *((start, "minutes", 1) for start in ("мин", "分", "m")),
    ("w", "days", 7),
)


def number(text: str, *, unit: str = "") -> str:
    """Thousands separators go; a comma before one or two digits is a decimal comma, as is a point before three of "1.500 ms"."""
    if re.fullmatch(r"\d{1,3}(?:[, '’]\d{3})+(?:\.\d+)?", text):
        return re.sub(r"[, '’]", "", text)
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,3}(?:,\d+)?", text) or (
        unit == "ms" and re.fullmatch(r"\d\.\d{3}", text)
    ):
        return text.replace(".", "").replace(",", ".")
    return text.replace(",", ".")


def unit_of(unit: str) -> tuple[str, int]:
    """The unit's name and the factor that the value is multiplied with."""
    bare = unit.lower().replace(" ", "")
    if not bare or bare == "loc":
        return "count", 1
    if bare[0] == "%" or bare.startswith(("per", "pct", "por", "proz", "pour", "процент")):
        return "percent", 1
    if bare[0] == "/":
        return "score", 1
    if bare in ("x", "×", "times"):
        return "x", 1
    if bare.startswith(("σ", "sigma", "std", "standard")):
        return "sigma", 1
    return _size(unit.replace(" ", "")) or _rate(bare) or _time(bare)


def is_time(unit: str) -> bool:
    return bool(unit) and unit_of(unit)[0] in MINUTES


def minutes(value: str, unit: str) -> float:
    """A span of time in minutes."""
    name, factor = unit_of(unit)
    return float(Decimal(number(value))) * MINUTES.get(name, 1) * factor


def _size(unit: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"([KMGT])i?b?(?:(?:/|per)(\w+))?|(bytes?)", unit, re.IGNORECASE)
    if not found or len(unit) == 1:
        return None
    name = "bytes" if found[3] else f"{found[1].upper()}B"
    return (f"{name}/{PER.get(found[2].lower(), found[2].lower())}" if found[2] else name), 1


def _rate(unit: str) -> tuple[str, int] | None:
    if unit in ("rps", "qps", "tps"):
        return "req/s", 1
    found = re.fullmatch(r"([a-z]+)(?:/|per)(\w)\w*", unit)
    if not found:
        return None
    what = "req" if found[1].startswith("req") else found[1]
    return f"{what}/{ {'s': 's', 'm': 'min', 'h': 'hour'}[found[2]] }", 1


def _time(unit: str) -> tuple[str, int]:
    return next(((name, factor) for start, name, factor in TIMES if unit.startswith(start)), (unit, 1))
