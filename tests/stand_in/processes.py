"""The one process of a stand-in service: started, ended, replaced by the commit of another folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

WITHIN = 20.0


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """A built service's folder as its tools see it: `tree` is the clone, `live` what a platform built."""

    folder: Path
    port: int
    variables: dict[str, str]

    @property
    def tree(self) -> Path:
        return self.folder / "tree"

    @property
    def live(self) -> Path:
        return self.folder / "live"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def calls(self) -> Path:
        return self.folder / "calls.jsonl"

    def save(self) -> None:
        """Keep it for the tools, which are processes of their own."""
        known = {"port": self.port, "variables": self.variables}
        (self.folder / "stand_in.json").write_text(json.dumps(known))


def load(folder: Path) -> StandIn:
    """The stand-in of a folder."""
    known = json.loads((folder / "stand_in.json").read_text())
    return StandIn(folder=folder, port=known["port"], variables=known["variables"])


def start(service: StandIn, home: Path) -> None:
    """Start the version that lies in `home`; back when it answers."""
    pid = _spawn(service, home)
    born = psutil.Process(pid).create_time()
    (service.state / "process.json").write_text(json.dumps([pid, born, str(home)]))
    until = time.monotonic() + WITHIN
    while not _answers(service.port):
        if not _runs(pid, born) or time.monotonic() > until:
            sys.exit(f"the service did not come up:\n{(service.state / 'service.log').read_text()[-2000:]}")
        time.sleep(0.02)


def stop(service: StandIn) -> None:
    """End the process and wait until it is gone; fine when none runs."""
    pid, born, _ = note(service)
    if not _runs(pid, born):
        return
    os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + WITHIN
    while _runs(pid, born):
        if time.monotonic() > until:
            sys.exit(f"process {pid} of the service does not end")
        time.sleep(0.02)


def _spawn(service: StandIn, home: Path) -> int:
    """A shell stands between, so that the process is nobody's child and belongs to no job of whoever asked."""
    begun = subprocess.run(
        [
            "sh",
            "-c",
            '"$@" </dev/null >>"$STATE/service.log" 2>&1 & echo $!',
            "sh",
            sys.executable,
            "app.py",
            service.folder.name,
        ],
        cwd=home,
        env=service.variables,
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return int(begun.stdout)


def _runs(pid: int, born: float) -> bool:
    """Does that very process run? A zombie does not."""
    try:
        process = psutil.Process(pid)
        return bool(process.create_time() == born and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def restart(service: StandIn) -> None:
    """A new process of the folder that runs now."""
    home = Path(note(service)[2])
    stop(service)
    start(service, home)


def release(service: StandIn, commit: str, *, of: Path) -> None:
    """What a platform does: take a commit of the folder `of`, put it live, swap the processes."""
    git = ["git", "-C", str(service.live)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for words in (["fetch", "--quiet", str(of), commit], ["checkout", "--quiet", "--detach", commit]):
        subprocess.run([*git, *words], check=True, env=environment)
    stop(service)
    start(service, service.live)


def note(service: StandIn) -> tuple[int, float, str]:
    """Process id, when it was born, the folder it runs from."""
    try:
        found: Any = json.loads((service.state / "process.json").read_text())
    except FileNotFoundError:
        return 0, 0.0, str(service.tree)
    return found[0], found[1], found[2]


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
