"""A place for one case at a time: folder, port and databases of its own, put back from templates in half a second.

What a deployment was approved for is frozen in Gantry's rows (folder, address, database), so a slot keeps its names and
every case finds it as if nothing had ever happened there.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import psutil
import psycopg
from psycopg import sql

from demo.build import EPOCH
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).parent / "service"
WHERE = ("depot", "v2", "--environment", "production", "--as", "olga")
SYSTEM = ("/usr/local/bin", "/usr/bin", "/bin")
SCHEMA = "gantry_schema"
LIMIT = 90.0


class SlotFailed(Exception):
    """The place could not be made ready: nothing was learnt about a case."""


@dataclass
class Slot:
    """Where cases run one after the other; `base` holds the templates beside it."""

    number: int
    base: Path
    server: servers.Postgres
    port: int
    known: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.base / f"slot{self.number}"

    @property
    def ledger(self) -> Path:
        return self.folder / "ledger"

    @property
    def gantry(self) -> str:
        """Gantry's own database."""
        return f"gantry_{self.number}"

    @property
    def depot(self) -> str:
        """The service's database."""
        return f"depot_{self.number}"

    def url(self, database: str) -> str:
        return servers.with_path(self.server.url, database)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **order: Any) -> dict[str, str]:
        """The environment variables of Gantry's processes for this slot."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": os.environ.get("PYTHONDONTWRITEBYTECODE", ""),
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "GANTRY_ENV_FILE": os.devnull,
            "GANTRY_VAR": str(self.folder / "var"),
            "SECRET_KEY": "only-for-tests-" + "0" * 40,
            "DATABASE_URL": self.url(self.gantry),
            "GANTRY_TOKEN": self.known.get("token", ""),
            "CRASH_DATABASE": self.url(self.depot),
            "CRASH_ORDER": json.dumps({"stamps": str(self.folder / "stamps"), **order}),
        }

    def start(self, *words: str, log: Path, **order: Any) -> subprocess.Popen[bytes]:
        """One command of Gantry under the driver."""
        with log.open("ab") as sink:
            sink.write(f"\n$ {' '.join(words)}   {order}\n".encode())
            sink.flush()
            return subprocess.Popen(
                [sys.executable, "-m", "tests.crash.driver", *words],
                cwd=ROOT, env=self.environment(**order), stdin=subprocess.DEVNULL, stdout=sink,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    def ctl(self, *words: str) -> None:
        """The depot's own command, as its owner would type it."""
        toml = tomllib.loads((self.folder / "service.toml").read_text())
        variables = toml["environment"][0]["variables"]
        done = subprocess.run(
            ["./ctl", *words], cwd=self.folder / "tree", env=variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        if done.returncode:
            raise SlotFailed(f"ctl {words}: {done.stdout}{done.stderr}")

    # --- processes -----------------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in or for this slot."""
        return servers.survivors(each for each in psutil.process_iter() if self._is_ours(each))

    def _is_ours(self, process: psutil.Process) -> bool:
        mark = str(self.folder)
        try:
            told = "\0".join(process.environ().values())
        except (psutil.Error, OSError):
            return False
        return f"{mark}/" in told or f"{mark}\0" in f"{told}\0"

    def serving(self) -> set[int]:
        """The processes of the service itself."""
        note = self.folder / "state" / "gunicorn.pid"
        try:
            master = psutil.Process(int(note.read_text()))
            return {master.pid, *(child.pid for child in master.children(recursive=True))}
        except (OSError, ValueError, psutil.Error):
            return set()

    def end_all(self, besides: Collection[int] = ()) -> None:
        """Everything of a case dies at once, but for those pids."""
        for process in self.others(besides):
            try:
                process.send_signal(signal.SIGKILL)
            except psutil.Error:
                continue
        servers.wait_until(lambda: not self.others(besides), within=10, what=f"the end of {self.folder}")

    def others(self, besides: Collection[int]) -> list[psutil.Process]:
        """Everything that runs here but for those pids."""
        return [process for process in self.processes() if process.pid not in besides]

    # --- templates -----------------------------------------------------------------------------------

    def keep(self, name: str) -> None:
        """As it stands, with nothing running, is how cases of this kind begin."""
        self.ctl("stop")
        self.end_all()
        shutil.copytree(self.folder, self._kept(name), symlinks=True)
        for database in (self.gantry, self.depot):
            say(
                self.server,
                "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY",
                f"{database}_{name}",
                database,
            )

    def restore(self, name: str) -> None:
        """As it was kept; what a case left is gone."""
        self.end_all()
        self._drop_databases()
        for database in (self.gantry, self.depot):
            say(
                self.server,
                "CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY",
                database,
                f"{database}_{name}",
            )
        shutil.rmtree(self.folder)
        shutil.copytree(self._kept(name), self.folder, symlinks=True)

    def _kept(self, name: str) -> Path:
        return self.base / f"kept{self.number}-{name}"

    def databases(self, *kinds: str) -> list[str]:
        """What there is of the service's database besides itself: `coming`, `replaced`."""
        with psycopg.connect(self.server.url) as connection:
            rows = connection.execute("SELECT datname FROM pg_database ORDER BY datname").fetchall()
        return [name for (name,) in rows if name.startswith(tuple(f"{self.depot}_{kind}_" for kind in kinds))]

    def _drop_databases(self) -> None:
        for name in (self.gantry, self.depot, *self.databases("coming", "replaced")):
            say(self.server, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def say(server: servers.Postgres, statement: str, *names: str) -> None:
    """One statement about whole databases."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def make_schema(server: servers.Postgres, base: Path) -> None:
    """Gantry's tables, once for all slots."""
    say(server, "CREATE DATABASE {}", SCHEMA)
    slot = Slot(number=0, base=base, server=server, port=0)
    slot.folder.mkdir()
    environment = slot.environment() | {"DATABASE_URL": slot.url(SCHEMA)}
    _run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment)
    shutil.rmtree(slot.folder)


def make_slot(server: servers.Postgres, base: Path, number: int) -> Slot:
    """A slot with the depot at v1, its v2 approved and about to be deployed; nothing runs yet."""
    slot = Slot(number=number, base=base, server=server, port=servers.free_port())
    slot.folder.mkdir()
    for name in ("state", "holds", "stamps", "var"):
        (slot.folder / name).mkdir()
    shutil.copytree(SOURCES / "tools", slot.folder / "tools")
    _make_history(slot.folder)
    _fill_in(slot)
    (slot.folder / "state" / "features").write_text('{"features": {"express": false}}')
    say(server, "CREATE DATABASE {}", slot.depot)
    say(server, "CREATE DATABASE {} TEMPLATE {}", slot.gantry, SCHEMA)
    slot.ctl("migrate")
    words = ["-m", "tests.crash.prepare", str(slot.folder / "service.toml"), str(SOURCES / "RUNBOOK.md")]
    slot.known = json.loads(_run([sys.executable, *words], cwd=ROOT, env=slot.environment()))
    slot.ledger.write_text("")
    return slot


def _make_history(folder: Path) -> None:
    """A repository with v1 and v2, and the working tree at v1, whose VERSION passes a filter when it is written."""
    origin, tree = folder / "origin", folder / "tree"
    _git(folder, "init", "--quiet", "--initial-branch=main", str(origin))
    for number, version in enumerate(("v1", "v2")):
        for source in (SOURCES / "tree", SOURCES / version):
            shutil.copytree(source, origin, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        # git's index knows a file by size and time; one of the same size and second would pass as unchanged
        (origin / ".git" / "index").unlink(missing_ok=True)
        _git(origin, "add", "--all")
        _git(origin, "commit", "--quiet", "--message", version, day=number)
        _git(origin, "tag", version)
    _git(folder, "clone", "--quiet", str(origin), str(tree))
    _git(tree, "checkout", "--quiet", "--detach", "v1")
    _git(tree, "config", "filter.slow.smudge", str(folder / "tools" / "smudge"))


def _git(folder: Path, *words: str, day: int = 0) -> None:
    when = f"{EPOCH + day * 86_400} +0000"
    who = {
        f"GIT_{role}_{what}": "depot@example.org"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    surroundings = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    _run(["git", *words], cwd=folder, env={**surroundings, **who, **dates})


def _fill_in(slot: Slot) -> None:
    folders = [slot.folder / "tools", Path(sys.executable).parent, slot.server.bin, *SYSTEM]
    text = Template((SOURCES / "service.toml").read_text()).substitute(
        origin=slot.folder / "origin",
        tree=slot.folder / "tree",
        slot=slot.folder,
        base_url=slot.base_url,
        port=slot.port,
        path=":".join(map(str, folders)),
        database_url=slot.url(slot.depot),
    )
    (slot.folder / "service.toml").write_text(text)


def _run(argv: list[str], *, cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(argv, cwd=cwd, env=env, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode:
        raise SlotFailed(f"{argv}: {done.stdout}{done.stderr}")
    return done.stdout
