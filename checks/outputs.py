"""What a runbook expects of an output or an HTTP answer, in its words ("true", "<1000ms", JSON), against what came."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from checks.comparisons import OPERATORS, canonical, readable
from checks.conditions import Judged, read_json, shown
from checks.expectations import AMOUNTS, ROW_NOUNS, TRUTHS, Rows, bare, conditions, together, unlabelled
from checks.verdicts import Verdict

SHOWN = 160
MOST_TRIES = 200
UNITS = {"ms": 0.001, "millisecond": 0.001, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0}
LIMITS = {"under": "<", "below": "<", "less than": "<", "within": "<=", "in": "<=", "at most": "<="}
TROUBLE = re.compile(r"\b(?:errors?|exceptions?|traceback|critical|fatal|fail(?:ed|ures?)?)\b", re.IGNORECASE)
FOOTER = re.compile(r"^\((\d+) rows?\)$")
LABEL = re.compile(
    r"(?:the\s+)?(?:response|answer|body|reply|json)\s*(?:body)?\s*(?::|is\b|=|should be\b)\s*", re.IGNORECASE
)
AND_MORE = re.compile(r",?\s*(?:\.\.\.|…)\s*(?=[}\]])")
STATUS = (
    r"(?:http(?:/\d(?:\.\d)?)?\s+|status(?:\s+code)?\s*(?:is|:|=)?\s*)?(?P<status>[1-5](?:\d\d|xx))\b"
    r"(?:\s+(?!with\b)[a-z]+){0,3}"
)
# A server that answers, and by a redirect only, is well unless the runbook wants another status.
WELL = range(200, 400)


@dataclass(frozen=True, kw_only=True)
class Said:
    """What came back: the text, how many seconds it took, and the status if it was an HTTP answer."""

    text: str
    seconds: float
    status: int | None = None

    @cached_property
    def lines(self) -> list[str]:
        """The lines that hold something."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]

    @property
    def short(self) -> str:
        """The text as a message shows it."""
        return shown(" ⏎ ".join(self.lines), limit=SHOWN) if self.lines else "nothing"


class _Reading(NamedTuple):
    pattern: re.Pattern[str]
    judge: Callable[[re.Match[str], Said], Judged]


def judge_output(expected: str, output: str, seconds: float) -> Judged:
    """Is the output of a script that took so long what the phrase says? One not understood is inconclusive."""
    said = Said(text=output, seconds=seconds)
    wanted = conditions(expected)
    if len(wanted) > 1 and len(wanted) == len(said.lines) and all(_is_word(each) for each in wanted):
        # A comment behind each command: the first line is the answer to the first.
        pairs = zip(wanted, said.lines, strict=True)
        return together([_judge(each, Said(text=line, seconds=seconds)) for each, line in pairs])
    return together([_judge(each, said) for each in wanted or [expected]])


def judge_answer(expected: str, body: str, seconds: float, *, status: int) -> Judged:
    """Is an HTTP answer what the phrase says? Without a status in it, only one below 400 will do."""
    said = Said(text=body, seconds=seconds, status=status)
    wanted = conditions(expected)
    judged = [_judge(each, said) for each in wanted]
    if not any(re.match(STATUS, bare(each), re.IGNORECASE) for each in wanted):
        verdict = Verdict.PASSED if status in WELL else Verdict.FAILED
        judged.append(Judged(verdict, f"status {status} in {seconds * 1000:.0f} ms"))
    return together(judged)


def _judge(condition: str, said: Said) -> Judged:
    phrase = LABEL.sub("", bare(condition), count=1)
    if phrase.startswith(("{", "[")):
        return _json(phrase, said)
    verbatim = unlabelled(condition)
    if " " in verbatim and _holds_words(said.text, verbatim):
        return _judged(True, verbatim, said)
    for reading in READINGS if said.status is None else (*STATUSES, *READINGS):
        found = reading.pattern.fullmatch(phrase)
        if found:
            return reading.judge(found, said)
    return _unclear(phrase, said)


def _judged(holds: bool, wanted: str, said: Said) -> Judged:
    return Judged(Verdict.PASSED if holds else Verdict.FAILED, f"expected {wanted}, got {said.short}")


def _unclear(phrase: str, said: Said) -> Judged:
    return Judged(Verdict.INCONCLUSIVE, f"expected '{phrase}', saw {said.short}: a person must compare")


def _is_word(condition: str) -> bool:
    return re.fullmatch(r"[\w.:-]+|'[^']*'|\"[^\"]*\"", bare(condition)) is not None


def _holds_words(text: str, words: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(words)}(?![\w])", text) is not None


# --- JSON ----------------------------------------------------------------------------------------------


def _json(phrase: str, said: Said) -> Judged:
    try:
        wanted = read_json(AND_MORE.sub("", phrase))
    except ValueError:
        return _unclear(phrase, said)
    found = next(_values(said.text), None)
    if found is None:
        return _judged(False, phrase, said)
    lacking = _lacking(wanted, found, "")
    if lacking:
        return Judged(Verdict.FAILED, f"expected {phrase}, and {lacking}")
    return _judged(True, phrase, said)


def _values(text: str) -> Iterator[object]:
    """The JSON objects and lists in a text: other lines, such as a progress meter, may stand around them."""
    decoder = json.JSONDecoder(parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    starts = [found.start() for found in re.finditer(r"[{\[]", text)][:MOST_TRIES]
    end = 0
    for start in starts:
        if start < end:
            continue
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield value


def _lacking(wanted: object, found: object, path: str) -> str:
    """What keeps `found` from holding all of `wanted`; "" when nothing does. More than is wanted does no harm."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return _first(
            _lacking(value, found[key], f"{path}.{key}")
            if key in found
            else f"{path}.{key} is missing".lstrip(".")
            for key, value in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(found, list) and len(wanted) <= len(found):
        pairs = enumerate(zip(wanted, found, strict=False))
        return _first(_lacking(one, other, f"{path}[{number}]") for number, (one, other) in pairs)
    if type(wanted) is type(found) and wanted == found:
        return ""
    return f"{path.lstrip('.') or 'it'} is {shown(found)}, not {shown(wanted)}"


def _first(found: Iterator[str]) -> str:
    return next(filter(None, found), "")


# --- readings -------------------------------------------------------------------------------------------


def _time(found: re.Match[str], said: Said) -> Judged:
    sign = canonical(found["sign"]) if found["sign"] else LIMITS[" ".join(found["words"].lower().split())]
    unit = found["unit"].lower()
    limit = Decimal(found["limit"].replace(",", "")) * Decimal(
        str(UNITS.get(unit) or UNITS[unit.rstrip("s")])
    )
    holds = OPERATORS[sign](Decimal(str(said.seconds)), limit)
    told = f"expected {found[0]}, and it took {readable(Decimal(str(round(said.seconds * 1000))))} ms"
    if holds:
        return Judged(Verdict.PASSED, told)
    # The time of a script is more than the time of what it asks for.
    unsure = said.status is None
    return Judged(
        Verdict.INCONCLUSIVE if unsure else Verdict.FAILED,
        f"{told} with all around it: a person must compare" if unsure else told,
    )


def _status(found: re.Match[str], said: Said) -> Judged:
    wanted = found["status"].lower()
    holds = str(said.status)[0] == wanted[0] if wanted.endswith("xx") else str(said.status) == wanted
    verdict = Verdict.PASSED if holds else Verdict.FAILED
    return Judged(verdict, f"expected status {wanted}, got {said.status}")


def _status_and(found: re.Match[str], said: Said) -> Judged:
    return together([_status(found, said), _judge(found["rest"], said)])


def _nothing(found: re.Match[str], said: Said) -> Judged:
    return _judged(not said.lines, "nothing", said)


def _no_trouble(found: re.Match[str], said: Said) -> Judged:
    if TROUBLE.search(said.text):
        return _unclear(found[0], said)
    return _judged(True, found[0], said)


def _contains(found: re.Match[str], said: Said) -> Judged:
    text, wanted = found["text"], f"a text with '{found['text']}'"
    # "contains product information" describes; "contains 'tea'" quotes.
    is_described = not found["quote"] and text not in said.text
    return _unclear(found[0], said) if is_described else _judged(text in said.text, wanted, said)


def _begins(found: re.Match[str], said: Said) -> Judged:
    return _judged(
        said.text.lstrip().startswith(found["text"]), f"a text that begins with '{found['text']}'", said
    )


def _truth(found: re.Match[str], said: Said) -> Judged:
    wanted = TRUTHS[found[0].lower()]
    seen = {TRUTHS[line.lower()] for line in said.lines if line.lower() in TRUTHS}
    if not seen and _holds_words(said.text.lower(), found[0].lower()):
        return _unclear(found[0], said)
    return _judged(seen == {wanted}, found[0], said)


def _amount(judge: Callable[[re.Match[str], Rows], Judged]) -> Callable[[re.Match[str], Said], Judged]:
    def judged(found: re.Match[str], said: Said) -> Judged:
        number = _number(found.groupdict().get("noun") or "", said)
        if number is None:
            return _word(found, said) if found[0] in said.lines else _unclear(found[0], said)
        return judge(found, Rows(columns=("count",), rows=((number,),)))

    return judged


def _number(noun: str, said: Said) -> Decimal | None:
    """The number that a phrase speaks of: the only one there is, or how many lines; None when it is neither."""
    footers = [footer[1] for footer in map(FOOTER.match, said.lines) if footer]
    if len(said.lines) == 1 and re.fullmatch(r"-?\d[\d,]*(?:\.\d+)?", said.lines[0]):
        return Decimal(said.lines[0].replace(",", ""))
    if noun.split(" ")[0].lower() not in ROW_NOUNS:
        return None
    return Decimal(footers[0]) if len(footers) == 1 else Decimal(len(said.lines))


def _word(found: re.Match[str], said: Said) -> Judged:
    """A line of its own is what is meant; one word of many may be, and "not ready" is not "ready"."""
    word = found.groupdict().get("text") or found[0]
    if word not in said.lines and _holds_words(said.text, word):
        return _unclear(word, said)
    return _judged(word in said.lines, word, said)


def _reading(pattern: str, judge: Callable[[re.Match[str], Said], Judged]) -> _Reading:
    return _Reading(re.compile(pattern, re.IGNORECASE), judge)


LIMIT = (
    rf"(?:(?P<sign><=|=<|<|≤)|(?P<words>{'|'.join(LIMITS)}))\s*(?P<limit>\d[\d,]*(?:\.\d+)?)\s*"
    rf"(?P<unit>(?:{'|'.join(UNITS)})s?)"
)
STATUSES = (
    _reading(STATUS, _status),
    _reading(rf"{STATUS}\s*(?:with|and|,|:)\s*(?P<rest>.+)", _status_and),
)
# First match wins, so the particular stand before the general.
READINGS = (
    _reading(
        rf"(?:response(?:\s+times?)?|responds|answers?|completes?|finishes|returns?|takes|duration|latency)?"
        rf"\s*:?\s*(?:in\s+)?{LIMIT}",
        _time,
    ),
    _reading(
        r"(?:an )?(?:no output|nothing|empty(?: output| result)?|none|no results?|no match(?:es)?)", _nothing
    ),
    _reading(
        r"(?:no|zero|0|without(?: any)?) (?:\w+ )?(?:errors?|exceptions?|failures?|tracebacks?)"
        r"(?: (?:found|shown|reported|in the output))?",
        _no_trouble,
    ),
    _reading(
        r"(?:it )?(?:contains?|includes?|including|containing|with)\s+(?P<quote>['\"`]?)(?P<text>[^'\"`]+)['\"`]?",
        _contains,
    ),
    _reading(r"(?:it )?(?:starts?|begins?) with\s+['\"`]?(?P<text>[^'\"`]+)['\"`]?", _begins),
    _reading("|".join(TRUTHS), _truth),
    *(_Reading(each.pattern, _amount(each.judge)) for each in AMOUNTS),
    _reading(r"'(?P<text>[^']+)'", _word),
    _reading(r"\"(?P<text>[^\"]+)\"", _word),
    _reading(r"(?P<text>[\w.:/-]+)", _word),
)
