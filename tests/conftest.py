"""Settings of the test run and its throwaway servers; `--database=postgres` runs it on PostgreSQL."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import django
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import servers

DATABASES = ("sqlite", "postgres")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
held = ExitStack()
# A job in the background of a script ignores Ctrl-C, and so would every process that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer `--database`."""
    parser.addoption(
        "--database", choices=DATABASES, default="sqlite", help="the database to run the tests on"
    )


def pytest_unconfigure() -> None:
    """End the servers and remove the folder of this run."""
    held.close()


def configure_django() -> None:
    """Settings of this run, before a model is imported: nothing is shared with other runs or `.env`."""
    var = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="gantry-tests-")))
    (var / "env").touch()
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        GANTRY_ENV_FILE=str(var / "env"),
        GANTRY_VAR=str(var / "var"),
        SECRET_KEY="only-for-tests-" + "0" * 40,
        DATABASE_URL=_database_url(var),
        SQLITE_SYNCHRONOUS="OFF",
    )
    for name in ("REDIS_URL", "CELERY_BROKER_URL"):
        os.environ.pop(name, None)
    django.setup()


def _database_url(var: Path) -> str:
    if _asked_database() == "sqlite":
        return f"sqlite:///{var}/gantry.sqlite3"
    server = held.enter_context(servers.postgres())
    return held.enter_context(server.database())


def _asked_database() -> str:
    # Read by hand: pytest parses its options after the conftests of folders have imported models.
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    return str(parser.parse_known_args(sys.argv[1:])[0].database)


configure_django()


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The test database gets a file name: worker processes must see it, and see nothing in memory."""
    from django.db import connection

    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = f"{connection.settings_dict['NAME']}.test"


@pytest.fixture
def process_environment(django_db_setup: None) -> dict[str, str]:
    """Environment variables for a process of Gantry that works on this run's test database."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return {**os.environ, "DATABASE_URL": f"sqlite:///{name}"}
    return {**os.environ, "DATABASE_URL": servers.with_path(os.environ["DATABASE_URL"], name)}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.Postgres]:
    """A PostgreSQL server of this run."""
    with servers.postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: servers.Postgres) -> Iterator[str]:
    """The URL of a fresh PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[servers.Redis]:
    """A Redis server of this run."""
    with servers.redis_server() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: servers.Redis) -> Iterator[str]:
    """The URL of a Redis whose databases were empty when the test began."""
    redis_server.clear()
    yield redis_server.url
    redis_server.clear()


@pytest.fixture(scope="session")
def sshd() -> Iterator[servers.Sshd]:
    """An OpenSSH server of this run."""
    with servers.sshd() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, for one module: its event loop would forbid `asyncio.run` to the others."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.fail(f"no browser on PATH; looked for {', '.join(BROWSERS)}")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # That loop runs in the tests' own thread, where the ORM is not asynchronous at all.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        opened = playwright.chromium.launch(executable_path=program, args=BROWSER_FLAGS)
        yield opened
        opened.close()
