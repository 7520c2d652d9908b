"""What runbooks expect of a query, in words."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.expectations import Rows, matches, plain
from checks.verdicts import Verdict


def cell(value, column="value") -> Rows:
    return Rows(columns=(column,), rows=((plain(value),),))


def table(count, columns=("id", "name")) -> Rows:
    return Rows(
        columns=columns, rows=tuple(tuple(f"{name}{row}" for name in columns) for row in range(count))
    )


ONE = Rows(columns=("name", "stock", "active"), rows=(("tea", Decimal(7), True),))
CASES = [
    ("9 rows", table(9), "passed"),
    ("9 rows", table(8), "failed"),
    ("Expected: 9 rows", table(9), "passed"),
    ("-- Expected: 9 rows", cell(9, "count(*)"), "passed"),
    ("9 rows", cell(9, "id"), "failed"),
    ("nine rows", table(9), "passed"),
    ("no rows", table(0), "passed"),
    ("0 rows", table(1), "failed"),
    ("empty", table(0), "passed"),
    ("0", cell(0), "passed"),
    ("0", cell(3), "failed"),
    ("0", table(0), "passed"),
    ("0", table(2), "failed"),
    ("0 (no orphans)", cell(0), "passed"),
    ("0 (or 1 on staging)", cell(0), "inconclusive"),
    ("true", cell(True), "passed"),
    ("Should output: true", cell(1), "passed"),
    ("should return true", cell("t"), "passed"),
    ("true", cell(0), "failed"),
    ("true", table(0), "failed"),
    ("≥ 3", cell(3), "passed"),
    (">= 3 rows", table(2), "failed"),
    ("at least 3", cell(2), "failed"),
    ("more than 1,000", cell(1001), "passed"),
    ("fewer than 10 rows", table(3), "passed"),
    ("> 0", cell(5), "passed"),
    ("14+ indexes", table(15, ("indexname",)), "passed"),
    ("14+ indexes", cell(14), "passed"),
    ("14+ indexes", cell("orders_pkey"), "failed"),
    ("3 or more", cell(3), "passed"),
    ("between 3 and 5", cell(4), "passed"),
    ("3-5 rows", table(6), "failed"),
    ("`9 rows`.", table(9), "passed"),
    ("one row with name = 'tea' and stock 7", ONE, "passed"),
    ("one row with stock = 8", ONE, "failed"),
    ("one row with active true", ONE, "passed"),
    ("one row with the new column filled", ONE, "inconclusive"),
    ("one row with name tea", table(2), "failed"),
    ("not null", cell(None), "failed"),
    ("null", cell(None), "passed"),
    ("'active'", cell("active"), "passed"),
    ("ok", cell("ok"), "passed"),
    ("ok", cell("row 3 missing from index"), "failed"),
    ("1", ONE, "inconclusive"),
    ("1.2.3", cell("1.2.3"), "passed"),
    ("2026-01", cell(5), "inconclusive"),
    ("2026-01-31", cell("2026-01-31"), "passed"),
    ("-1 to 1", cell(0), "passed"),
    ("about as many as before", cell(5), "inconclusive"),
    ("", cell(5), "inconclusive"),
    ("0.1", cell(0.1), "passed"),
    ("true; 9 rows", cell(True), "failed"),
    ("≥ 3; less than 10", cell(5), "passed"),
    ("≥ 3; less than 10", cell(50), "failed"),
    ("≥ 3; about as many as before", cell(5), "inconclusive"),
    ("≥ 3; about as many as before", cell(1), "failed"),
    ("'a; b'", cell("a; b"), "passed"),
    ("0 or very low", cell(0), "passed"),
    ("0 or very low", cell(7), "inconclusive"),
    ("~100% 'direct' parse method", ONE, "inconclusive"),
    ("`name` is NOT NULL", ONE, "passed"),
    ("name is null", ONE, "failed"),
    ("`name` starts with `te`", ONE, "passed"),
    ("name starts with co", ONE, "failed"),
    ("`name` is 'coffee' (if hot) or 'tea' (if not)", ONE, "passed"),
    ("name is 'coffee' or 'cocoa'", ONE, "failed"),
    ("stock >= 7; name is not null", ONE, "passed"),
    ("stock < 7", ONE, "failed"),
    ("owner is not null", ONE, "inconclusive"),
    ("name is not null", table(0), "failed"),
    ("name starts with name", table(3), "passed"),
    ("name is recent timestamp", ONE, "inconclusive"),
]


@pytest.mark.parametrize(
    ("expected", "rows", "verdict"), CASES, ids=[f"{c[0]}-{c[2]}-{i}" for i, c in enumerate(CASES)]
)
def test_a_phrase_is_compared_with_the_rows(expected, rows, verdict):
    assert matches(expected, rows).verdict == verdict


def test_the_message_says_what_was_expected_and_what_came():
    assert matches("9 rows", table(8)).message == "expected 9 rows, got 8 rows"
    assert matches("≥ 3", cell(2)).message == "expected ≥ 3, got 2"
    assert matches("some day", cell(2)).message == (
        "'some day' is not understood, so a person must compare: the query gave 2"
    )


@given(st.text(max_size=40), st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text()))
def test_no_phrase_and_no_value_break_it(phrase, value):
    for rows in (cell(value), table(2), ONE):
        assert isinstance(matches(phrase, rows).verdict, Verdict)
