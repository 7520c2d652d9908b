"""Kind sql, on both databases: it reads, and it cannot write."""

import sqlite3
import time
from contextlib import closing
from decimal import Decimal

import psycopg
import pytest

from checks.errors import QueryError, Unreachable
from checks.observe import ask, problems
from checks.probers.sql import select, statements
from checks.verdicts import Verdict
from tests.checks.conftest import make_question

SCHEMA = "CREATE TABLE orders (id integer PRIMARY KEY, name text, price numeric)"
ORDERS = "INSERT INTO orders VALUES (1, 'tea', 2.50), (2, 'milk', 1.25), (3, NULL, 4)"
ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def sqlite_url(tmp_path):
    """An SQLite database with three orders."""
    with closing(sqlite3.connect(tmp_path / "shop db.sqlite3")) as connection, connection:
        connection.execute(SCHEMA)
        connection.execute(ORDERS)
    return f"sqlite:///{tmp_path}/shop%20db.sqlite3"


@pytest.fixture
def filled_postgres_url(postgres_url):
    """A PostgreSQL database with three orders."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(SCHEMA)
        connection.execute(ORDERS)
    return postgres_url


@pytest.fixture(params=["sqlite_url", "filled_postgres_url"])
def database_url(request):
    """Each database in turn."""
    return request.getfixturevalue(request.param)


def asked(url, query, **overrides):
    options = {"query": query} | overrides.pop("options", {})
    (answer,) = ask([make_question("sql", "$URL", options=options, variables={"URL": url}, **overrides)])
    return answer


def test_rows_value_and_row_are_facts(database_url):
    answer = asked(
        database_url,
        "SELECT id, name, price FROM orders ORDER BY id; -- the oldest first",
        conditions=("[ROWS] == 3", "[VALUE] == 1", '[ROW].name == "tea"', "[ROW].price == 2.5"),
        readings={"orders": "[ROWS]"},
    )
    assert answer.verdict is Verdict.PASSED, answer.message
    assert answer.readings == {"orders": Decimal(3)}


def test_what_a_runbook_expects_is_compared(database_url):
    query = "SELECT count(*) FROM orders"
    assert asked(database_url, query, options={"expected": "≥ 3"}).verdict is Verdict.PASSED
    assert asked(database_url, query, options={"expected": "9 rows"}).message == "expected 9 rows, got 3"
    assert asked(database_url, query, options={"expected": "many"}).verdict is Verdict.FAILED
    assert (
        asked(database_url, query, options={"expected": "as many as before"}).verdict is Verdict.INCONCLUSIVE
    )


def test_a_null_is_no_number(database_url):
    answer = asked(database_url, "SELECT name FROM orders WHERE id = 3", readings={"name": "[VALUE]"})
    assert answer.verdict is Verdict.ERROR
    assert answer.readings == {}


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM orders",
        "SELECT 1; DELETE FROM orders",
        "SELECT 1; COMMIT; DELETE FROM orders",
        "WITH gone AS (DELETE FROM orders RETURNING id) SELECT * FROM gone",
        "EXPLAIN DELETE FROM orders; COMMIT",
        "",
        "SELECT nonsense FROM orders",
    ],
)
def test_what_writes_or_is_no_query_is_refused(database_url, query):
    assert asked(database_url, query).verdict is Verdict.ERROR
    assert select(database_url, "SELECT count(*) FROM orders").cell == 3


def test_sqlite_opens_no_second_file(sqlite_url, tmp_path):
    with pytest.raises(QueryError, match="only reading statements are run here, not ATTACH"):
        select(sqlite_url, f"ATTACH '{tmp_path}/other.sqlite3' AS other")
    assert not (tmp_path / "other.sqlite3").exists()


def test_an_endless_query_is_ended(database_url):
    started = time.monotonic()
    answer = asked(database_url, ENDLESS, timeout=0.5)
    assert answer.verdict is Verdict.FAILED
    assert "no answer within 0.5 s" in answer.message
    assert time.monotonic() - started < 4


def test_more_rows_than_one_can_look_at_are_refused(database_url):
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT x FROM n"
    with pytest.raises(Unreachable, match="more than 10000 rows; count them in the query"):
        select(database_url, many)


def test_a_database_that_is_down_fails_and_keeps_its_password(tmp_path, closed_port):
    assert asked(f"sqlite:///{tmp_path}/none.sqlite3", "SELECT 1").verdict is Verdict.FAILED
    assert not (tmp_path / "none.sqlite3").exists()
    answer = asked(f"postgres://me:s3cret-word@127.0.0.1:{closed_port}/shop", "SELECT 1")
    assert answer.verdict is Verdict.FAILED
    assert answer.message.startswith("database shop at 127.0.0.1: ")
    assert "s3cret-word" not in answer.message


def test_a_file_that_is_no_database_fails(tmp_path):
    (tmp_path / "text").write_text("hello " * 1000)
    answer = asked(f"sqlite:///{tmp_path}/text", "SELECT 1 FROM sqlite_master")
    assert answer.verdict is Verdict.FAILED
    assert "file is not a database" in answer.message


def test_another_make_of_database_is_named():
    assert asked("mysql://localhost/shop", "SELECT 1").message == (
        "databases of kind 'mysql' are not supported: use sqlite:/// or postgres://"
    )


def test_a_text_is_split_into_statements():
    assert statements("SELECT ';'; -- one; two\nSELECT $$;$$ /* ; */;;\nSELECT \"a;b\"") == [
        "SELECT ';'",
        "SELECT $$;$$",
        'SELECT "a;b"',
    ]


def test_a_question_without_a_query_is_a_problem():
    assert [found.id for found in problems(make_question("sql", "$DATABASE_URL"))] == ["probe-query"]
    assert [found.id for found in problems(make_question("sql", "x", options={"query": "SELECT 1"}))] == [
        "probe-target"
    ]
