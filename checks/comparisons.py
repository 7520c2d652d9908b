"""Operators and numbers as people write and read them; shared by conditions, thresholds and expectations."""

import operator
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

OPERATORS: dict[str, Callable[[Decimal, Decimal], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
OPPOSITES = {"==": "!=", "!=": "==", "<": "≥", "<=": ">", ">": "≤", ">=": "<"}
ALIASES = {"≤": "<=", "≥": ">=", "≠": "!=", "=": "==", "=>": ">=", "=<": "<="}
SYMBOLS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠"}
UNIT_SIGNS = {"percent": "%", "%": "%"}


def canonical(sign: str) -> str:
    """`≥` as `>=` and so on; an unknown sign comes back as it is."""
    return ALIASES.get(sign, sign)


def readable(value: Decimal) -> str:
    """At most four significant decimals, no exponent in the ordinary range: `0.05`, `1234.5`, `20`."""
    if not value.is_finite() or abs(value.adjusted()) > 15:
        return str(value)
    text = f"{value:f}" if value == value.to_integral_value() else f"{_rounded(value):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(value: Decimal) -> Decimal:
    return round(value, max(2, 3 - value.adjusted()))


def with_unit(value: Decimal, unit: str) -> str:
    """`20 %`, `512 ms`, `3`."""
    return f"{readable(value)} {UNIT_SIGNS.get(unit, unit)}".rstrip()


def duration(span: timedelta) -> str:
    """`40 s`, `2 min`, `2 min 30 s`, `1 h`; below a second with its decimals."""
    if span < timedelta(minutes=1):
        return f"{span.total_seconds():.3g} s"
    parts, rest = [], round(span.total_seconds())
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
