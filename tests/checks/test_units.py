"""Units convert exactly, or say why they do not."""

from decimal import Decimal

import pytest

from checks.errors import UnitError
from checks.units import convert

CONVERSIONS = [
    ("5", "percent", "ratio", "0.05"),
    ("0.2", "ratio", "%", "20"),
    ("1.5", "s", "ms", "1500"),
    ("90", "minutes", "hours", "1.5"),
    ("2", "d", "min", "2880"),
    ("1", "GB", "MB", "1000"),
    ("1", "GiB", "MiB", "1024"),
    ("1", "MiB", "B", "1048576"),
    ("60", "MB/hour", "MB/min", "1"),
    ("2", "req/s", "requests/min", "120"),
    ("10", "rps", "req/s", "10"),
    ("7", "count", "", "7"),
    ("3", "orders", "orders", "3"),
]


@pytest.mark.parametrize(("value", "source", "target", "expected"), CONVERSIONS)
def test_a_value_is_said_in_another_unit(value, source, target, expected):
    assert convert(Decimal(value), from_unit=source, to_unit=target) == Decimal(expected)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        ("percent", "ms", "'percent' (share) cannot be converted to 'ms' (time)"),
        ("", "percent", "a bare count (count) cannot be converted to 'percent' (share)"),
        ("MB/hour", "MB", "'MB/hour' (size per time) cannot be converted to 'MB' (size)"),
        ("parsecs", "s", "unknown unit 'parsecs'"),
        ("Mb", "MB", "unknown unit 'Mb'"),
        ("MB/KB", "MB", "after the slash stands a time"),
    ],
)
def test_what_measures_something_else_is_refused(source, target, said):
    with pytest.raises(UnitError) as refusal:
        convert(Decimal(1), from_unit=source, to_unit=target)
    assert said in str(refusal.value)
