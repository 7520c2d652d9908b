"""Which process is meant, beyond doubt: where it runs, its pid and its start, for pids are used again."""

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psutil

STAT = "/proc/{pid}/stat"
# Fields of /proc/PID/stat, counted after the name in brackets (proc_pid_stat(5)).
STATE, PARENT, GROUP, STARTED = 0, 1, 2, 19
GONE = ("Z", "X")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A process: the place whose pids these are, pid, and start (seconds since boot; elsewhere since the epoch).

    The start is read from the kernel's own clock: a wall clock that is set makes no process look dead.
    """

    place: str
    pid: int
    started: float

    @property
    def is_here(self) -> bool:
        """Can this process see whether that one lives?"""
        return self.place == this_place()

    @property
    def is_alive(self) -> bool:
        """Is that very process (not a later one with its pid) still running here?"""
        return self.is_here and _start_of(self.pid) == self.started

    @property
    def is_gone(self) -> bool:
        """It ran here and ended. False, too, for one of another place: nobody here can tell."""
        return self.is_here and not self.is_alive

    @property
    def has_group(self) -> bool:
        """Does anything run in the group that this process led, be it without its leader?"""
        is_another = _start_of(self.pid) not in (None, self.started)
        return not is_another and any(group == self.pid for _, group in _running())

    @property
    def has_children(self) -> bool:
        """Has it started something that still runs?"""
        return any(parent == self.pid for parent, _ in _running())

    def stored(self) -> dict[str, Any]:
        """As plain values, for `Identity(**values)`."""
        return asdict(self)


def identity_of(pid: int) -> Identity:
    """The identity of a process that runs here; one that is gone already gets a start that no other has."""
    started = _start_of(pid)
    return Identity(place=this_place(), pid=pid, started=-1.0 if started is None else started)


@cache
def this_place() -> str:
    """The host, this boot of it and its space of pids: only there a pid means the same process."""
    boot = _read("/proc/sys/kernel/random/boot_id")[:8]
    try:
        space = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        space = ""
    return "/".join(filter(None, (socket.gethostname(), boot, space)))


def pids_below(pid: int) -> set[int]:
    """A running process and all that it started, by their pids."""
    return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}


def _running() -> Iterator[tuple[int, int]]:
    """Parent and group of every process that runs here."""
    if not Path("/proc/self/stat").exists():
        for process in psutil.process_iter():
            with suppress(psutil.Error, ProcessLookupError):
                yield process.ppid(), os.getpgid(process.pid)
        return
    for pid in filter(str.isdigit, os.listdir("/proc")):
        fields = _read(STAT.format(pid=pid)).rpartition(")")[2].split()
        if fields and fields[STATE] not in GONE:
            yield int(fields[PARENT]), int(fields[GROUP])


def _start_of(pid: int) -> float | None:
    """When a running process started; None when there is none, or only what its parent has not yet reaped."""
    if Path("/proc/self/stat").exists():
        fields = _read(STAT.format(pid=pid)).rpartition(")")[2].split()
        return None if not fields or fields[STATE] in GONE else float(fields[STARTED])
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.NoSuchProcess:
        return None


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""
