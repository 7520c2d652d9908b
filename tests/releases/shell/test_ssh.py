"""Blocks on another machine, by a real ssh and a real sshd."""

import os
import shutil
from pathlib import Path

import psutil
import pytest

from checks.gates.process import Captured, Child, Command, capture
from releases.shell import bash, ssh
from tests.servers import Sshd, wait_until

GIVEN = {"PATH": os.environ["PATH"], "HOME": "/", "COLOUR": "blue"}


@pytest.fixture
def target(sshd: Sshd, tmp_path: Path) -> ssh.Target:
    """The test run's sshd, met for the first time."""
    return ssh.Target(
        name="deploy@your-server",
        address=f"{sshd.user}@{sshd.host}",
        port=sshd.port,
        identity_file=str(sshd.identity),
        known_hosts=str(tmp_path / "known hosts"),
    )


def run(text: str, target: ssh.Target, folder: Path, **variables: str) -> tuple[Captured, dict[str, str]]:
    """Run a block there: what it said here, and the variables that it hands on."""
    known, path = GIVEN | variables, folder / "handed on"
    argv = ssh.argv(text, target=target, names=known, handed_on=str(path))
    seen = capture(argv, cwd=str(folder), env=known)
    return seen, bash.handed_on(path.read_bytes(), known=known)


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("echo one; echo two", 0, "one\ntwo\n"),
        ("echo one\nfalse\necho two", 1, "one\n"),
        ("false | cat\necho two", 1, ""),
        ("exit 7", 7, ""),
        ("echo fine | grep ERROR", 0, ""),
        ("echo 'ERROR: broken' | grep ERROR", 1, "ERROR: broken\ngrep found what should not be there\n"),
        ("cat; echo 'no input'", 0, "no input\n"),
        ("echo 'it''s' \"quoted\"; echo \\$HOME '%s' '!!'", 0, "its quoted\n$HOME %s !!\n"),
        ("cat <<END\nin a document\nEND", 0, "in a document\n"),
        ("echo before # a comment", 0, "before\n"),
        ("", 0, ""),
    ],
)
def test_a_block_runs_there_as_it_would_here(target, tmp_path, text, code, out):
    seen, _ = run(text, target, tmp_path)
    assert (seen.code, seen.out) == (code, out), seen


@pytest.mark.parametrize("text", ["if [ x ]; then", "}", ")", "echo 'open"])
def test_a_script_that_bash_cannot_read_is_refused_there(target, tmp_path, text):
    seen, _ = run(text, target, tmp_path)
    assert (seen.code != 0, "syntax error" in seen.out or "unexpected EOF" in seen.out) == (True, True), seen


@pytest.mark.parametrize(
    "value", ["two words", 'it\'s "q"', "a\nb\n", "", "$HOME `id` \\", "ünï ✓", "a;b|c&"]
)
def test_a_variable_comes_there_and_back_as_it_is(target, tmp_path, value):
    seen, handed = run('COPY="$GIVEN_VALUE"; printf "%s" "$GIVEN_VALUE"', target, tmp_path, GIVEN_VALUE=value)
    assert (seen.out, handed["COPY"]) == (value, value)


def test_what_a_block_sets_there_is_handed_on_and_nothing_of_that_machine(target, tmp_path):
    _, handed = run("A=1; COLOUR=red; SAME=$COLOUR; cd /usr", target, tmp_path)
    assert handed == {"A": "1", "COLOUR": "red", "SAME": "red", "GANTRY_FOLDER_deploy_your_server": "/usr"}


def test_a_block_begins_where_the_one_before_it_ended(target, tmp_path):
    first, handed = run("pwd; cd /usr/share; exit 3", target, tmp_path)
    second, _ = run("pwd", target, tmp_path, **handed)
    assert (first.code, first.out.strip(), second.out.strip()) == (3, str(Path.home()), "/usr/share")


def test_a_folder_that_is_gone_stops_the_block(target, tmp_path):
    name = ssh.folder_variable(target.name)
    seen, _ = run("echo never", target, tmp_path, **{name: "/no/such/folder"})
    assert (seen.code, "never" in seen.out) == (1, False)


def test_path_and_home_are_those_of_the_other_machine(target, tmp_path):
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "ssh").symlink_to(str(shutil.which("ssh")))
    seen, _ = run('echo "$PATH $HOME"', target, tmp_path, PATH=f"{odd}:{GIVEN['PATH']}", HOME=str(odd))
    assert (seen.code, str(odd) in seen.out) == (0, False)


def test_no_value_stands_in_an_argument_of_a_process(target, tmp_path):
    seen, _ = run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '", target, tmp_path, TOKEN="s3cret-of-the-shop")
    assert "__gantry_send" in seen.out
    assert "s3cret-of-the-shop" not in seen.out


def test_there_is_no_terminal_there(target, tmp_path):
    seen, _ = run("test ! -t 0 && test ! -t 1 && ! tty -s < /dev/tty", target, tmp_path)
    assert seen.code == 0


def test_a_key_is_kept_when_it_is_met_and_another_one_is_refused(target, tmp_path):
    known = Path(target.known_hosts)
    assert run("true", target, tmp_path)[0] == Captured(code=0, out="", err="")
    assert "ssh-ed25519" in known.read_text()
    other = Path(target.identity_file).with_suffix(".pub").read_text().split()[1]
    known.write_text(
        "".join(f"{line.split()[0]} ssh-ed25519 {other}\n" for line in known.read_text().splitlines())
    )
    seen, handed = run("echo never", target, tmp_path)
    assert (seen.code, "HOST IDENTIFICATION HAS CHANGED" in seen.err, handed) == (255, True, {})


def test_a_machine_that_does_not_answer_is_told(target, tmp_path):
    gone = ssh.Target(**{**vars(target), "port": 1})
    seen, handed = run("echo never", gone, tmp_path)
    assert (seen.code, "Connection refused" in seen.err, seen.out, handed) == (255, True, "", {})


def test_a_block_that_is_ended_here_ends_there(target, tmp_path):
    mark = tmp_path / "mark"
    argv = ssh.argv(
        f"echo $BASHPID > {mark}; while :; do sleep 0.1; done",
        target=target,
        names=(),
        handed_on=str(tmp_path / "set"),
    )
    child = Child(Command(argv=argv, env=GIVEN, cwd=str(tmp_path)), output=tmp_path / "out")
    child.open()
    wait_until(lambda: mark.exists() and mark.read_text().strip(), what="the block runs there")
    there = int(mark.read_text())
    child.end()
    wait_until(lambda: not psutil.pid_exists(there), what="the block ends there")


def test_nothing_is_left_there(target, tmp_path):
    before = set(Path("/tmp").iterdir())
    run("A=1; exit 2", target, tmp_path)
    assert [path for path in set(Path("/tmp").iterdir()) - before if path.name.startswith("tmp.")] == []
