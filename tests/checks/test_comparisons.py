"""Numbers and times as a person reads them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from checks.comparisons import duration, readable, with_unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("20", "20"),
        ("20.000", "20"),
        ("0.05", "0.05"),
        ("0.0512345", "0.05123"),
        ("1234.5678", "1234.57"),
        ("1200", "1200"),
        ("1E+3", "1000"),
        ("0.00", "0"),
        ("1E+999999", "1E+999999"),
        ("NaN", "NaN"),
    ],
)
def test_a_number_reads_plainly(value, text):
    assert readable(Decimal(value)) == text


def test_a_count_has_no_unit_to_show():
    assert with_unit(Decimal(3), "") == "3"
    assert with_unit(Decimal("2.5"), "percent") == "2.5 %"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5, "0.5 s"), (40, "40 s"), (120, "2 min"), (150, "2 min 30 s"), (3600, "1 h"), (90000, "1 d 1 h")],
)
def test_a_duration_reads_plainly(seconds, text):
    assert duration(timedelta(seconds=seconds)) == text
