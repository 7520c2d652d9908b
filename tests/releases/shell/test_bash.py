"""Shell blocks by a real bash: the first failure ends them, and what they set is handed on."""

import os
from pathlib import Path

import pytest

from checks.gates.process import Captured, capture
from releases.shell import bash

GIVEN = {"PATH": os.environ["PATH"], "COLOUR": "blue", "HOME": "/"}


def run(text: str, folder: Path, **variables: str) -> tuple[Captured, dict[str, str]]:
    """Run a block as the engine does: what it said, and the variables that it hands on."""
    known, path = GIVEN | variables, folder / "handed on"
    seen = capture(bash.argv(text, handed_on=str(path)), cwd=str(folder), env=known)
    return seen, bash.handed_on(path.read_bytes(), known=known)


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("echo one; echo two", 0, "one\ntwo\n"),
        ("echo one\nfalse\necho two", 1, "one\n"),
        ("false | cat\necho two", 1, ""),
        ("echo one\nexit 0\nfalse", 0, "one\n"),
        ("exit 7", 7, ""),
        ("if false; then :; fi\necho went on", 0, "went on\n"),
        ("false || echo rescued", 0, "rescued\n"),
        ('echo "[$NOT_SET]"', 0, "[]\n"),
        ("no_such_command\necho two", 127, ""),
        ("cat <<END\nin a document\nEND", 0, "in a document\n"),
        ("echo before # a comment", 0, "before\n"),
        ("", 0, ""),
        ("# nothing but a comment", 0, ""),
        ("kill -TERM $$", -15, ""),
        ("if [ x ]; then", 2, ""),
    ],
)
def test_the_first_failure_ends_a_block(tmp_path, text, code, out):
    seen = capture(bash.argv(text, handed_on=str(tmp_path / "set")), cwd=str(tmp_path), env=GIVEN)
    assert (seen.code, seen.out) == (code, out)


def test_a_prompt_finds_no_terminal_and_fails(tmp_path):
    assert run('read -r -p "Continue? [y/N] " answer; echo "$answer"', tmp_path)[0].code == 1


# --- variables ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", ["plain", "two words", 'it\'s "quoted"', "a\nb\n", "", "$HOME `id`", "ünïcode ✓", "a=b;c|d&"]
)
def test_a_variable_is_handed_on_as_it_is(tmp_path, value):
    _, handed = run('COPY="$GIVEN_VALUE"', tmp_path, GIVEN_VALUE=value)
    assert handed == {"COPY": value}


@pytest.mark.parametrize(
    ("text", "handed"),
    [
        ("A=1; export B=2", {"A": "1", "B": "2"}),
        ("COLOUR=red", {"COLOUR": "red"}),
        ("COLOUR=blue", {}),
        ("HOST=db1 OPTIONS=fast SHELLCHECK=1", {"HOST": "db1", "OPTIONS": "fast", "SHELLCHECK": "1"}),
        ("(INNER=1)", {}),
        ("for each in a b; do :; done", {"each": "b"}),
        ("[[ abc =~ b ]]; mapfile -t lines < <(echo x); while getopts a o -a; do :; done", {"lines": "x", "o": "?"}),
        ("IFS=,; A=1", {"A": "1"}),
        ("set -euo pipefail; declare -a empty; A=1", {"A": "1"}),
        ("set -u; A=1", {"A": "1"}),
        ("set -f; A=1", {"A": "1"}),
        ("cd /tmp; A=1", {"A": "1"}),
        ("A=1; exit 0; B=2", {"A": "1"}),
    ],
)  # fmt: skip
def test_what_a_block_sets_is_handed_on_and_nothing_of_bash_itself(tmp_path, text, handed):
    seen, found = run(text, tmp_path)
    assert seen == Captured(code=0, out="", err="")
    assert found == handed


def test_a_block_that_fails_hands_on_what_it_had_set(tmp_path):
    seen, handed = run("BEGUN=yes\nfalse", tmp_path)
    assert (seen.code, handed) == (1, {"BEGUN": "yes"})


def test_a_strict_block_succeeds_when_its_commands_do(tmp_path):
    seen, _ = run("set -euo pipefail\necho fine", tmp_path)
    assert (seen.code, seen.out, seen.err) == (0, "fine\n", "")


# --- "… | grep ERROR" as the end of a check -------------------------------------------------------------

BAD = "printf 'fine\\nERROR: broken\\n'"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{BAD} | grep ERROR", 1),
        ("echo fine | grep ERROR", 0),
        ("echo fine | grep -i error", 0),
        (f"{BAD} | grep -iE 'error|critical'", 1),
        ("echo fine | grep -iE 'error|critical'", 0),
        ("cat no-such-file | grep ERROR", 1),
        ("exit 3 | grep ERROR", 3),
        (f"{BAD} | tail -1 | grep ERROR # should be empty", 1),
        (f"{BAD} | grep ERROR\n\n# expect no output", 1),
        ("echo fine | grep ERROR\n\n# expect no output", 0),
        ("echo fine \\\n  | grep ERROR", 0),
        (f"{BAD} \\\n  | grep ERROR", 1),
        ("echo fine |\n  grep ERROR", 0),
        (f"{BAD} |\n  grep ERROR", 1),
        ("echo fine | grep '('", 1),
        ("echo fine | grep ready", 1),
        ("echo ready | grep ready", 0),
        ("echo fine | grep -v ERROR", 0),
        ("echo fine | grep ERROR || true", 0),
        (f"{BAD} | grep ERROR | wc -l", 0),
        ("false\necho fine | grep ERROR", 1),
        ('test "$(echo fine | grep -c ERROR)" -eq 0', 0),
        ("[ $(echo fine | grep -c ERROR) -eq 0 ]", 0),
        (f"[ $({BAD} | grep -c ERROR) -eq 0 ]", 1),
        ("if echo fine | grep ERROR; then exit 1; fi", 0),
        ("yes | head -1 | grep ERROR", 0),
    ],
)
def test_finding_trouble_is_a_failure_and_finding_none_is_good(tmp_path, text, code):
    assert run(text, tmp_path)[0].code == code


def test_what_grep_found_is_shown(tmp_path):
    seen, _ = run(f"{BAD} | grep ERROR", tmp_path)
    assert seen.out == "ERROR: broken\n"
    assert "should not be there" in seen.err
