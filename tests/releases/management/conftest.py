"""Commands, typed by their users."""

from argparse import Namespace

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.factories import token_for


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
