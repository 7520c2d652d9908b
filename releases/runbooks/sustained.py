"""How long a limit has to hold, and over which window it is measured; minutes come back."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

from . import quantities
from .quantities import TIME_UNITS, UNIT_ENDS

MORE = r"(?:(?:more than|at least|longer than|greater than|over|a|an|más de|al menos|mais de|pelo menos|mehr als|länger als|mindestens|plus de|au moins|более|не менее|超过|至少)\s?|>=?\s?|≥\s?)?"
# "for 2-3 minutes": the longer of both counts.
FROM = r"(?:\d{1,4}\s?(?:[-–—]|to|a|à|bis)\s?)?"
SUSTAINED = re.compile(
    rf"(?:\b(?:sustained|for|lasting|lasts|during|persist(?:s|ing)?|durante|por|während|seit|für|pendant|depuis|в течение)\s(?:for\s|sustained\s)?|(?:持续|连续)\s?){MORE}{FROM}"
    rf"(?P<number>\d{{1,4}}(?:[.,]\d)?)\+?[\s-]?(?:consecutive\s|straight\s|full\s)?(?P<unit>{TIME_UNITS}){UNIT_ENDS}"
    rf"|\bsustained\s(?:for\s|over\s)?[(>]?\s?(?P<number2>\d{{1,4}})\s?(?P<unit2>{TIME_UNITS})(?!\w)"
    rf"|^\s*[,(]\s*(?:>=?|≥)?\s?(?P<number3>\d{{1,4}})\+?\s?(?P<unit3>{TIME_UNITS})\s?\)"
    rf"|^\s*[,(]?\s*(?:>=?|≥)\s?(?P<number4>\d{{1,4}})\s?(?P<unit4>{TIME_UNITS})(?!\w)"
    rf"|(?P<number5>\d{{1,4}})\s?(?P<unit5>分|分間|秒|時間)(?:以上)?(?:間)?(?:続|継続)",
    re.IGNORECASE,
)
# "3 consecutive 5-minute intervals"; how long an interval without a length is nobody knows.
INTERVALS = re.compile(
    rf"\b(?P<times>\d{{1,3}})\s(?:consecutive|successive|straight)\s(?P<number>\d{{1,4}})[\s-]?(?P<unit>{TIME_UNITS})\s(?:intervals?|periods?|windows?|checks?|samples?)",
    re.IGNORECASE,
)
WINDOW = re.compile(
    rf"\b(?:in|within|over|during|per|across)\s(?:(?:a|an|any|the|one)\s)?(?:(?:first|last|past|previous|rolling|next)\s)?(?P<number>\d{{1,4}}(?:\.\d)?)?[\s-]?(?P<unit>{TIME_UNITS})(?!\w)"
    rf"|\(?(?P<number2>\d{{1,4}})[\s-]?(?P<unit2>{TIME_UNITS})\s(?:rolling\s|moving\s)?(?:window|average|avg|mean|interval|period)\b"
    rf"|^[\s\w]{{0,30}}/\s?(?P<number3>)(?P<unit3>mins?|minute|hour|hr|h|day|s|sec|second)(?!\w)",
    re.IGNORECASE,
)
WINDOW_BEFORE = re.compile(
    rf"\(?(?P<number>\d{{1,4}})[\s-]?(?P<unit>{TIME_UNITS})(?:\s(?:rolling\s|moving\s)?(?:window|average|avg|mean|interval|period)\b|\))"
    rf"|\b(?:over|in|within|averaged over)\s(?:(?:a|an|any|the)\s)?(?:(?:first|last|past|previous|rolling)\s)(?P<number2>\d{{1,4}})?[\s-]?(?P<unit2>{TIME_UNITS})(?!\w)",
    re.IGNORECASE,
)
OF_LIMITS = re.compile(
    r"\b(if|when|any|all|sustained|triggers?|criteria|thresholds?|limits?)\b", re.IGNORECASE
)
WATCHING = re.compile(
    r"\b(monitor\w*|watch\w*|observ\w+|wait\w*|continue\w*|run|keep|bake|soak)\b", re.IGNORECASE
)


def minutes(after: str) -> float | None:
    """How long the limit before these words has to hold."""
    several = INTERVALS.search(after)
    if several:
        return int(several["times"]) * quantities.minutes(several["number"], several["unit"])
    return _minutes(SUSTAINED.search(after))


def minutes_of_list(label: str, heading: str) -> float | None:
    """Given once for a whole list, in the line above it, or in a heading that speaks of limits."""
    for words in (label, heading if OF_LIMITS.search(heading) else ""):
        found = minutes(words) if not WATCHING.search(words) else None
        if found:
            return found
    return None


def window(before: str, after: str) -> float | None:
    """Over how long the limited value is measured."""
    rest = SUSTAINED.sub("", after)
    return _minutes(WINDOW.search(rest)) or _minutes(WINDOW_BEFORE.search(before))


def _minutes(match: re.Match[str] | None) -> float | None:
    if not match:
        return None
    found = match.groupdict()
    suffix = next(suffix for suffix in ("", "2", "3", "4", "5") if found.get(f"unit{suffix}"))
    return quantities.minutes(found[f"number{suffix}"] or "1", found[f"unit{suffix}"])
