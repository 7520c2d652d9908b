"""Kind `sql`: a read-only query; the one file that imports database drivers."""

import asyncio
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from checks.conditions import Judged, shown
from checks.errors import ChecksError, QueryError, UnknownVariable, Unreachable
from checks.expectations import Rows, matches, plain
from checks.probers.base import (
    Answer,
    Question,
    answer,
    error,
    expanded,
    failed,
    problem,
    shape_problems,
    within,
)
from checks.problems import Problem
from checks.verdicts import Verdict

MOST_ROWS = 10_000
SQLITE, POSTGRES = "sqlite", ("postgres", "postgresql")
READING = re.compile(r"\s*(?:\(\s*)*(select|with|values|table|show|explain|pragma)\b", re.IGNORECASE)
# Quoted texts and comments, in which a semicolon ends nothing.
PIECES = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?P<tag>\$\w*\$).*?(?P=tag)|(?P<comment>--[^\n]*|/\*.*?\*/)|(?P<end>;)|.",
    re.DOTALL,
)
ALLOWED_IN_SQLITE = {
    sqlite3.SQLITE_SELECT,
    sqlite3.SQLITE_READ,
    sqlite3.SQLITE_FUNCTION,
    sqlite3.SQLITE_RECURSIVE,
    sqlite3.SQLITE_PRAGMA,
}


class SqlProber:
    """Target: `sqlite:///path` or `postgres://…`, often `$DATABASE_URL`. Option `query`: what to read.

    Option `expected`: what the answer must be, in words ("9 rows", "true", "≥ 3").
    """

    fields = ("ROWS", "VALUE", "ROW", "RESPONSE_TIME")
    options = {"query": str, "expected": str}

    def problems(self, question: Question) -> list[Problem]:
        """Also no query, several, or one that does not read, and a database of another make."""
        found = shape_problems(question, self)
        try:
            _check_statement(str(question.options.get("query", "")))
        except QueryError as wrong:
            found.append(problem(str(wrong), "write one SELECT in options.query", "options", "probe-query"))
        if not question.target.startswith(("$", "sqlite://", "postgres://", "postgresql://")):
            hint = "write sqlite:////path, postgres://…, or $DATABASE_URL"
            # The target may hold a password, so it is not repeated.
            found.append(problem("the target is no database URL", hint, "target", "probe-target"))
        return found

    async def ask(self, question: Question) -> Answer:
        """FAILED when it is down, slow, or the rows are not as expected; ERROR when it refuses the query."""
        started = time.monotonic()
        query = str(question.options.get("query", ""))
        try:
            rows = await query_rows(
                expanded(question.target, question.variables),
                query,
                folder=question.folder,
                timeout=question.timeout,
            )
        except Unreachable as unreachable:
            return failed(str(unreachable), elapsed_ms=_since(started))
        except (QueryError, UnknownVariable) as wrong:
            return error(str(wrong), elapsed_ms=_since(started))
        facts = {**_facts(rows), "RESPONSE_TIME": round(_since(started), 3)}
        return answer(question, facts, elapsed_ms=_since(started), seen=[_judged(question, rows)])


def _since(started: float) -> float:
    return (time.monotonic() - started) * 1000


def _facts(rows: Rows) -> dict[str, object]:
    value = {"VALUE": rows.rows[0][0]} if rows.rows and rows.columns else {}
    return {"ROWS": len(rows.rows), **value, "ROW": rows.first}


def _judged(question: Question, rows: Rows) -> Judged:
    expected = str(question.options.get("expected", ""))
    if expected:
        return matches(expected, rows)
    return Judged(Verdict.PASSED, f"{len(rows.rows)} rows, the first: {shown(rows.first)}")


def select(url: str, query: str, *, folder: str = "", timeout: float = 10.0) -> Rows:
    """The rows of one reading statement, for callers without an event loop; raises as `query_rows`."""
    return asyncio.run(query_rows(url, query, folder=folder, timeout=timeout))


async def query_rows(url: str, query: str, *, folder: str = "", timeout: float = 10.0) -> Rows:
    """Run one reading statement in a read-only transaction, ended after `timeout` seconds.

    Raises Unreachable (down, slow, more than 10,000 rows) or QueryError (refused, writes, not one statement).
    """
    statement = _check_statement(query)
    scheme = urlsplit(url).scheme
    if scheme == SQLITE:
        return await asyncio.to_thread(_sqlite, url, statement, folder, timeout)
    if scheme in POSTGRES:
        return await _postgres(url, statement, timeout)
    raise QueryError(
        f"databases of kind {scheme or 'unknown'!r} are not supported: use sqlite:/// or postgres://"
    )


def statements(text: str) -> list[str]:
    """The statements of an SQL text without comments and empty ones; semicolons in quotes end nothing."""
    found, current = [], ""
    for piece in PIECES.finditer(text):
        if piece["end"]:
            found.append(current.strip())
            current = ""
        elif not piece["comment"]:
            current += piece[0]
    return [statement for statement in [*found, current.strip()] if statement]


def _check_statement(query: str) -> str:
    several = statements(query)
    if len(several) != 1:
        raise QueryError(f"there are {len(several)} statements instead of one")
    if not READING.match(several[0]):
        raise QueryError(f"only reading statements are run here, not {several[0].split()[0].upper()}")
    return several[0]


def _sqlite(url: str, statement: str, folder: str, timeout: float) -> Rows:
    path = within(folder, unquote(urlsplit(url).path.removeprefix("/")))
    deadline = time.monotonic() + timeout
    with _sqlite_errors(path, timeout), closing(_open_sqlite(path, timeout)) as connection:
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(_allow)
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 10_000)
        cursor = connection.execute(statement)
        return _rows(
            str(path), tuple(each[0] for each in cursor.description or ()), cursor.fetchmany(MOST_ROWS + 1)
        )


def _open_sqlite(path: Path, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=timeout)


def _allow(action: int, *_: object) -> int:
    return sqlite3.SQLITE_OK if action in ALLOWED_IN_SQLITE else sqlite3.SQLITE_DENY


@contextmanager
def _sqlite_errors(path: Path, timeout: float) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeError) as wrong:
        text = str(wrong)
        if "interrupted" in text or "locked" in text:
            raise Unreachable(f"{path}: no answer within {timeout:g} s ({text})") from None
        if "unable to open" in text or "not a database" in text or "malformed" in text:
            raise Unreachable(f"{path}: {text}") from None
        raise QueryError(f"{path}: {text}") from None


async def _postgres(url: str, statement: str, timeout: float) -> Rows:
    import psycopg  # 0.1 s of start-up, and not every installation has a PostgreSQL

    try:
        async with asyncio.timeout(timeout):
            return await _postgres_rows(url, statement, timeout)
    except TimeoutError:
        raise Unreachable(f"{_where(url)}: no answer within {timeout:g} s") from None
    except psycopg.errors.QueryCanceled:
        raise Unreachable(f"{_where(url)}: no answer within {timeout:g} s") from None
    except psycopg.Error as wrong:
        raise _of_postgres(url, wrong) from None


async def _postgres_rows(url: str, statement: str, timeout: float) -> Rows:
    import psycopg  # as above

    connection = await psycopg.AsyncConnection.connect(url, connect_timeout=max(2, int(timeout)))
    async with connection:
        await connection.set_read_only(True)
        await connection.execute(
            "SELECT set_config('statement_timeout', %s, true)", [str(int(timeout * 1000))]
        )
        cursor = connection.cursor()
        # Streamed: a table of ten million rows must not fill the memory before it is refused.
        found: list[tuple[object, ...]] = []
        async for row in cursor.stream(statement.encode()):
            found.append(row)
            if len(found) > MOST_ROWS:
                break
        return _rows(_where(url), tuple(column.name for column in cursor.description or ()), found)


def _of_postgres(url: str, wrong: Exception) -> ChecksError:
    """Without an SQLSTATE the server was not reached. The text may quote the URL: its password goes."""
    text = " ".join(str(wrong).replace(urlsplit(url).password or "\0", "•••").split())
    state = getattr(wrong, "sqlstate", None)
    if state is None or state.startswith(("08", "28", "3D", "53", "57")):
        return Unreachable(f"{_where(url)}: {text}")
    return QueryError(f"{_where(url)}: {text}")


def _where(url: str) -> str:
    parts = urlsplit(url)
    return f"database {parts.path.lstrip('/')} at {parts.hostname or 'the local socket'}"


def _rows(where: str, columns: tuple[str, ...], found: list[tuple[object, ...]]) -> Rows:
    if len(found) > MOST_ROWS:
        raise Unreachable(f"{where}: the query gives more than {MOST_ROWS} rows; count them in the query")
    return Rows(columns=columns, rows=tuple(tuple(plain(value) for value in row) for row in found))
