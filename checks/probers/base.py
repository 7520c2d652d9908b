"""The contract of a prober, and what every kind shares: checking a question, judging what was seen."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from checks.conditions import Condition, Judged, LookUp, judge, look_up, parse, parse_look_up, shown
from checks.errors import ConditionError, MissingField, UnknownVariable
from checks.problems import Problem
from checks.verdicts import Verdict, worst

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([A-Za-z_]\w*))")
SHOWN = 300
MOST_DIGITS = 18  # before the point: what a stored measurement can hold
TYPES = {str: "a text", int: "a whole number", list: "a list", dict: "a table"}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: of whom (`target`), how (`options`), what must hold, and which values to read off."""

    kind: str
    target: str = ""
    options: Mapping[str, object] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The worst verdict, its reason in one line, the named readings, and the facts as short texts to show."""

    verdict: Verdict
    message: str
    readings: Mapping[str, Decimal] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    elapsed_ms: float = 0.0


class Prober(Protocol):
    """One kind of question. Its constructor takes nothing; it keeps no state between questions."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The facts that conditions and readings may name."""
        ...

    @property
    def options(self) -> Mapping[str, type]:
        """The options it knows, with the type of each."""
        ...

    def problems(self, question: Question) -> list[Problem]:
        """What is wrong with the question as it was written; asked when it is saved."""
        ...

    async def ask(self, question: Question) -> Answer:
        """Ask it. A source that is down or answers nonsense is an answer too, never an exception."""
        ...


def shape_problems(question: Question, prober: Prober) -> list[Problem]:
    """The problems any kind can have: unreadable conditions, unknown fields and options."""
    return [
        *_option_problems(question, prober.options),
        *_field_problems(
            question.conditions, prober, where="conditions", read=lambda text: parse(text).look_up
        ),
        *_field_problems(question.readings.values(), prober, where="readings", read=parse_look_up),
        *_timeout_problems(question),
    ]


def _option_problems(question: Question, known: Mapping[str, type]) -> Iterator[Problem]:
    for name, value in question.options.items():
        if name not in known:
            hint = f"known are {', '.join(known)}" if known else "this kind has none"
            yield problem(
                f"option {name!r} is not known to kind {question.kind}", hint, "options", "probe-option"
            )
        elif not isinstance(value, known[name]):
            hint = f"it wants {TYPES[known[name]]}"
            yield problem(f"option {name!r} is {value!r}", hint, "options", "probe-option")


def _field_problems(
    texts: Iterable[str], prober: Prober, *, where: str, read: Callable[[str], LookUp]
) -> Iterator[Problem]:
    for text in texts:
        try:
            field_name = read(text).field
        except ConditionError as unreadable:
            yield problem(
                str(unreadable), "docs/probers.md shows how they are written", where, "probe-condition"
            )
            continue
        if field_name not in prober.fields:
            hint = f"this kind knows {', '.join(f'[{name}]' for name in prober.fields)}"
            yield problem(f"{text!r} asks for [{field_name}]", hint, where, "probe-field")


def _look_up_of(condition: str) -> LookUp:
    return parse(condition).look_up


def _timeout_problems(question: Question) -> Iterator[Problem]:
    if question.timeout <= 0:
        yield problem(
            f"timeout is {question.timeout:g} s", "give more than 0 seconds", "timeout", "probe-timeout"
        )


def problem(message: str, hint: str, where: str, id: str) -> Problem:
    """An error of a question."""
    return Problem("error", message, hint, where, id)


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """`text` with `$NAME` and `${NAME}` replaced; raises UnknownVariable where one is not set."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if name not in variables:
            raise UnknownVariable(
                f"variable {name} is not set in this environment; add it to [environment.variables]"
            )
        return variables[name]

    return VARIABLE.sub(value, text)


def within(folder: str, path: str) -> Path:
    """`path` as it is seen from the environment's folder."""
    return Path(folder or ".") / path


def answer(
    question: Question,
    facts: Mapping[str, object],
    *,
    elapsed_ms: float = 0.0,
    conditions: Sequence[str] = (),
    seen: Sequence[Judged] = (),
) -> Answer:
    """Judge the facts by the question's conditions (`conditions` where it has none) and take its readings.

    `seen` are verdicts that the prober itself came to; the worst of all decides.
    """
    texts = question.conditions or tuple(conditions)
    readings, missed = _readings(question.readings, facts)
    judged = [*seen, *(_judge(text, facts, question.variables) for text in texts), *missed]
    return Answer(
        verdict=worst(each.verdict for each in judged) if judged else Verdict.PASSED,
        message=_message(judged),
        readings=readings,
        facts={name: _display(value) for name, value in facts.items()},
        elapsed_ms=elapsed_ms,
    )


def failed(message: str, *, elapsed_ms: float = 0.0) -> Answer:
    """The source said no: it is down, slow, or refuses."""
    return Answer(verdict=Verdict.FAILED, message=message, elapsed_ms=elapsed_ms)


def error(message: str, *, elapsed_ms: float = 0.0) -> Answer:
    """The question could not be asked."""
    return Answer(verdict=Verdict.ERROR, message=message, elapsed_ms=elapsed_ms)


def _judge(text: str, facts: Mapping[str, object], variables: Mapping[str, str]) -> Judged:
    try:
        return judge(_with_variables(parse(text), variables), facts)
    except (ConditionError, UnknownVariable) as wrong:
        return Judged(Verdict.ERROR, str(wrong))


def _with_variables(condition: Condition, variables: Mapping[str, str]) -> Condition:
    # A pattern's own $ is an anchor, not a variable.
    if not isinstance(condition.expected, str) or condition.operator == "matches":
        return condition
    return replace(condition, expected=expanded(condition.expected, variables))


def _readings(
    expressions: Mapping[str, str], facts: Mapping[str, object]
) -> tuple[dict[str, Decimal], list[Judged]]:
    readings: dict[str, Decimal] = {}
    missed: list[Judged] = []
    for name, expression in expressions.items():
        try:
            readings[name] = _number(look_up(expression, facts), expression)
        except (ConditionError, MissingField) as wrong:
            missed.append(Judged(Verdict.ERROR, f"reading {name}: {wrong}"))
    return readings, missed


def _number(value: object, expression: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise MissingField(f"{expression} is {_display(value)!r}, not a number")
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise MissingField(f"{expression} is {value}, not a finite number")
    if exact.adjusted() >= MOST_DIGITS:
        raise MissingField(f"{expression} is {exact}, too large for a measurement")
    return exact


def _message(judged: Sequence[Judged]) -> str:
    bad = [each for each in judged if each.verdict is not Verdict.PASSED]
    return "; ".join(each.message for each in bad or judged)


def _display(value: object) -> str:
    if isinstance(value, str):
        return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
    return shown(value, limit=SHOWN)


def table(options: Mapping[str, object], name: str) -> dict[str, str]:
    """The option `name` as a table of texts; empty if it is not given."""
    value = options.get(name, {})
    return {str(key): str(each) for key, each in value.items()} if isinstance(value, Mapping) else {}


def names(options: Mapping[str, object], name: str) -> list[str]:
    """The option `name` as a list of texts; empty if it is not given."""
    value = options.get(name, [])
    return [str(each) for each in value] if isinstance(value, list | tuple) else []
