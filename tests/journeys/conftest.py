"""Whole stories: Gantry's command line as processes of its own, on services that really run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from demo.build import Built, bring_up_plain, bring_up_shop, build_plain, build_shop, take_down
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
WHERE = ("--environment", "production")
CONFIRMED = ("--yes", "--evidence", "the calendar is free")
# 1 h = 6 s: the attended window passes quickly, and a trigger still has time to fire in it.
TIME_SCALE = 600
# 1 h = 15 s, as in the demo: where a trigger must fire in the attended window on a busy machine too.
REAL_DEMO = 240


@dataclass
class Gantry:
    """One installation: its own folder and database, used by its command line."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, by: str = "", **extra: str) -> subprocess.CompletedProcess[str]:
        """One command to its end."""
        return subprocess.run(
            self.argv(*words, by=by), cwd=ROOT, env=self.environ(by) | extra, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    def do(self, *words: str, by: str = "", expect: int = 0, **extra: str) -> str:
        """One command that must end with that code; what it printed."""
        done = self.run(*words, by=by, **extra)
        assert done.returncode == expect, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *words: str, by: str = "") -> subprocess.Popen[str]:
        """A command that goes on while the test does other things."""
        return subprocess.Popen(
            self.argv(*words, by=by), cwd=ROOT, env=self.environ(by), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def argv(self, *words: str, by: str) -> list[str]:
        return [sys.executable, "manage.py", *words, *(["--as", by] if by else [])]

    def environ(self, by: str = "") -> dict[str, str]:
        return {**self.env, "GANTRY_PASSWORD": self.passwords.get(by, "")}

    def shell(self, code: str) -> str:
        """What a piece of Python prints inside this installation."""
        return self.do("shell", "--no-imports", "-c", code).strip()

    def log(self, service: str, name: str) -> str:
        (path,) = (self.folder / "logs" / service / "production").glob(name)
        return path.read_text()


def install(folder: Path, **env: str) -> Gantry:
    """A fresh installation with its three staff."""
    folder.mkdir(parents=True, exist_ok=True)
    gantry = Gantry(
        folder=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "PYTHONDONTWRITEBYTECODE": "1",
            "GANTRY_ENV_FILE": os.devnull,
            "GANTRY_VAR": str(folder),
            "SECRET_KEY": "only-for-tests-" + "0" * 40,
            "SQLITE_SYNCHRONOUS": "OFF",
            **env,
        },
    )
    gantry.do("migrate", "--verbosity", "0")
    gantry.passwords = json.loads(gantry.do("create_staff", "--json"))
    return gantry


@pytest.fixture
def gantry(tmp_path: Path) -> Gantry:
    """An installation on the embedded default."""
    return install(tmp_path / "gantry")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Callable[..., Built]]:
    """`shop(smoke_orders=5)`: a shop serving v1.0, ended with the test."""
    with ExitStack() as held:

        def make(**options: Any) -> Built:
            built = build_shop(
                tmp_path / "shop", port=servers.free_port(), **{"time_scale": TIME_SCALE, **options}
            )
            held.callback(take_down, built)
            bring_up_shop(built)
            return built

        yield make


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Built]:
    """The service that is not Django, serving 1.0."""
    built = build_plain(tmp_path / "board", port=servers.free_port(), time_scale=TIME_SCALE)
    try:
        bring_up_plain(built)
        yield built
    finally:
        take_down(built)


def introduce(gantry: Gantry, service: Built, runbook: Path | None = None) -> None:
    """Register the service and publish its runbook."""
    gantry.do("register_service", str(service.toml))
    gantry.do("import_runbook", str(runbook or service.runbook), "--service", service.name)
    gantry.do("review_runbook", service.name, "--level", "auto", "--why", "run by these tests", by="rita")
    gantry.do("publish_runbook", service.name, by="rita")


def prepare(gantry: Gantry, service: Built, version: str) -> None:
    """Everything people do before a deployment: create, tick, approve."""
    gantry.do("create_release", service.name, version, by="rita")
    for line in open_boxes(gantry, service, version):
        gantry.do("tick_item", service.name, version, line, "--evidence", "looked at it", by="rita")
    gantry.do("approve_release", service.name, version, *WHERE, by="anton")


def open_boxes(gantry: Gantry, service: Built, version: str) -> list[str]:
    """The line numbers of the release's open boxes."""
    code = (
        "from releases.models import ChecklistItem as C\n"
        f"rows = C.objects.filter(release__service__name='{service.name}', release__version='{version}', "
        "deployment=None, state='open')\n"
        "print(*rows.values_list('line', flat=True))"
    )
    return gantry.shell(code).split()


def deploy(gantry: Gantry, service: Built, version: str, *, expect: int) -> str:
    """Deploy by the operator; what was printed."""
    return gantry.do("deploy_release", service.name, version, *WHERE, *CONFIRMED, by="olga", expect=expect)
