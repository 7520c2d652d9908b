"""Commands, typed by their users."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from releases.management import following
from tests.factories import token_for
from tests.releases.management.terminals import terminals
from tests.releases.world import World


@pytest.fixture
def gantry(capsys, monkeypatch, settings, tmp_path):
    """Run a command as its user types it: exit code, output and errors."""
    settings.VAR_DIR = tmp_path / "var"
    for name in ("GANTRY_USER", "GANTRY_TOKEN", "GANTRY_PASSWORD"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: object, token_of=None) -> Namespace:
        if token_of:
            monkeypatch.setenv("GANTRY_TOKEN", token_for(token_of))
        code = 0
        try:
            call_command(*map(str, words))
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except CommandError as wrong:
            return Namespace(code=2, out="", err=str(wrong))
        said = capsys.readouterr()
        return Namespace(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def terminal(world: World, process_environment: dict[str, str], tmp_path: Path) -> Iterator:
    """`terminal("deploy_release", "tea", "v2")`: a process that the operator started."""
    with terminals(world, tmp_path, process_environment) as start:
        yield start


@pytest.fixture
def deploy(gantry, world: World):
    """`deploy("--queue")`: `deploy_release tea v2 --environment production`, as its operator types it."""

    def run(*words: object, version: str = "v2", who=None) -> Namespace:
        user = who or world.olga
        line = ("deploy_release", "tea", version, "--environment", "production", "--as", user.username)
        return gantry(*line, *words, token_of=user)

    return run


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(do)`: what happens elsewhere between two looks of who waits or follows; once each, in order."""

    def between(*happen: Callable[[], object]) -> None:
        left = list(happen)

        def next_look(seconds: float) -> None:
            assert left, "it goes on waiting although nothing more will happen"
            left.pop(0)()

        monkeypatch.setattr(following, "time", Namespace(sleep=next_look))

    return between
