"""The only place that starts processes: spawned behind a gate, in a group of their own, output in a file."""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

# The child waits on its standard input until the parent has written down who it is: an effect never runs
# unrecorded. If the parent dies first the pipe closes, `read` fails and the command is never executed.
GATE = 'read -r _ || exit 125; exec "$@" </dev/null'
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


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A process beyond doubt: pid and start time (seconds since the epoch), for pids are used again."""

    pid: int
    started: float

    @property
    def is_alive(self) -> bool:
        """Is that very process (not a later one with its pid) still running?"""
        try:
            process = psutil.Process(self.pid)
            return abs(process.create_time() - self.started) < 1 and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


class CommandNotFound(Exception):
    """The program or the folder of a command does not exist."""


class Child:
    """A started command that waits behind its gate; `open()` lets it run, `wait()` asks whether it ended."""

    def __init__(self, command: Command, *, output: Path) -> None:
        reader, self._gate = os.pipe()
        with output.open("ab") as sink:
            try:
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", GATE, "gate", *command.argv],
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
        self.identity = Identity(pid=self._process.pid, started=_start_time(self._process.pid))

    def open(self) -> None:
        """Let the command run; returns at once."""
        os.write(self._gate, b"go\n")
        os.close(self._gate)

    def wait(self, seconds: float) -> int | None:
        """The exit code (negative: the signal that ended it), or None if it still runs after `seconds`."""
        if hasattr(os, "pidfd_open") and self._process.poll() is None:
            descriptor = os.pidfd_open(self._process.pid)
            try:
                select.select([descriptor], [], [], seconds)
            finally:
                os.close(descriptor)
            return self._process.poll()
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> int:
        """End the whole group: INT, TERM, KILL, each with its time; returns the exit code."""
        for number, patience in KILL_LADDER:
            _signal_group(self._process.pid, number)
            code = self.wait(patience)
            if code is not None:
                _signal_group(self._process.pid, signal.SIGKILL)
                return code
        return self._process.wait()


def _start_time(pid: int) -> float:
    try:
        return psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return time.time()


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def end_group(identity: Identity) -> bool:
    """End the group that a dead engine left behind; False if that process is gone already."""
    if not identity.is_alive:
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
    while identity.is_alive:
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def capture(
    argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None, timeout: float = 30.0
) -> Captured:
    """Run a short question to its end and return what it said, at most 1 MiB of each stream.

    Code 124 after `timeout` seconds, 127 when it cannot be started. It ends when the command ends: a daemon that
    keeps its output open is not waited for.
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
                start_new_session=True,
            )
        except (FileNotFoundError, NotADirectoryError, PermissionError) as error:
            return Captured(code=127, out="", err=f"cannot start {argv[0]} in folder {cwd}: {error.strerror}")
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()
            return Captured(code=124, out=_text(out), err=f"{argv[0]} did not end within {timeout:g} s")
        return Captured(code=code, out=_text(out), err=_text(err))


def _text(file: BinaryIO) -> str:
    file.seek(0)
    return file.read(CAPTURED).decode("utf-8", "replace")
