"""What a runbook expects of a query, in its words ("9 rows", "true", "≥ 3"), against what came back."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from checks.comparisons import OPERATORS, SYMBOLS, canonical, readable
from checks.conditions import Judged, shown
from checks.verdicts import Verdict, worst


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The answer of a query: column names, and cells that are None, bool, Decimal or text."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]

    @property
    def cell(self) -> object:
        """The only cell; None if there are more or none."""
        return self.rows[0][0] if len(self.rows) == 1 and len(self.columns) == 1 else None

    @property
    def first(self) -> dict[str, object]:
        """The first row by column name; empty if there is none."""
        return dict(zip(self.columns, self.rows[0], strict=True)) if self.rows else {}


class _Reading(NamedTuple):
    pattern: re.Pattern[str]
    judge: Callable[[re.Match[str], Rows], Judged]


DIGITS = r"-?\d[\d,]*(?:\.\d+)?"
NUMBER = rf"(?P<number>{DIGITS}|zero|one|two|three|four|five|six|seven|eight|nine|ten)"
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
SIGN = r"(?P<sign>==|!=|>=|<=|=>|=<|>|<|=|≥|≤|≠)"
NOUN = r"(?:\s+(?P<noun>[a-z_]+(?:\s+[a-z_]+){0,2}))?"
ROW_NOUNS = ("row", "rows", "record", "records", "result", "results", "line", "lines", "entry", "entries")
TRUTHS = {"true": True, "t": True, "yes": True, "false": False, "f": False, "no": False}
PREFIX = re.compile(
    r"^(?:--\s*)?(?:(?:expected|expect|expects|should)\b)?[\s:]*"
    r"(?:(?:result|output|return|returns|outputs|be|show|print)\b)?[\s:=]*",
    re.IGNORECASE,
)
# A remark in brackets that only explains; one with a number or an alternative changes what is meant.
REMARK = re.compile(r"\s*\((?![^)]*(?:\d|\bor\b|\bunless\b|\bif\b|\bexcept\b))[^)]*\)$", re.IGNORECASE)
PAIR = re.compile(
    r"(?P<column>\w+)\s*(?:==|=|:|\bis\b)?\s*(?P<value>'[^']*'|\"[^\"]*\"|[\w.+-]+)", re.IGNORECASE
)
COLUMN = r"(?P<column>[a-z_]\w*)`?"
IS = r"(?:(?:is|=|==|should be|must be)\s+)?"
# `'completed' (if it was parsed)`: the remark does not change which values are meant.
VALUE = r"'[^']*'(?:\s*\([^)]*\))?"
QUOTED = re.compile(r"'[^']*'")
PHRASES = {
    "at least": ">=",
    "at most": "<=",
    "more than": ">",
    "greater than": ">",
    "less than": "<",
    "fewer than": "<",
    "no more than": "<=",
    "no less than": ">=",
    "exactly": "==",
}


# Conditions are joined by semicolons; one within quotes or braces joins nothing.
CONDITION = re.compile(r"(?:(?<!\w)'[^']*'|\"[^\"]*\"|`[^`]*`|\{[^{}]*\}|;(?!\s|$)|[^;])+")


def matches(expected: str, rows: Rows) -> Judged:
    """Do the rows meet every condition of the phrase? One that is not understood is inconclusive, and told."""
    return together([_matches(condition, rows) for condition in conditions(expected) or [expected]])


def conditions(expected: str) -> list[str]:
    """The conditions of a phrase: `true; 9 rows` are two."""
    return [each.strip() for each in CONDITION.findall(expected) if each.strip()]


def together(judged: list[Judged]) -> Judged:
    """The worst verdict, and the reasons that led to it."""
    verdict = worst(each.verdict for each in judged)
    return Judged(verdict, "; ".join(each.message for each in judged if each.verdict is verdict))


def _matches(expected: str, rows: Rows) -> Judged:
    phrase = bare(expected)
    for reading in READINGS:
        found = reading.pattern.fullmatch(phrase)
        if found:
            return reading.judge(found, rows)
    return Judged(
        Verdict.INCONCLUSIVE,
        f"'{expected.strip()}' is not understood, so a person must compare: the query gave {_summary(rows)}",
    )


def bare(expected: str) -> str:
    """A condition without label, emphasis and explaining remark."""
    return unlabelled(REMARK.sub("", expected.strip().strip("*_ ")))


def unlabelled(expected: str) -> str:
    """A condition without label and emphasis."""
    text = expected.strip().strip("*_ ")
    return PREFIX.sub("", text).strip().strip("`*_ ").rstrip(".").strip("` ")


def _summary(rows: Rows) -> str:
    if rows.cell is not None:
        return shown(rows.cell)
    count = len(rows.rows)
    return f"{count} row{'' if count == 1 else 's'}"


def _judged(holds: bool, expected: str, rows: Rows) -> Judged:
    verdict = Verdict.PASSED if holds else Verdict.FAILED
    return Judged(verdict, f"expected {expected}, got {_summary(rows)}")


def _no_rows(found: re.Match[str], rows: Rows) -> Judged:
    if _is_count(rows):
        return _judged(rows.cell == 0, "no rows", rows)
    return _judged(not rows.rows, "no rows", rows)


def _some_rows(found: re.Match[str], rows: Rows) -> Judged:
    return _judged(bool(rows.rows), "at least one row", rows)


def _not_null(found: re.Match[str], rows: Rows) -> Judged:
    return _judged(rows.cell is not None, "not null", rows)


def _null(found: re.Match[str], rows: Rows) -> Judged:
    if len(rows.rows) != 1 or len(rows.columns) != 1:
        return _judged(False, "null", rows)
    return _judged(rows.cell is None, "null", rows)


def _truth(found: re.Match[str], rows: Rows) -> Judged:
    wanted = TRUTHS[found[0].lower()]
    # SQLite has no truth values: its comparisons answer 1 and 0.
    actual = TRUTHS.get(rows.cell.lower()) if isinstance(rows.cell, str) else rows.cell
    return _judged(actual is not None and actual == wanted, found[0].lower(), rows)


def _text(found: re.Match[str], rows: Rows) -> Judged:
    wanted = found["text"]
    return _judged(isinstance(rows.cell, str) and rows.cell == wanted, f"'{wanted}'", rows)


def _amount(found: re.Match[str], rows: Rows) -> Judged:
    return _compare(_sign(found), found, rows)


def _or_more(found: re.Match[str], rows: Rows) -> Judged:
    return _compare(">=", found, rows)


def _between(found: re.Match[str], rows: Rows) -> Judged:
    low, high = _number(found["low"]), _number(found["high"])
    actual = _actual(found["noun"], rows)
    if actual is None or low > high:
        return _unclear(found[0], rows)
    return _judged(low <= actual <= high, f"{readable(low)} to {readable(high)}", rows)


def _or_few(found: re.Match[str], rows: Rows) -> Judged:
    wanted, actual = _number(found["number"]), _actual(None, rows)
    if actual is None or actual != wanted:
        return _unclear(found[0], rows)
    return _judged(True, readable(wanted), rows)


def _column_is(found: re.Match[str], rows: Rows) -> Judged:
    wanted = {each.strip("'") for each in QUOTED.findall(found["values"])}
    return _every_row(found, rows, lambda cell: cell in wanted)


def _column_begins(found: re.Match[str], rows: Rows) -> Judged:
    return _every_row(found, rows, lambda cell: isinstance(cell, str) and cell.startswith(found["begin"]))


def _column_null(found: re.Match[str], rows: Rows) -> Judged:
    return _every_row(found, rows, lambda cell: (cell is None) != bool(found["not"]))


def _column_amount(found: re.Match[str], rows: Rows) -> Judged:
    holds, wanted = OPERATORS[_sign(found)], _number(found["number"])
    return _every_row(found, rows, lambda cell: isinstance(cell, Decimal) and holds(cell, wanted))


def _every_row(found: re.Match[str], rows: Rows, holds: Callable[[object], bool]) -> Judged:
    """Does the column hold what it should, in each row?"""
    names = [name.lower() for name in rows.columns]
    if found["column"].lower() not in names:
        return _unclear(found[0], rows)
    if not rows.rows:
        return Judged(Verdict.FAILED, f"expected {found[0]}, got no row")
    cells = [row[names.index(found["column"].lower())] for row in rows.rows]
    wrong = [cell for cell in cells if not holds(cell)]
    if wrong:
        return Judged(Verdict.FAILED, f"expected {found[0]}, got {shown(wrong[0])}")
    return Judged(Verdict.PASSED, f"{found[0]}: it is so")


def _one_row_with(found: re.Match[str], rows: Rows) -> Judged:
    if len(rows.rows) != 1:
        return _judged(False, "one row", rows)
    pairs = [PAIR.fullmatch(part.strip()) for part in re.split(r",|\band\b", found["rest"])]
    columns = {name.lower(): value for name, value in rows.first.items()}
    if not all(pair and pair["column"].lower() in columns for pair in pairs):
        return _unclear(found[0], rows)
    differing = [
        f"{pair['column']} is {shown(columns[pair['column'].lower()])}"
        for pair in pairs
        if pair and not _equal(columns[pair["column"].lower()], pair["value"])
    ]
    return Judged(
        Verdict.FAILED if differing else Verdict.PASSED, "; ".join(differing) or f"{found[0]}: it is so"
    )


def _compare(sign: str, found: re.Match[str], rows: Rows) -> Judged:
    wanted, actual = _number(found["number"]), _actual(found["noun"], rows)
    if actual is None:
        return _unclear(found[0], rows)
    noun = f" {found['noun']}" if found["noun"] else ""
    holds = OPERATORS[sign](actual, wanted)
    symbol = "" if sign == "==" else f"{SYMBOLS.get(sign, sign)} "
    return _judged(holds, f"{symbol}{readable(wanted)}{noun}", rows)


def _sign(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if groups.get("phrase"):
        return PHRASES[" ".join(groups["phrase"].lower().split())]
    return canonical(groups.get("sign") or "==")


def _actual(noun: str | None, rows: Rows) -> Decimal | None:
    """The number that the phrase speaks of: the single cell, or how many rows there are; None if unclear."""
    if (noun or "").split(" ")[0].lower() in ROW_NOUNS and not _is_count(rows):
        return Decimal(len(rows.rows))
    if len(rows.rows) == 1 and len(rows.columns) == 1:
        return _cell_number(rows.cell, noun)
    if len(rows.rows) == 1 and not noun:
        return None
    return Decimal(len(rows.rows))


def _cell_number(cell: object, noun: str | None) -> Decimal | None:
    if isinstance(cell, Decimal) and cell.is_finite():
        return cell
    # One row with a name in it, of "14+ indexes": it is the rows that are counted.
    return Decimal(1) if noun and isinstance(cell, str) else None


def _is_count(rows: Rows) -> bool:
    return isinstance(rows.cell, Decimal) and "count" in rows.columns[0].lower()


def _equal(actual: object, wanted: str) -> bool:
    bare = wanted.strip("'\"")
    if isinstance(actual, Decimal):
        try:
            return actual == Decimal(bare)
        except InvalidOperation:
            return bare.lower() in TRUTHS and actual == TRUTHS[bare.lower()]
    if isinstance(actual, bool):
        return TRUTHS.get(bare.lower()) is actual
    return (actual is None and bare.lower() == "null") or actual == bare


def _unclear(phrase: str, rows: Rows) -> Judged:
    return Judged(
        Verdict.INCONCLUSIVE,
        f"'{phrase}' cannot be compared by a machine with {_summary(rows)} of {', '.join(rows.columns)}",
    )


def _number(text: str) -> Decimal:
    lowered = text.lower()
    return Decimal(WORDS.index(lowered)) if lowered in WORDS else Decimal(text.replace(",", ""))


def plain(value: object) -> object:
    """A database's value as Rows holds it: None, bool, Decimal or text."""
    match value:
        case None | bool() | str() | Decimal():
            return value
        case int() | float():
            return Decimal(str(value))
        case datetime() | date():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
    return str(value)


def _reading(pattern: str, judge: Callable[[re.Match[str], Rows], Judged]) -> _Reading:
    return _Reading(re.compile(pattern, re.IGNORECASE), judge)


AMOUNTS = (
    _reading(rf"{NUMBER}\s*(?:\+|or more){NOUN}", _or_more),
    _reading(rf"(?:between )?(?P<low>{DIGITS})\s*(?:-|–|to|and)\s*(?P<high>{DIGITS}){NOUN}", _between),
    _reading(rf"(?P<phrase>{'|'.join(PHRASES)})\s+{NUMBER}{NOUN}", _amount),
    _reading(rf"{SIGN}\s*{NUMBER}{NOUN}", _amount),
    _reading(rf"{NUMBER}{NOUN}", _amount),
)
# First match wins, so the particular stand before the general.
READINGS = (
    _reading(rf"(?:no|zero) (?:{'|'.join(ROW_NOUNS)})|(?:an )?empty(?: result)?|none|nothing", _no_rows),
    _reading(rf"some (?:{'|'.join(ROW_NOUNS)})|not empty|non-empty", _some_rows),
    _reading(r"not null|non-null|is not null", _not_null),
    _reading(r"null|is null", _null),
    _reading("|".join(TRUTHS), _truth),
    _reading(
        r"(?:exactly )?(?:one|1|a single) (?:row|record|result) (?:with|where|:) (?P<rest>.+)", _one_row_with
    ),
    _reading(rf"{NUMBER}\s+or\s+(?:very\s+)?(?:low|few|small|close to it)", _or_few),
    *AMOUNTS,
    _reading(rf"{COLUMN}\s+{IS}(?P<not>not )?null", _column_null),
    _reading(rf"{COLUMN}\s+(?:starts|begins) with\s+['\"`]?(?P<begin>[^'\"`]+)['\"`]?", _column_begins),
    _reading(rf"{COLUMN}\s+{IS}(?P<values>{VALUE}(?:(?:,|\s+or)\s+{VALUE})*)", _column_is),
    _reading(rf"{COLUMN}\s+{IS}{SIGN}\s*{NUMBER}", _column_amount),
    _reading(r"'(?P<text>[^']*)'", _text),
    _reading(r"\"(?P<text>[^\"]*)\"", _text),
    _reading(r"(?P<text>[\w.:-]+)", _text),
)
