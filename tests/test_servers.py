"""The throwaway servers start, answer, and leave nothing behind."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from playwright.sync_api import Browser

from tests import servers

Server = servers.Postgres | servers.Redis | servers.Sshd
KINDS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    "postgres": servers.postgres,
    "redis": servers.redis_server,
    "sshd": servers.sshd,
}


def processes_of(pid: int) -> list[psutil.Process]:
    leader = psutil.Process(pid)
    return [leader, *leader.children(recursive=True)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_leaves_no_process_and_no_folder(kind: str) -> None:
    with KINDS[kind]() as running:
        processes = processes_of(running.pid)
        folder = Path(processes[0].cwd())
    assert len(processes) > 1
    assert servers.survivors(processes) == []
    assert not folder.exists()


def test_a_server_ends_when_the_test_run_is_killed(tmp_path: Path) -> None:
    code = (
        "from tests.servers import redis_server\nwith redis_server() as s: print(s.pid, flush=True); input()"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert run.stdout is not None
    processes = processes_of(int(run.stdout.readline()))
    run.kill()
    run.communicate()
    servers.wait_until(lambda: not servers.survivors(processes), what="the server ends")


def test_each_postgres_database_is_fresh_and_gone_afterwards(postgres_server: servers.Postgres) -> None:
    with postgres_server.database() as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    with postgres_server.database() as other, psycopg.connect(other) as connection:
        assert connection.execute("SELECT to_regclass('orders')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_postgres_brings_its_dump_and_restore(postgres_server: servers.Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE orders (id int)")
    dump = subprocess.check_output([postgres_server.bin / "pg_dump", postgres_url], text=True)
    assert "CREATE TABLE public.orders" in dump


def test_redis_databases_are_apart(redis_server: servers.Redis, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as first, redis.Redis.from_url(redis_server.database(1)) as second:
        first.set("order", "1")
        assert (first.get("order"), second.get("order")) == (b"1", None)


def test_ssh_runs_a_command(sshd: servers.Sshd) -> None:
    answer = subprocess.check_output(["ssh", *sshd.options, "echo $((6*7)) $USER"], text=True)
    assert answer.split() == ["42", sshd.user]


def test_the_browser_shows_a_page(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<h1>Gantry</h1>")
    assert page.inner_text("h1") == "Gantry"
    page.close()


def test_a_url_from_the_environment_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "GANTRY_TEST_POSTGRES_URL", "postgres://db.example/one")
    monkeypatch.setitem(os.environ, "GANTRY_TEST_REDIS_URL", "redis://cache.example/0")
    with servers.postgres() as database, servers.redis_server() as cache:
        assert (database.url, cache.url) == ("postgres://db.example/one", "redis://cache.example/0")
