"""The stand-in's database: SQLite or PostgreSQL by DATABASE_URL, statements with `:name` in both."""

import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg

URL = os.environ["DATABASE_URL"]
ERRORS = (sqlite3.Error, psycopg.Error)
NAME = re.compile(r"(?<!:):([a-z_]+)")


def ask(statement: str) -> list[tuple[Any, ...]]:
    """Every row of a statement that reads."""
    with _cursor() as cursor:
        cursor.execute(statement)
        return [tuple(row) for row in cursor.fetchall()]


def change(statement: str, values: Mapping[str, Any]) -> None:
    """One statement that writes; a name that `values` lacks is null."""
    named = {name: values.get(name) for name in NAME.findall(statement)}
    with _cursor() as cursor:
        cursor.execute(statement if _is_sqlite() else NAME.sub(r"%(\1)s", statement), named)


def script(text: str) -> None:
    """Several statements, in one transaction."""
    if _is_sqlite():
        with closing(sqlite3.connect(_path())) as connection:
            connection.executescript(f"BEGIN IMMEDIATE; {text}; COMMIT;")
        return
    with psycopg.connect(URL) as connection:
        connection.execute(text)  # type: ignore[call-overload]


@contextmanager
def _cursor() -> Iterator[Any]:
    if _is_sqlite():
        with closing(sqlite3.connect(f"file:{_path()}?mode=rw", uri=True, timeout=10)) as connection:
            yield connection.cursor()
            connection.commit()
    else:
        with psycopg.connect(URL, connect_timeout=5) as connection:
            yield connection.cursor()


def _is_sqlite() -> bool:
    return URL.startswith("sqlite:")


def _path() -> str:
    return URL.removeprefix("sqlite:///")
