"""Answering a run on a real terminal."""

import os
import pty
import select
import subprocess
import sys

import pytest
from django.conf import settings

from releases.management.show import Terminal

ASK = """
import django; django.setup()
from releases.management.show import Terminal
from releases.plan.model import PlannedItem
item = PlannedItem(key="k", text="Run: the migration", by={by!r}, line=41, command="manage.py migrate")
print("ANSWER", repr(Terminal().answer(item, lambda: print("beat"))), flush=True)
"""


def on_a_terminal(by: str, typed: str) -> str:
    """Everything that the terminal showed until the program ended."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    child = subprocess.Popen(
        [sys.executable, "-c", ASK.format(by=by)],
        cwd=settings.BASE_DIR, env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown, asked = "", False
    while True:
        assert select.select([ours], [], [], 60)[0], f"no word for a minute after: {shown}"
        try:
            shown += os.read(ours, 4096).decode()
        except OSError:
            break
        if not asked and ("stops here: " in shown or "stops here) " in shown):
            os.write(ours, typed.encode())
            asked = True
    assert child.wait(10) == 0
    os.close(ours)
    return shown


@pytest.mark.parametrize(("key", "answer"), [("y", "'agreed at the terminal'"), ("n", "''"), ("\x1b", "''")])
def test_one_key_runs_a_command_that_is_shown(key: str, answer: str):
    shown = on_a_terminal("confirm", key)
    assert "Run: the migration  (line 41)" in shown
    assert "manage.py migrate" in shown
    assert f"ANSWER {answer}" in shown


@pytest.mark.parametrize(("line", "answer"), [("all 12 rows\n", "'all 12 rows'"), ("\n", "''")])
def test_what_a_person_did_is_said_in_a_line(line: str, answer: str):
    assert f"ANSWER {answer}" in on_a_terminal("person", line)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2Jgone\x1b[31m red\x1b[0m", "gone red"),
        ("\x1b]52;c;cm0gLXJm\x07copied", "copied"),
        ("\x1b]0;title\x1b\\named", "named"),
        ("over\x08\x08\x07 a\tb\nc\n", "over a\tb\nc\n"),
        ("plain ✓ é", "plain ✓ é"),
    ],
)
def test_what_a_command_says_does_not_steer_the_terminal(capsys, said: str, shown: str):
    Terminal(verbose=True).output(said)
    assert capsys.readouterr().out == shown
