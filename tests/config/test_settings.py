"""A wrong value in `.env`: one line that names the setting and the way out, for every command."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from psycopg import sql

GOOD = {"SECRET_KEY": "only-for-tests-" + "0" * 40}


def gantry(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` with a `.env` of these lines and nothing else."""
    path = folder / "env"
    lines = {"GANTRY_VAR": str(folder), **env}
    path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "GANTRY_ENV_FILE": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "way_out"),
    [
        ("DEBUG", "maybe", "write on or off"),
        ("BEHIND_TLS", "2", "write on or off"),
        ("TIME_ZONE", "Mars/Olympus", "it is one of Africa/Abidjan, "),
        ("SQLITE_SYNCHRONOUS", "ON", "it is one of FULL, NORMAL, OFF"),
        ("LOG_LEVEL", "loud", "it is one of CRITICAL, DEBUG, ERROR, INFO, WARNING"),
        ("DATABASE_URL", "shop", "write postgres://user:password@host/name or sqlite:////path"),
        ("DATABASE_URL", "postgres://shop:s3cret@db:port/shop", "write postgres://user:password@host/name"),
        ("DATABASE_URL", "mongo://shop:s3cret@db/shop", "write postgres://user:password@host/name"),
        ("GANTRY_VAR", "/dev/null/var", "which cannot be made"),
        ("RUNBOOK_WORDS", "/nowhere/words.toml", "which is no file"),
        ("SECRET_KEY", "", "let `make .env` write one"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_the_way_out(tmp_path, name, value, way_out):
    seen = gantry(tmp_path, **GOOD | {name: value})
    assert (seen.returncode, seen.stdout) == (1, "")
    assert seen.stderr.startswith(f"gantry: {name} is ")
    assert way_out in seen.stderr
    assert (seen.stderr.count("\n"), "s3cret" in seen.stderr) == (1, False)


@pytest.mark.parametrize("value", ["on", "off", "True", "no", "1", ""])
def test_a_switch_may_be_written_in_many_ways(tmp_path, value):
    seen = gantry(tmp_path, **GOOD, DEBUG=value)
    assert seen.returncode == 0, seen.stderr


def said_by_the_database(folder: Path, question: str, **env: str) -> str:
    """The first value of a query that Gantry's own connection answers."""
    code = (
        "from django.db import connection\n"
        f"with connection.cursor() as c: c.execute({question!r}); print(c.fetchone()[0])"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=settings.BASE_DIR,
        env={
            "PATH": os.environ["PATH"],
            "GANTRY_ENV_FILE": os.devnull,
            "GANTRY_VAR": str(folder),
            **GOOD,
            **env,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_what_is_written_survives_a_power_cut_on_sqlite(tmp_path):
    assert said_by_the_database(tmp_path, "PRAGMA synchronous") == "2"
    assert said_by_the_database(tmp_path, "PRAGMA synchronous", SQLITE_SYNCHRONOUS="NORMAL") == "1"


def test_what_is_written_survives_a_power_cut_on_a_postgresql_that_says_otherwise(tmp_path, postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as database:
        name = sql.Identifier(database.info.dbname)
        database.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit = off").format(name))
    seen = said_by_the_database(tmp_path, "SHOW synchronous_commit", DATABASE_URL=postgres_url)
    assert seen == "on"
