"""The only place that starts processes: spawned behind a gate, in a group of their own, output in a file."""

import os
import re
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from checks.gates.identity import Identity, identity_of

# The child waits on its standard input until the parent has written down who it is: an effect never runs
# unrecorded. If the parent dies first the pipe closes, `read` fails and the command is never executed. What the parent
# writes is the second since boot until when it may act: one that was stopped for longer opens the gate in vain.
# The gate stays until the command ends and keeps its exit code in a file, for a parent that died meanwhile.
GATE = """\
trap : HUP INT TERM
read -r until || { echo never >"$0"; exit 125; }
[ "$until" = - ] || { read -r up _ </proc/uptime; [ "${up%%.*}" -lt "$until" ]; } || { echo late >"$0"; exit 125; }
echo begun >"$0" || exit 125
"$@" </dev/null
code=$?
echo "$code" >"$0"
exit "$code"
"""
NOT_RUN = ("never", "late")
CODE = re.compile(r"[0-9]{1,3}")
UPTIME = Path("/proc/uptime")
CAPTURED = 1 << 20
KILL_LADDER = ((signal.SIGINT, 5.0), (signal.SIGTERM, 5.0), (signal.SIGKILL, 5.0))


@dataclass(frozen=True, kw_only=True)
class Command:
    """What to run: argv, its whole environment, its folder, and how many seconds it may take and be silent."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    timeout: float = 900.0
    silence: float = 600.0


@dataclass(frozen=True, kw_only=True)
class Captured:
    """What a short command said: exit code, standard output, standard error."""

    code: int
    out: str
    err: str


class CommandNotFound(Exception):
    """The program or the folder of a command does not exist, or nothing can be kept of it."""


class NotRun(Exception):
    """The gate did not open: its parent died before, or was stopped for longer than it may act."""


class Untold(Exception):
    """A command is gone and nobody kept its exit code: killed with its gate, or the machine went down."""


class Child:
    """A started command that waits behind its gate; `open()` lets it run, `wait()` asks whether it ended.

    Its exit code is kept in the file `code` until the caller removes it.
    """

    def __init__(self, command: Command, *, output: Path, code: Path | None = None) -> None:
        self._code = code or output.with_suffix(".code")
        self._code.unlink(missing_ok=True)
        reader, self._gate = os.pipe()
        with output.open("ab") as sink:
            try:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", GATE, str(self._code), *command.argv],
                    cwd=command.cwd,
                    env=dict(command.env),
                    stdin=reader,
                    stdout=sink,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
                os.close(self._gate)
                raise CommandNotFound(f"cannot start in folder {command.cwd}: {error.strerror}") from error
            finally:
                os.close(reader)
        self.identity = identity_of(self._process.pid)

    def open(self, *, until: float | None = None) -> None:
        """Let the command run, if that is before the second `until` since boot; returns at once."""
        told = "-" if until is None or not UPTIME.exists() else str(int(until))
        os.write(self._gate, f"{told}\n".encode())
        os.close(self._gate)

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if it still runs after `seconds`.

        Raises NotRun when the gate was opened too late, and Untold when somebody killed the gate.
        """
        code = self._process.poll()
        if code is None:
            wait_any([self], seconds)
            code = self._process.poll()
        if code == 125 and _told(self._code) in NOT_RUN:
            raise NotRun(f"it was to begin later than it may; {_told(self._code)}")
        if code == 125 and not _told(self._code):
            raise CommandNotFound(f"nothing was run: its exit code cannot be kept in {self._code.parent}")
        if code is not None and code < 0:
            raise Untold("its gate was killed, and nobody knows how far it came")
        return code

    def kill(self) -> None:
        """End the group by KILL alone: what it only watches goes on."""
        _signal_group(self.identity.pid, signal.SIGKILL)

    def end(self) -> int:
        """End the whole group: INT, TERM, KILL, each with its time; returns the exit code."""
        for number, patience in KILL_LADDER:
            _signal_group(self.identity.pid, number)
            wait_any([self], patience)
            if self._process.poll() is not None:
                break
        _signal_group(self.identity.pid, signal.SIGKILL)
        return self._process.wait()


class Orphan:
    """A command that outlived its parent; the questions are those of a Child."""

    def __init__(self, identity: Identity, *, code: Path) -> None:
        self.identity, self._code = identity, code

    def wait(self, seconds: float) -> int | None:
        """The exit code, or None if it still runs after `seconds`; raises NotRun, or Untold when nobody kept it."""
        is_shut = self.identity.is_alive and not _told(self._code) and not self.identity.has_children
        if is_shut:
            # Its gate waits for a parent that may not open it any more; if it opens now, `begun` tells.
            self.kill()
            _ended(self.identity, within=KILL_LADDER[-1][1])
        elif self.identity.is_alive:
            wait_any([self], seconds)
            return None
        told = _told(self._code)
        if told in NOT_RUN or (is_shut and not told):
            raise NotRun("its command had not begun")
        if not CODE.fullmatch(told):
            raise Untold("it is gone, and nobody knows how far it came")
        return int(told)

    def kill(self) -> None:
        """End the group by KILL alone: what it only watches goes on."""
        _signal_group(self.identity.pid, signal.SIGKILL)

    def end(self) -> int:
        """End the whole group; returns -9."""
        end_group(self.identity)
        return -signal.SIGKILL


def wait_any(children: Sequence[Child | Orphan], seconds: float) -> None:
    """Return when one of these ended, at the latest after `seconds`."""
    _wait_for([child.identity.pid for child in children], seconds)


def _wait_for(pids: Sequence[int], seconds: float) -> None:
    """Not Popen.wait, which sleeps between looks."""
    descriptors: list[int] = []
    try:
        for pid in pids:
            descriptors.append(os.pidfd_open(pid))
        select.select(descriptors, [], [], seconds)
    except ProcessLookupError:
        return
    except AttributeError:  # a system without pidfd_open
        time.sleep(min(seconds, 0.05))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


def uptime() -> float:
    """Seconds since boot, as the gate reads them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def _told(code: Path) -> str:
    try:
        return code.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def end_group(identity: Identity) -> bool:
    """End the group that a dead engine left behind, also one that lives on without its leader; False if none is left.

    The number of a group is not given out anew while a process is in it: what bears it is that group.
    """
    if not identity.is_here or not identity.has_group:
        return False
    for number, patience in KILL_LADDER:
        _signal_group(identity.pid, number)
        if _ended(identity, within=patience):
            break
    _signal_group(identity.pid, signal.SIGKILL)
    return True


def _ended(identity: Identity, *, within: float) -> bool:
    """Not psutil's wait: a zombie that nobody reaps (a container without an init) has ended, too."""
    until = time.monotonic() + within
    while identity.has_group:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def capture(
    argv: Sequence[str],
    *,
    cwd: str,
    env: Mapping[str, str] | None = None,
    timeout: float = 30.0,
    alone: bool = True,
) -> Captured:
    """Run a short question to its end and return what it said, at most 1 MiB of each stream.

    `alone`: in a group of its own; else it is ended with the group of who asks. Code 124 after `timeout` seconds, 127
    when it cannot be started. It ends when the command ends: a daemon that keeps its output open is not waited for.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                list(argv),
                cwd=cwd,
                env=dict(env) if env is not None else None,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=alone,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            return Captured(code=127, out="", err=f"cannot start {argv[0]} in folder {cwd}: {error.strerror}")
        code = _code_within(process, timeout)
        if code is None:
            if alone:
                _signal_group(process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
            return Captured(code=124, out=_text(out), err=f"{argv[0]} did not end within {timeout:g} s")
        return Captured(code=code, out=_text(out), err=_text(err))


def _code_within(process: subprocess.Popen[bytes], seconds: float) -> int | None:
    """The exit code, or None if it still runs after that time."""
    until = time.monotonic() + seconds
    while (code := process.poll()) is None and (left := until - time.monotonic()) > 0:
        _wait_for([process.pid], left)
    return code


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read(CAPTURED).decode("utf-8", "replace")
