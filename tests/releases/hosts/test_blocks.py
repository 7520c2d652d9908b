"""What a block on a host does, by the real driver, a real ssh and a real sshd."""

import shutil
from pathlib import Path

import pytest

from releases.hosts.look import look
from tests.releases.hosts.machines import Driver, Machine, driver, machine, told


def run(text: str, on: Machine, folder: Path, **variables: str) -> tuple[int, Driver]:
    """Run a block there to its end."""
    one = driver(text, on, folder / "driver", **variables).start()
    return one.wait(), one


@pytest.mark.parametrize(
    ("text", "code", "out"),
    [
        ("echo one; echo two", 0, "one\ntwo\n"),
        ("echo one\nfalse\necho two", 1, "one\n"),
        ("false | cat\necho two", 1, ""),
        ("exit 7", 7, ""),
        ("exit 255", 255, ""),
        ("kill -KILL $$", 137, ""),
        ("echo fine | grep ERROR", 0, ""),
        ("echo 'ERROR: broken' | grep ERROR", 1, "ERROR: broken\ngrep found what should not be there\n"),
        ("cat; echo 'no input'", 0, "no input\n"),
        ("echo out; echo err >&2", 0, "out\nerr\n"),
        ("echo 'it''s' \"quoted\"; echo \\$HOME '%s' '!!'", 0, "its quoted\n$HOME %s !!\n"),
        ("cat <<END\nin a document\nEND", 0, "in a document\n"),
        ("printf 'no line end'", 0, "no line end"),
        ("echo before # a comment", 0, "before\n"),
        ("set -C; echo kept", 0, "kept\n"),
        ("", 0, ""),
    ],
)
def test_a_block_runs_there_as_it_would_here(host, tmp_path, text, code, out):
    ended, one = run(text, host, tmp_path)
    assert (ended, one.out, one.lost) == (code, out, "")


@pytest.mark.parametrize("text", ["if [ x ]; then", "}", ")", "echo 'open"])
def test_a_script_that_bash_cannot_read_is_refused_there(host, tmp_path, text):
    code, one = run(text, host, tmp_path)
    assert code != 0 and ("syntax error" in one.out or "unexpected EOF" in one.out), one.out


@pytest.mark.parametrize(
    "value", ["two words", 'it\'s "q"', "a\nb\n", "", "$HOME `id` \\", "ünï ✓", "a;b|c&"]
)
def test_a_variable_comes_there_and_back_as_it_is(host, tmp_path, value):
    _, one = run('COPY="$GIVEN_VALUE"; printf "%s" "$GIVEN_VALUE"', host, tmp_path, GIVEN_VALUE=value)
    assert (one.out, one.handed["COPY"]) == (value, value)


def test_variables_of_any_name_change_nothing_of_how_a_block_is_run(host, tmp_path):
    names = ("run", "name", "nonce", "code", "block", "size", "mask", "IFS", "BASH_ENV", "PYTHONHOME")
    code, one = run('echo "$run $name $code"', host, tmp_path, **dict.fromkeys(names, "odd"))
    assert (code, one.out) == (0, "odd odd odd\n")


def test_what_a_block_sets_there_is_handed_on_and_nothing_of_that_machine(host, tmp_path):
    _, one = run("A=1; COLOUR=red; SAME=$COLOUR; PATH=/odd:$PATH; cd /usr", host, tmp_path)
    assert one.handed == {
        "A": "1",
        "COLOUR": "red",
        "SAME": "red",
        "GANTRY_FOLDER_deploy_your_server": "/usr",
    }


def test_a_block_begins_where_the_one_before_it_ended(host, tmp_path):
    code, first = run("pwd; cd /usr/share; exit 3", host, tmp_path)
    second = told(driver("pwd", host, tmp_path / "two", **first.handed), run="two").start()
    assert (second.wait(), code) == (0, 3)
    assert (first.out.strip(), second.out.strip()) == (str(host.home), "/usr/share")


def test_a_folder_that_is_gone_stops_the_block(host, tmp_path):
    code, one = run("echo never", host, tmp_path, GANTRY_FOLDER_deploy_your_server="/no/such/folder")
    assert (code, "never" in one.out) == (1, False)


def test_path_and_home_are_those_of_the_other_machine(host, tmp_path):
    odd = tmp_path / "odd"
    odd.mkdir()
    (odd / "ssh").symlink_to(str(shutil.which("ssh")))
    code, one = run('echo "$PATH $HOME"', host, tmp_path, PATH=f"{odd}:{shutil.os.environ['PATH']}")
    assert (code, str(odd) in one.out, one.out.split()[-1]) == (0, False, str(host.home))


def test_no_value_stands_in_an_argument_of_a_process(host, tmp_path):
    _, one = run(
        "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '", host, tmp_path, TOKEN="s3cret-of-the-shop"
    )
    assert "releases.hosts.run" in one.out
    assert "s3cret-of-the-shop" not in one.out


def test_what_lies_there_while_it_runs_is_the_users_alone_and_holds_no_value(host, tmp_path):
    text = 'cd ~/.gantry/runs/*/; stat -c "%a %n" . *; grep -lF "$TOKEN" * || echo nowhere'
    _, one = run(text, host, tmp_path, TOKEN="s3cret-of-the-shop")
    assert one.out.split("\n")[:4] == ["700 .", "600 block", "600 output", "600 pids"]
    assert "nowhere" in one.out


def test_what_is_kept_there_afterwards_holds_no_value_that_was_given(host, tmp_path):
    run("A=1; echo done", host, tmp_path, TOKEN="s3cret-of-the-shop")
    (kept,) = host.runs
    assert {path.name for path in kept.iterdir()} == {"code", "output", "pids", "variables"}
    assert b"s3cret-of-the-shop" not in b"".join(path.read_bytes() for path in kept.iterdir())


def test_the_blocks_own_files_are_made_as_the_user_there_would_make_them(host, tmp_path):
    run(f"touch {tmp_path}/made", host, tmp_path)
    assert (tmp_path / "made").stat().st_mode & 0o077 != 0


def test_there_is_no_terminal_there(host, tmp_path):
    assert run("test ! -t 0 && test ! -t 1 && ! tty -s < /dev/tty", host, tmp_path)[0] == 0


def test_a_daemon_that_is_left_behind_is_not_waited_for(host, tmp_path):
    code, one = run("sleep 300 & echo $! ; disown", host, tmp_path)
    shutil.os.kill(int(one.out), 9)
    assert code == 0


def test_what_was_left_there_for_a_week_is_removed(host, tmp_path):
    run("true", host, tmp_path)
    (old,) = host.runs
    eight_days = old.stat().st_mtime - 8 * 86400
    shutil.os.utime(old, (eight_days, eight_days))
    told(driver("true", host, tmp_path / "two"), run="two").start().wait()
    assert [each.name for each in host.runs] == ["two"]


def test_fifty_megabytes_pass_in_little_memory(host, tmp_path):
    one = driver("head -c 52428800 /dev/zero | tr '\\0' x", host, tmp_path / "driver").start()
    import psutil

    process, most = psutil.Process(one.process.pid), 0
    while one.process.poll() is None:
        try:
            most = max(most, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
    assert (one.wait(), (one.folder / "out").stat().st_size) == (0, 52428800)
    assert 0 < most < 60 << 20
    assert (host.runs[0] / "output").stat().st_size < 2 << 20


def test_blocks_and_looks_share_one_connection(host, tmp_path):
    for number in range(3):
        told(driver("true", host, tmp_path / f"{number}"), run=f"{number}").start().wait()
    assert look(host.target, "echo looked", variables={}).out == "looked\n"
    assert len(host.sessions) == 1


def test_drivers_that_begin_at_once_share_one_connection(mortal, tmp_path):
    ones = [told(driver("true", mortal, tmp_path / f"{n}"), run=f"{n}").start() for n in range(4)]
    assert [one.wait() for one in ones] == [0] * 4
    assert len(mortal.sessions) == 1


# --- a look -----------------------------------------------------------------------------------------------


def test_a_look_sees_the_variables_and_the_folder_of_the_block_before(host):
    given = {"COLOUR": "blue", "GANTRY_FOLDER_deploy_your_server": "/usr", "HOME": "/nowhere"}
    seen = look(host.target, 'echo "$COLOUR in $PWD"; echo to the side >&2', variables=given)
    assert (seen.code, seen.out) == (0, "blue in /usr\n")
    assert "to the side" in seen.err


def test_a_look_stops_at_the_first_failure_and_keeps_nothing_there(host):
    seen = look(host.target, "false; echo never", variables={})
    assert (seen.code, seen.out, host.runs) == (1, "", [])


def test_a_look_that_takes_too_long_is_given_up(host):
    seen = look(host.target, "sleep 60", variables={}, timeout=0.5)
    assert (seen.code, "did not end within" in seen.err) == (124, True)


def test_a_look_at_a_host_that_does_not_answer_says_so(mortal):
    mortal.go_away()
    seen = look(mortal.target, "true", variables={})
    assert (seen.code, "web1 cannot be reached" in seen.err) == (255, True)


# --- machines that are not as they should be ------------------------------------------------------------------


def test_a_host_without_bash_is_told(tmp_path):
    with machine("bare", shell="/bin/sh -c 'echo no bash >&2; exit 127'") as bare:
        code, one = run("true", bare, tmp_path)
    assert (code, one.lost) == (255, "")
    assert "bare has no bash" in one.out and "install bash there" in one.out


def test_a_host_that_greets_loudly_is_understood(tmp_path):
    greeting = "/bin/sh -c 'echo Welcome; echo gantry-; exec bash -s'"
    with machine("loud", shell=greeting) as loud:
        code, one = run("echo quietly", loud, tmp_path)
    assert (code, one.out) == (0, "quietly\n")


def test_a_host_where_nothing_can_be_kept_is_told(host, tmp_path):
    (host.home / ".gantry").write_text("in the way")
    code, one = run("true", host, tmp_path)
    (host.home / ".gantry").unlink()
    assert (code, one.lost, "cannot keep a command in ~/.gantry/runs" in one.out) == (255, "", True)
