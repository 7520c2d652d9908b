"""One-line conditions about what a prober saw, such as `[STATUS] == 200` or `[BODY].error_rate < 0.05`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from checks.comparisons import OPERATORS, canonical, readable
from checks.errors import ConditionError, MissingField
from checks.verdicts import Verdict

TEXT_OPERATORS = ("contains", "starts with", "matches")
PRESENCE_OPERATORS = ("exists", "is missing")
ORDERING = ("<", "<=", ">", ">=")
FIELD = re.compile(r"\s*\[(?P<field>[A-Z_]+)\](?P<path>(?:\.[\w-]+|\[\d+\]|\[\"[^\"]*\"\])*)\s*")
PART = re.compile(r"\.([\w-]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")
OPERATION = re.compile(
    r"(?P<sign>==|!=|<=|>=|=>|=<|<|>|=|≤|≥|≠|contains\b|starts with\b|matches\b|exists\b|is missing\b)"
    r"\s*(?P<expected>.*)"
)
SHOWN = 120


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """A field of the facts and the way into its value: `[BODY].items[0]` is BODY and ("items", 0)."""

    text: str
    field: str
    path: tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A look-up, an operator and the expected value (None for `exists`, `is missing` and `null`)."""

    text: str
    look_up: LookUp
    operator: str
    expected: object


class Judged(NamedTuple):
    """A verdict and the sentence that gives its reason."""

    verdict: Verdict
    message: str


def parse(text: str) -> Condition:
    """Read one condition; raises ConditionError: the text, what is wrong with it and the way out."""
    subject, rest = _split(text)
    operation = OPERATION.fullmatch(rest)
    if not operation:
        raise ConditionError(
            f"condition {text!r}: after {subject.text} an operator is missing; use one of "
            f"{', '.join((*OPERATORS, *TEXT_OPERATORS, *PRESENCE_OPERATORS))}"
        )
    sign = canonical(operation["sign"])
    return Condition(
        text=text.strip(),
        look_up=subject,
        operator=sign,
        expected=_expected(text, sign, operation["expected"].strip()),
    )


def parse_look_up(text: str) -> LookUp:
    """Read an expression that names a value, such as `[BODY].error_rate`; raises ConditionError."""
    subject, rest = _split(text)
    if rest:
        raise ConditionError(
            f"{text!r}: {rest!r} stands after the field; a look-up is a field and a path only"
        )
    return subject


def _split(text: str) -> tuple[LookUp, str]:
    found = FIELD.match(text)
    if not found:
        raise ConditionError(
            f"condition {text!r} does not begin with a field in brackets; write for example [STATUS] == 200"
        )
    path = tuple(int(index) if index else name or key for name, index, key in PART.findall(found["path"]))
    subject = LookUp(text=found[0].strip(), field=found["field"], path=path)
    return subject, text[found.end() :].strip()


def _expected(text: str, sign: str, written: str) -> object:
    if sign in PRESENCE_OPERATORS:
        if written:
            raise ConditionError(f"condition {text!r}: nothing may follow {sign!r}, but {written!r} does")
        return None
    value = _literal(text, written)
    if sign in ORDERING and not _is_number(value):
        raise ConditionError(f"condition {text!r}: {sign} compares numbers, and {written} is none")
    if sign in TEXT_OPERATORS and not isinstance(value, str):
        raise ConditionError(f'condition {text!r}: {sign!r} wants a text in double quotes, as in "pong"')
    if sign == "matches":
        _check_pattern(text, str(value))
    return value


def _literal(text: str, written: str) -> object:
    if not written:
        raise ConditionError(
            f"condition {text!r}: the value to compare with is missing, as in [STATUS] == 200"
        )
    try:
        value = read_json(written)
    except ValueError:
        raise ConditionError(
            f"condition {text!r}: {written} is no number, true, false, null or text in double quotes"
        ) from None
    if isinstance(value, Decimal) and not value.is_finite():
        raise ConditionError(f"condition {text!r}: {written} is not a number to compare with")
    return value


def _check_pattern(text: str, pattern: str) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ConditionError(
            f"condition {text!r}: {pattern!r} is not a regular expression: {error}"
        ) from None


def read_json(text: str | bytes) -> object:
    """JSON with every number an exact Decimal (NaN and infinities too); raises ValueError."""
    try:
        return json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal)
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None


def look_up(expression: str | LookUp, facts: Mapping[str, object]) -> object:
    """The value an expression names; raises MissingField if it is not there, ConditionError if unreadable."""
    subject = parse_look_up(expression) if isinstance(expression, str) else expression
    if subject.field not in facts:
        raise MissingField(f"{subject.text}: there is no [{subject.field}]; there is {_fields(facts)}")
    value = facts[subject.field]
    for part in subject.path:
        value = _step(subject, value, part)
    return value


def _step(subject: LookUp, value: object, part: str | int) -> object:
    # Header names are the one mapping whose keys have no case.
    key = part.lower() if subject.field == "HEADER" and isinstance(part, str) else part
    match key, value:
        case int(), list() if key < len(value):
            return value[key]
        case str(), Mapping() if key in value:
            return value[key]
    raise MissingField(f"{subject.text} is missing: there is no {part!r} in {shown(value)}")


def _fields(facts: Mapping[str, object]) -> str:
    return ", ".join(f"[{name}]" for name in facts) or "nothing"


def judge(condition: Condition, facts: Mapping[str, object]) -> Judged:
    """Verdict and message of one condition; a missing field or another kind of value is an error, never 0."""
    try:
        actual = look_up(condition.look_up, facts)
    except MissingField as missing:
        return _judge_missing(condition, str(missing))
    if condition.operator in PRESENCE_OPERATORS:
        return _judged(condition, condition.operator == "exists", actual)
    refusal = _incomparable(condition, actual)
    if refusal:
        return Judged(Verdict.ERROR, f"{condition.text}: {refusal}")
    return _judged(condition, _holds(condition, actual), actual)


def _judge_missing(condition: Condition, message: str) -> Judged:
    if condition.operator == "exists":
        return Judged(Verdict.FAILED, message)
    if condition.operator == "is missing":
        return Judged(Verdict.PASSED, condition.text)
    return Judged(Verdict.ERROR, message)


def _judged(condition: Condition, holds: bool, actual: object) -> Judged:
    if holds:
        return Judged(Verdict.PASSED, f"{condition.text}: is {shown(actual)}")
    return Judged(Verdict.FAILED, f"{condition.text}: is {shown(actual)}")


def _incomparable(condition: Condition, actual: object) -> str:
    """Why the two cannot be compared; empty if they can."""
    if _is_number(actual) and not Decimal(str(actual)).is_finite():
        return f"is {actual}, not a finite number"
    if condition.operator in TEXT_OPERATORS:
        fits = isinstance(actual, str) or (isinstance(actual, list) and condition.operator == "contains")
        return "" if fits else f"is {shown(actual)}, not a text"
    if actual is None or condition.expected is None:
        return "" if condition.operator in ("==", "!=") else "is null, not a number"
    if _sort(actual) != _sort(condition.expected):
        return f"is {shown(actual)}, {_sort(actual)}, and cannot be compared with {_sort(condition.expected)}"
    return ""


def _holds(condition: Condition, actual: object) -> bool:
    expected = condition.expected
    if _is_number(actual) and _is_number(expected):
        return OPERATORS[condition.operator](Decimal(str(actual)), Decimal(str(expected)))
    match condition.operator:
        case "contains":
            return expected in actual  # type: ignore[operator]
        case "starts with":
            return str(actual).startswith(str(expected))
        case "matches":
            return re.search(str(expected), str(actual)) is not None
        case "!=":
            return actual != expected
    return actual == expected


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _sort(value: object) -> str:
    if _is_number(value):
        return "a number"
    names = {bool: "a truth value", str: "a text", list: "a list", type(None): "null"}
    return names.get(type(value), "an object")


def shown(value: object, *, limit: int = SHOWN) -> str:
    """A value as one short line of a message: JSON, cut at `limit` characters."""
    if isinstance(value, Decimal):
        return readable(value)
    text = " ".join(json.dumps(value, default=_plain, ensure_ascii=False).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _plain(value: object) -> object:
    if isinstance(value, Decimal) and value.is_finite():
        return int(value) if value.adjusted() < 16 and value == value.to_integral_value() else float(value)
    return dict(value) if isinstance(value, Mapping) else str(value)
