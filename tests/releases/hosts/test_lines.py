"""Lines that break, drivers that are killed, and hosts that go away: a block runs once, and its end is known or not."""

import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from tests.releases.hosts.machines import Driver, driver, shown, told
from tests.servers import free_port, survivors, wait_until

# Runs until it is let go, and counts how often it was started.
SLOW = """\
echo started >> {folder}/starts
echo first
until [ -e {folder}/go ]; do sleep 0.05; done
RESULT=known
echo last
exit 3
"""


@pytest.fixture
def slow(tmp_path: Path) -> str:
    """A block that waits for `go`."""
    return SLOW.format(folder=tmp_path)


def starts(folder: Path) -> int:
    return shown(folder / "starts").count("started")


def begun(one: Driver) -> Driver:
    """Started, and its first line is here."""
    one.start()
    wait_until(lambda: "first" in one.out, what="the block speaks")
    return one


def result(one: Driver) -> tuple[int, str, str, str]:
    return one.wait(), one.out, one.handed.get("RESULT", ""), one.lost


KNOWN = (3, "first\nlast\n", "known", "")


def test_a_line_that_is_cut_in_the_middle_costs_nothing(host, tmp_path, slow):
    one = begun(driver(slow, host, tmp_path / "driver"))
    before = {session.pid for session in host.sessions}
    host.cut()
    wait_until(lambda: {s.pid for s in host.sessions} - before, what="another connection")
    (tmp_path / "go").touch()
    assert result(one) == KNOWN
    assert starts(tmp_path) == 1


def test_what_ended_while_the_line_was_down_is_read(mortal, tmp_path, slow):
    one = begun(driver(slow, mortal, tmp_path / "driver"))
    mortal.listener.suspend()
    mortal.cut()
    (tmp_path / "go").touch()
    wait_until(lambda: (mortal.runs[0] / "code").exists(), what="the block ends there")
    mortal.listener.resume()
    assert result(one) == KNOWN


def test_output_is_complete_and_in_order_however_often_the_line_is_cut(host, tmp_path):
    text = f"for n in $(seq 1 400); do echo line $n; sleep 0.005; done; echo >> {tmp_path}/starts started"
    one = driver(text, host, tmp_path / "driver").start()
    for mark in ("line 50\n", "line 150\n", "line 300\n"):
        wait_until(lambda mark=mark: mark in one.out, what=mark)
        host.cut()
    assert one.wait() == 0
    assert one.out == "".join(f"line {n}\n" for n in range(1, 401))
    assert starts(tmp_path) == 1


def test_a_line_that_only_falls_silent_is_found_out(mortal, tmp_path, slow):
    one = begun(driver(slow, mortal, tmp_path / "driver"))
    (session,) = mortal.sessions
    session.suspend()
    wait_until(lambda: len(mortal.sessions) > 1, what="another connection")
    (tmp_path / "go").touch()
    assert result(one) == KNOWN
    session.kill()


def test_a_connection_that_died_before_it_was_needed_is_opened_anew(mortal, tmp_path):
    first = driver("true", mortal, tmp_path / "first").start()
    assert first.wait() == 0
    (session,) = mortal.sessions
    session.suspend()
    second = told(driver("echo second", mortal, tmp_path / "second"), run="second").start()
    assert (second.wait(), second.out, second.lost) == (0, "second\n", "")
    session.kill()


def test_a_killed_driver_leaves_the_block_running_and_the_next_one_reads_all_of_it(host, tmp_path, slow):
    killed = begun(driver(slow, host, tmp_path / "killed"))
    killed.signal(signal.SIGKILL)
    killed.wait()
    assert "nobody knows how it went on there" in killed.lost
    second = begun(told(driver(slow, host, tmp_path / "second"), again=True))
    (tmp_path / "go").touch()
    assert result(second) == KNOWN
    assert starts(tmp_path) == 1


def test_a_result_that_was_read_is_told_once_more(host, tmp_path, slow):
    (tmp_path / "go").touch()
    first = driver(slow, host, tmp_path / "first").start()
    assert result(first) == KNOWN
    assert result(driver(slow, host, tmp_path / "second").start()) == KNOWN
    assert starts(tmp_path) == 1


def test_drivers_of_one_block_start_it_once_and_each_tells_its_end(host, tmp_path, slow):
    ones = [driver(slow, host, tmp_path / f"{number}").start() for number in range(4)]
    wait_until(lambda: all("first" in one.out for one in ones), what="each of them hears the block")
    (tmp_path / "go").touch()
    assert [result(one) for one in ones] == [KNOWN] * 4
    assert starts(tmp_path) == 1


def test_no_reader_stays_behind_a_killed_driver(host, tmp_path, slow):
    one = begun(driver(slow, host, tmp_path / "driver"))
    (tail,) = [p for s in host.sessions for p in s.children(recursive=True) if p.name() == "bash"]
    one.signal(signal.SIGKILL)
    wait_until(lambda: not psutil.pid_exists(tail.pid), what="what read the output there ends")
    (tmp_path / "go").touch()
    one.wait()


# --- ended from here ------------------------------------------------------------------------------------------

GROUP = """\
{first}
{behind}
echo $$ > {folder}/group
echo first
while :; do sleep 0.1; done
"""


def group_of(folder: Path) -> list[psutil.Process]:
    leader = psutil.Process(int((folder / "group").read_text()))
    return [leader, *leader.children(recursive=True)]


@pytest.mark.parametrize(
    ("number", "first", "behind", "by"),
    [
        (signal.SIGINT, "", "", "INT"),
        (signal.SIGTERM, "", "", "INT"),
        # What bash runs in the background does not heed INT.
        (signal.SIGINT, "", "sleep 3141 & sleep 3142 | sleep 3143 &", "TERM"),
        (signal.SIGINT, "trap '' INT TERM", "sleep 3141 &", "KILL"),
    ],
)
def test_what_is_ended_here_ends_there_with_all_its_processes(host, tmp_path, number, first, behind, by):
    text = GROUP.format(first=first, behind=behind, folder=tmp_path)
    one = begun(driver(text, host, tmp_path / "driver"))
    group = group_of(tmp_path)
    one.signal(number)
    assert (one.wait(), one.lost) == (130, "")
    assert f"ended on deploy@your-server by {by}\n" in one.out
    assert survivors(group) == []
    assert host.runs == []


def test_after_it_was_ended_the_same_block_starts_anew(host, tmp_path, slow):
    first = begun(driver(slow, host, tmp_path / "first"))
    first.signal(signal.SIGINT)
    assert first.wait() == 130
    second = begun(driver(slow, host, tmp_path / "second"))
    (tmp_path / "go").touch()
    assert (second.wait(), starts(tmp_path)) == (3, 2)


def test_a_block_that_says_all_is_well_when_it_is_ended_counts(host, tmp_path):
    text = "trap 'echo tidied up; exit 0' INT; echo first; while :; do sleep 0.05; done"
    one = begun(driver(text, host, tmp_path / "driver"))
    one.signal(signal.SIGINT)
    assert (one.wait(), one.lost, len(host.runs)) == (0, "", 1)


def test_what_cannot_be_ended_because_the_host_is_away_is_not_known(mortal, tmp_path, slow):
    one = begun(told(driver(slow, mortal, tmp_path / "driver"), patience=1.0))
    mortal.go_away()
    one.signal(signal.SIGINT)
    assert (one.wait(), "may still run" in one.lost) == (255, True)
    (tmp_path / "go").touch()


# --- hosts that are away ------------------------------------------------------------------------------------------


def test_a_host_that_is_away_is_told_and_nothing_is_unclear(host, tmp_path):
    away = driver("echo never", replace(host.target, port=free_port()), tmp_path / "driver").start()
    assert (away.wait(), away.lost, away.handed) == (255, "", {})
    assert "deploy@your-server cannot be reached: " in away.out
    assert "Connection refused; start sshd there, or correct address and port" in away.out
    assert away.out.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": "nobody@no-such-host.invalid"}, "correct the address of this host"),
        ({"identity_file": "/no/such/key"}, "Permission denied"),
    ],
)
def test_what_keeps_gantry_out_is_told_with_the_way_out(host, tmp_path, change, words):
    target = replace(host.target, **change)
    one = driver("echo never", target, tmp_path / "driver").start()
    assert (one.wait(), one.lost, words in one.out, "never" in one.out) == (255, "", True, False), one.out


@pytest.mark.parametrize("mode", [0o777, 0o750])
def test_a_connection_is_not_shared_where_others_could_answer_in_the_hosts_place(host, tmp_path, mode):
    control = tmp_path / "control"
    control.mkdir()
    control.chmod(mode)
    target = replace(host.target, control=str(control))
    one = driver("echo never", target, tmp_path / "driver").start()
    assert (one.wait(), one.lost, "is not a folder of this user alone" in one.out) == (255, "", True)


def test_a_key_is_kept_when_it_is_met_and_another_one_is_refused(mortal, tmp_path):
    known = Path(mortal.target.known_hosts)
    first = driver("true", mortal, tmp_path / "first").start()
    assert (first.wait(), first.out, "ssh-ed25519" in known.read_text()) == (0, "", True)
    other = Path(mortal.target.identity_file).with_suffix(".pub").read_text().split()[1]
    known.write_text(f"[127.0.0.1]:{mortal.target.port} ssh-ed25519 {other}\n")
    mortal.cut()
    second = told(driver("echo never", mortal, tmp_path / "second"), run="second").start()
    assert (second.wait(), second.lost, second.handed) == (255, "", {})
    assert "remove its line from" in second.out, second.out


def test_a_host_that_goes_away_for_good_after_the_start_leaves_what_nobody_knows(mortal, tmp_path, slow):
    one = begun(told(driver(slow, mortal, tmp_path / "driver"), patience=1.0))
    mortal.go_away()
    assert one.wait() == 255
    assert one.lost.startswith("web1 did not answer for 1 s after the command was started there")
    (tmp_path / "go").touch()


def test_a_block_that_an_earlier_driver_may_have_started_is_not_taken_for_never_begun(host, tmp_path):
    target = replace(host.target, port=free_port())
    one = told(driver("true", target, tmp_path / "driver"), again=True, patience=0.5).start()
    assert (one.wait(), "may still run" in one.lost) == (255, True)


def test_a_block_that_somebody_killed_with_its_watcher_is_not_known(host, tmp_path, slow):
    one = begun(driver(slow, host, tmp_path / "driver"))
    wait_until(lambda: (host.runs[0] / "pids").exists())
    rows = (host.runs[0] / "pids").read_text().split("\n")
    for row in rows[1:3]:
        psutil.Process(int(row.split()[0])).kill()
    assert one.wait() == 255
    assert "left no exit code" in one.lost


def test_a_host_that_was_started_anew_is_told(host, tmp_path, slow):
    first = begun(driver(slow, host, tmp_path / "first"))
    first.signal(signal.SIGKILL)
    first.wait()
    pids = host.runs[0] / "pids"
    pids.write_text("another boot\n" + pids.read_text().split("\n", 1)[1])
    second = told(driver(slow, host, tmp_path / "second"), again=True).start()
    assert (second.wait(), "was started anew" in second.lost) == (255, True)
    (tmp_path / "go").touch()


def test_a_start_of_which_nothing_was_seen_is_not_known_and_not_repeated(host, tmp_path):
    (host.home / ".gantry/runs/gantry-1-key-1").mkdir(parents=True)
    one = driver("echo never", host, tmp_path / "driver").start()
    assert (one.wait(), "never" in one.out.replace("was never seen", ""), one.handed) == (255, False, {})
    assert "never seen to begin" in one.lost
