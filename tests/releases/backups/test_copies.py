"""Copies of real databases: made, read back, put back; and what happens to one that was touched."""

import os
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from releases.backups.copy import CopyFailed, copy, postgres_env, sha256_of, sqlite_path
from releases.backups.put_back import put_back
from tests.servers import Postgres, with_path

STAMP = "20260101120000"


def make_sqlite(path: Path, *, orders: int = 3) -> str:
    """A database with some orders; returns its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute('CREATE TABLE "order" (id INTEGER PRIMARY KEY, tea TEXT)')
        made.executemany('INSERT INTO "order" (tea) VALUES (?)', [("green",)] * orders)
        made.commit()
    return f"sqlite:///{path}"


def orders_in(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        return int(database.execute('SELECT count(*) FROM "order"').fetchone()[0])


def order_more(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO \"order\" (tea) VALUES ('black')")
        database.commit()


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


# --- SQLite -------------------------------------------------------------------------------------------


def test_a_sqlite_copy_says_what_it_holds_and_is_private(tmp_path):
    result = copy(make_sqlite(tmp_path / "shop.sqlite3"), tmp_path / "copies" / "one", env={})
    path = Path(result["path"])
    assert result["evidence"] == {"integrity": "ok", "tables": {"order": 3}}
    assert (result["sha256"], result["size"]) == (sha256_of(path), path.stat().st_size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["one"]


def test_what_was_not_yet_moved_out_of_the_log_is_copied(tmp_path):
    live = tmp_path / "shop.sqlite3"
    url = make_sqlite(live)
    with closing(sqlite3.connect(live)) as writer:
        writer.execute("INSERT INTO \"order\" (tea) VALUES ('black')")
        writer.commit()
        assert copy(url, tmp_path / "one", env={})["evidence"]["tables"] == {"order": 4}


@pytest.mark.parametrize("name", ["shop.sqlite3", "two words.sqlite3", "100%25.sqlite3", "a?b#c.sqlite3"])
def test_a_sqlite_database_is_put_back_and_the_replaced_one_is_kept(tmp_path, name):
    live = tmp_path / name
    make_sqlite(live)
    url = f"sqlite:///{str(live).replace('%', '%25').replace('?', '%3F').replace('#', '%23')}"
    made = copy(url, tmp_path / "one", env={})
    order_more(live)
    kept = put_back(url, tmp_path / "one", sha256=made["sha256"], env={}, stamp=STAMP)
    assert (orders_in(live), orders_in(Path(kept))) == (3, 4)


def test_a_database_that_is_put_back_keeps_its_mode(tmp_path):
    live = tmp_path / "shop.sqlite3"
    made = copy(make_sqlite(live), tmp_path / "one", env={})
    live.chmod(0o640)
    put_back(f"sqlite:///{live}", tmp_path / "one", sha256=made["sha256"], env={}, stamp=STAMP)
    assert stat.S_IMODE(live.stat().st_mode) == 0o640


@pytest.mark.parametrize("damage", [flip_a_byte, Path.unlink])
def test_a_copy_that_was_touched_is_refused_and_the_database_is_untouched(tmp_path, damage):
    live = tmp_path / "shop.sqlite3"
    made = copy(make_sqlite(live), tmp_path / "one", env={})
    order_more(live)
    damage(tmp_path / "one")
    with pytest.raises(CopyFailed, match="restore another"):
        put_back(f"sqlite:///{live}", tmp_path / "one", sha256=made["sha256"], env={}, stamp=STAMP)
    assert orders_in(live) == 4
    assert not list(tmp_path.glob("*.replaced-*"))


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/shop.sqlite3", "does not exist"),
        ("mysql://u:p@127.0.0.1/shop", "of kind 'mysql' cannot be copied"),
        ("", "of kind '' cannot be copied"),
    ],
)
def test_what_cannot_be_copied_is_named(tmp_path, url, message):
    with pytest.raises(CopyFailed, match=message):
        copy(url, tmp_path / "one", env={})
    assert not (tmp_path / "one").exists()


def test_a_file_that_is_no_database_is_not_copied(tmp_path):
    (tmp_path / "shop.sqlite3").write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(CopyFailed, match=r"shop\.sqlite3"):
        copy(f"sqlite:///{tmp_path}/shop.sqlite3", tmp_path / "one", env={})


def test_a_sqlite_url_names_its_file():
    assert sqlite_path("sqlite:////srv/a%20b.sqlite3") == Path("/srv/a b.sqlite3")


# --- PostgreSQL ----------------------------------------------------------------------------------------


@pytest.fixture
def programs(postgres_server: Postgres) -> dict[str, str]:
    """An environment in which pg_dump and its family are found."""
    return {"PATH": f"{postgres_server.bin}:{os.environ['PATH']}", "LC_ALL": "C"}


@pytest.fixture
def shop(postgres_url: str) -> str:
    """The URL of a database with three orders."""
    with psycopg.connect(postgres_url, autocommit=True) as database:
        database.execute('CREATE TABLE "order" (id serial, tea text)')
        database.execute("INSERT INTO \"order\" (tea) VALUES ('green'), ('green'), ('black')")
    return postgres_url


def rows_in(url: str) -> int:
    with psycopg.connect(url) as database:
        return int(database.execute('SELECT count(*) FROM "order"').fetchone()[0])  # type: ignore[index]


def test_a_postgres_database_is_put_back_and_the_replaced_one_is_kept(tmp_path, shop, programs):
    made = copy(shop, tmp_path / "one", env=programs)
    assert (made["evidence"]["read_back"], made["evidence"]["tables"]) == ("ok", 1)
    with psycopg.connect(shop, autocommit=True) as writer:
        writer.execute("INSERT INTO \"order\" (tea) VALUES ('late')")
        kept = put_back(shop, tmp_path / "one", sha256=made["sha256"], env=programs, stamp=STAMP)
    assert (rows_in(shop), rows_in(with_path(shop, kept))) == (3, 4)


def test_a_postgres_copy_that_was_touched_is_refused(tmp_path, shop, programs):
    made = copy(shop, tmp_path / "one", env=programs)
    flip_a_byte(tmp_path / "one")
    with pytest.raises(CopyFailed, match="checksum"):
        put_back(shop, tmp_path / "one", sha256=made["sha256"], env=programs, stamp=STAMP)
    assert rows_in(shop) == 3


def test_a_dump_that_does_not_restore_leaves_the_database_and_nothing_else(tmp_path, shop, programs):
    (tmp_path / "one").write_text("no dump at all")
    with pytest.raises(CopyFailed, match="pg_restore failed"):
        put_back(shop, tmp_path / "one", sha256=sha256_of(tmp_path / "one"), env=programs, stamp=STAMP)
    with psycopg.connect(shop) as database:
        names = database.execute("SELECT datname FROM pg_database WHERE datname LIKE '%coming%'").fetchall()
    assert (rows_in(shop), names) == (3, [])


def test_a_swap_that_fails_leaves_the_database_open(tmp_path, shop, programs):
    made = copy(shop, tmp_path / "one", env=programs)
    in_the_way = f"{shop.rpartition('/')[2]}_replaced_{STAMP}"
    with psycopg.connect(shop, autocommit=True) as database:
        database.execute(f"CREATE DATABASE {in_the_way}")
    with pytest.raises(CopyFailed, match="already exists"):
        put_back(shop, tmp_path / "one", sha256=made["sha256"], env=programs, stamp=STAMP)
    assert rows_in(shop) == 3


def test_a_server_that_is_down_is_named_without_its_password(tmp_path, programs):
    with pytest.raises(CopyFailed, match="pg_dump failed") as failed:
        copy("postgres://u:s3cret-word@127.0.0.1:1/shop", tmp_path / "one", env=programs)
    assert "s3cret-word" not in str(failed.value)


def test_no_credential_stands_in_the_arguments_of_a_process(tmp_path, programs):
    folder = tmp_path / "bin"
    folder.mkdir()
    spy = folder / "pg_dump"
    spy.write_text(
        f"#!{sys.executable}\nimport sys, os\nsys.exit(' '.join(sys.argv) + ' ' + os.environ['PGPASSWORD'])\n"
    )
    spy.chmod(0o755)
    with pytest.raises(CopyFailed) as said:
        copy("postgres://u:s3cret%2Fword@h:1/shop", tmp_path / "one", env={"PATH": str(folder)})
    arguments, _, password = str(said.value).rpartition(" ")
    assert password == "s3cret/word"
    assert "s3cret" not in arguments


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u@h/shop", {"PGHOST": "h", "PGPORT": "5432", "PGUSER": "u", "PGDATABASE": "shop"}),
        ("postgres://h:6000/tea%20shop", {"PGHOST": "h", "PGPORT": "6000", "PGDATABASE": "tea shop"}),
        (
            "postgres://u:p%40ss@h/shop?sslmode=require",
            {
                "PGHOST": "h",
                "PGPORT": "5432",
                "PGUSER": "u",
                "PGPASSWORD": "p@ss",
                "PGDATABASE": "shop",
                "PGSSLMODE": "require",
            },
        ),
    ],
)
def test_a_postgres_url_becomes_libpqs_variables(url, expected):
    assert postgres_env(url, {}) == expected


def test_a_missing_program_is_named(tmp_path):
    with pytest.raises(CopyFailed, match="pg_dump"):
        copy("postgres://u@127.0.0.1:1/shop", tmp_path / "one", env={"PATH": str(tmp_path)})
