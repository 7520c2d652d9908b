"""Processes behind the gate: recorded before they act, alone in their group, ended step by step."""

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from checks.gates import process
from checks.gates.identity import Identity, identity_of, this_place
from checks.gates.process import (
    Child,
    Command,
    CommandNotFound,
    NotRun,
    Orphan,
    Untold,
    capture,
    end_group,
    uptime,
)
from tests.servers import wait_until

ENV = {"PATH": os.environ["PATH"], "GREETING": "hello"}
PATIENCE = 20.0


@pytest.fixture
def started() -> Iterator[list[Child]]:
    """Children of a test, ended with it."""
    children: list[Child] = []
    yield children
    for child in children:
        process._signal_group(child.identity.pid, process.signal.SIGKILL)
        with suppress(NotRun, Untold):
            child.wait(PATIENCE)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ladder that gives each signal a moment only."""
    ladder = tuple((number, 0.3) for number, _ in process.KILL_LADDER)
    monkeypatch.setattr(process, "KILL_LADDER", ladder)


def spawn(started: list[Child], folder: Path, script: str, *, shell: str = "bash") -> Child:
    command = Command(argv=(shell, "-c", script), env=ENV, cwd=str(folder))
    child = Child(command, output=folder / "output")
    started.append(child)
    return child


def pid_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().strip(), what=f"a pid in {path}")
    return int(path.read_text())


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_command_does_not_run_before_the_gate_opens(started, tmp_path):
    child = spawn(started, tmp_path, "touch ran")
    assert child.wait(0.3) is None
    assert not (tmp_path / "ran").exists()
    child.open()
    assert child.wait(PATIENCE) == 0
    assert (tmp_path / "ran").exists()


def test_a_command_whose_parent_died_before_opening_never_runs(tmp_path):
    parent = textwrap.dedent("""
        import os, sys, pathlib
        from checks.gates.process import Child, Command
        command = Command(argv=("touch", "ran"), env=dict(os.environ), cwd=sys.argv[1])
        child = Child(command, output=pathlib.Path(sys.argv[1], "output"))
        print(child.identity.pid, flush=True)
        os.kill(os.getpid(), 9)
    """)
    ended = subprocess.run([sys.executable, "-c", parent, str(tmp_path)], capture_output=True, text=True)
    wait_until(lambda: gone(int(ended.stdout)), what="the end of the orphaned child")
    assert not (tmp_path / "ran").exists()


def test_a_command_has_a_session_its_folder_its_variables_and_nothing_to_read(started, tmp_path):
    child = spawn(started, tmp_path, 'pwd; echo "$GREETING"; env | grep -c SECRET_KEY; cat; ps -o sid= -p $$')
    child.open()
    assert child.wait(PATIENCE) == 0
    folder, greeting, leaked, session = (tmp_path / "output").read_text().split()
    assert (folder, greeting, leaked) == (str(tmp_path), "hello", "0")
    assert int(session) == child.identity.pid


@pytest.mark.parametrize("code", [0, 3, 125])
def test_the_exit_code_is_the_commands(started, tmp_path, code):
    child = spawn(started, tmp_path, f"exit {code}")
    child.open()
    assert child.wait(PATIENCE) == code


def test_a_daemon_left_behind_lives_on_and_the_step_ends(started, tmp_path):
    child = spawn(started, tmp_path, "sleep 60 & echo $! > daemon.pid; echo done")
    child.open()
    assert child.wait(PATIENCE) == 0
    assert not gone(pid_in(tmp_path / "daemon.pid"))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo ready; exec sleep 60", 130),
        ("trap '' INT; echo ready; exec sleep 60", 143),
        ("trap '' INT TERM; echo ready; exec sleep 60", -9),
    ],
)
def test_ending_a_command_climbs_from_int_to_term_to_kill(started, tmp_path, script, code):
    child = spawn(started, tmp_path, script)
    child.open()
    wait_until(lambda: "ready" in (tmp_path / "output").read_text())
    assert child.end() == code


@pytest.mark.usefixtures("quick")
def test_ending_a_command_ends_what_it_started_too(started, tmp_path):
    child = spawn(started, tmp_path, "(trap '' INT TERM; exec sleep 60) & echo $! > inner.pid; wait")
    child.open()
    inner = pid_in(tmp_path / "inner.pid")
    child.end()
    wait_until(lambda: gone(inner))


def test_ending_a_command_that_never_opened_leaves_nothing(started, tmp_path):
    child = spawn(started, tmp_path, "touch ran")
    child.end()
    assert not child.identity.is_alive
    assert not (tmp_path / "ran").exists()


def test_a_group_of_a_dead_engine_is_ended_by_its_identity(started, tmp_path):
    child = spawn(started, tmp_path, "(trap '' INT TERM; exec sleep 60) & echo $! > inner.pid; wait")
    child.open()
    inner = pid_in(tmp_path / "inner.pid")
    ended = capture(
        (sys.executable, "-c", "from checks.gates.process import *; "
         f"print(end_group(Identity(**{child.identity.stored()})))"),
        cwd=str(Path.cwd()),
    )  # fmt: skip
    assert ended.out.strip() == "True", ended
    wait_until(lambda: gone(inner))


def test_an_identity_tells_a_pid_that_is_used_again():
    mine = identity_of(os.getpid())
    earlier = Identity(place=this_place(), pid=os.getpid(), started=mine.started - 100)
    assert mine.is_alive
    assert not earlier.is_alive
    assert end_group(earlier) is False


@pytest.mark.parametrize("folder", ["missing", "a-file"])
def test_a_folder_that_is_none_is_named(tmp_path, folder):
    (tmp_path / "a-file").touch()
    before = len(os.listdir("/proc/self/fd"))
    command = Command(argv=("true",), env=ENV, cwd=str(tmp_path / folder))
    with pytest.raises(CommandNotFound, match=folder):
        Child(command, output=tmp_path / "output")
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_child_leaves_no_open_files_behind(started, tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        child = spawn(started, tmp_path, "true")
        child.open()
        child.wait(PATIENCE)
    assert len(os.listdir("/proc/self/fd")) == before


# --- short questions --------------------------------------------------------------------------------


def test_capture_keeps_both_streams_and_the_code(tmp_path):
    seen = capture(("sh", "-c", "echo out; echo err >&2; exit 4"), cwd=str(tmp_path))
    assert (seen.code, seen.out, seen.err) == (4, "out\n", "err\n")


def test_capture_ends_a_command_that_takes_too_long(tmp_path):
    seen = capture(("sh", "-c", "echo begun; sleep 60 & wait"), cwd=str(tmp_path), timeout=0.3)
    assert (seen.code, seen.out) == (124, "begun\n")
    assert "0.3 s" in seen.err


def test_capture_does_not_wait_for_a_daemon_that_keeps_the_output_open(tmp_path):
    seen = capture(("sh", "-c", "sleep 60 & echo $!"), cwd=str(tmp_path), timeout=10)
    daemon = psutil.Process(int(seen.out))
    assert (seen.code, daemon.is_running()) == (0, True)
    daemon.kill()


def test_capture_keeps_a_mebibyte_at_most(tmp_path):
    seen = capture(("head", "-c", "3000000", "/dev/zero"), cwd=str(tmp_path))
    assert len(seen.out) == process.CAPTURED


def test_capture_says_which_program_is_missing(tmp_path):
    seen = capture(("no-such-program",), cwd=str(tmp_path))
    assert seen.code == 127
    assert "no-such-program" in seen.err


def test_capture_shows_bytes_that_are_no_text(tmp_path):
    assert capture(("printf", "\\377ok"), cwd=str(tmp_path)).out == "\ufffdok"


# --- whose parent died --------------------------------------------------------------------------------------


def orphan_of_a_dead_parent(folder: Path, script: str, *, opens: bool = True) -> Orphan:
    """A command whose parent was killed right after it had opened the gate, or before."""
    parent = textwrap.dedent(f"""
        import json, os, pathlib, sys
        from checks.gates.process import Child, Command
        folder = sys.argv[1]
        command = Command(argv=("bash", "-c", {script!r}), env=dict(os.environ), cwd=folder)
        child = Child(command, output=pathlib.Path(folder, "output"))
        if {opens}:
            child.open()
        print(json.dumps(child.identity.stored()), flush=True)
        os.kill(os.getpid(), 9)
    """)
    ended = subprocess.run([sys.executable, "-c", parent, str(folder)], capture_output=True, text=True)
    return Orphan(Identity(**json.loads(ended.stdout)), code=folder / "output.code")


def test_a_command_outlives_its_parent_and_tells_its_exit_code(tmp_path):
    orphan = orphan_of_a_dead_parent(tmp_path, "until test -e go; do sleep 0.05; done; exit 7")
    assert orphan.wait(0.2) is None
    (tmp_path / "go").touch()
    wait_until(lambda: not orphan.identity.is_alive)
    assert orphan.wait(0) == 7


def test_one_that_never_began_says_so(tmp_path):
    orphan = orphan_of_a_dead_parent(tmp_path, "touch ran", opens=False)
    wait_until(lambda: not orphan.identity.is_alive)
    with pytest.raises(NotRun):
        orphan.wait(0)
    assert not (tmp_path / "ran").exists()


def test_of_one_that_was_killed_with_its_gate_nobody_knows(tmp_path):
    orphan = orphan_of_a_dead_parent(tmp_path, "sleep 60")
    os.killpg(orphan.identity.pid, 9)
    wait_until(lambda: not orphan.identity.is_alive)
    with pytest.raises(Untold):
        orphan.wait(0)


def test_one_whose_parent_sleeps_before_the_gate_is_ended_and_has_not_run(started, tmp_path):
    child = spawn(started, tmp_path, "touch ran")
    orphan = Orphan(child.identity, code=tmp_path / "output.code")
    with pytest.raises(NotRun):
        orphan.wait(0)
    assert not orphan.identity.is_alive
    with pytest.raises(BrokenPipeError):
        child.open()
    assert not (tmp_path / "ran").exists()


def test_a_block_without_its_gate_is_not_known_and_is_ended_by_its_group(started, tmp_path):
    child = spawn(started, tmp_path, "echo $$ > inner.pid; sleep 60")
    child.open()
    inner = pid_in(tmp_path / "inner.pid")
    os.kill(child.identity.pid, 9)
    wait_until(lambda: not child.identity.is_alive)
    with pytest.raises(Untold):
        child.wait(0)
    assert not gone(inner)
    assert end_group(child.identity) is True
    wait_until(lambda: gone(inner))
    assert end_group(child.identity) is False


@pytest.mark.parametrize("garbled", [b"\x93\xff\x00", "²".encode(), b"begun", b"12345"])
def test_a_word_that_is_no_exit_code_says_nothing(tmp_path, garbled):
    orphan = orphan_of_a_dead_parent(tmp_path, "true")
    wait_until(lambda: not orphan.identity.is_alive)
    (tmp_path / "output.code").write_bytes(garbled)
    with pytest.raises(Untold):
        orphan.wait(0)


@pytest.mark.parametrize("is_ended", [True, False])
def test_of_one_whose_word_was_lost_nobody_knows(tmp_path, is_ended):
    orphan = orphan_of_a_dead_parent(tmp_path, "touch begun; until test -e go; do sleep 0.05; done")
    wait_until(lambda: (tmp_path / "begun").exists())
    (tmp_path / "output.code").unlink()
    if not is_ended:
        assert orphan.wait(0) is None
        assert orphan.identity.is_alive
    (tmp_path / "go").touch()
    wait_until(lambda: not orphan.identity.is_alive)
    (tmp_path / "output.code").write_text("")
    with pytest.raises(Untold):
        orphan.wait(0)


def test_an_orphan_is_ended_with_all_that_it_started(tmp_path):
    orphan = orphan_of_a_dead_parent(tmp_path, "sleep 60 & echo $! > inner.pid; wait")
    inner = pid_in(tmp_path / "inner.pid")
    orphan.end()
    wait_until(lambda: gone(inner))


def test_a_parent_that_was_stopped_for_longer_than_it_may_act_opens_in_vain(started, tmp_path):
    child = spawn(started, tmp_path, "touch ran")
    child.open(until=uptime() - 1)
    wait_until(lambda: not child.identity.is_alive)
    with pytest.raises(NotRun):
        child.wait(0)
    assert not (tmp_path / "ran").exists()


def test_a_parent_in_time_opens_it(started, tmp_path):
    child = spawn(started, tmp_path, "touch ran")
    child.open(until=uptime() + 5)
    assert child.wait(PATIENCE) == 0
    assert (tmp_path / "ran").exists()
