"""Which processes of the shop run: a record of pid and start time each, so that only those are ever ended."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path


def start_time(pid: int) -> str | None:
    """When the process started, as the system words it; None when it is gone (a zombie counts as gone)."""
    if not Path("/proc/self/stat").exists():
        return _start_time_by_ps(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *rest = stat.rpartition(")")[2].split()
    return None if state in "ZX" else rest[18]


def _start_time_by_ps(pid: int) -> str | None:
    said = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True)
    state, _, started = said.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def record(file: Path, pid: int) -> None:
    """Note pid and start time, in one go."""
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps({"pid": pid, "started": start_time(pid)}))
    aside.replace(file)


def running(file: Path) -> int | None:
    """The recorded pid if that very process still runs, else None."""
    try:
        noted = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return None
    alive = noted["started"] and start_time(noted["pid"]) == noted["started"]
    return noted["pid"] if alive else None


def ask_to_end(file: Path) -> int | None:
    """TERM to the recorded process; its pid, or None when it does not run."""
    pid = running(file)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
    return pid


def await_end(file: Path, *, limit: float) -> bool:
    """Wait until the recorded process is gone; after `limit` seconds KILL its group. True: it went by itself."""
    until = time.monotonic() + limit
    while (pid := running(file)) is not None and time.monotonic() < until:
        time.sleep(0.03)
    if pid is not None:
        _kill(pid)
        while running(file) is not None:
            time.sleep(0.03)
    file.unlink(missing_ok=True)
    return pid is None


def _kill(pid: int) -> None:
    if os.getpgid(pid) == pid:
        os.killpg(pid, signal.SIGKILL)
    else:
        os.kill(pid, signal.SIGKILL)
