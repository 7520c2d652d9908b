"""`manage.py serve`: web, worker and beat in one terminal, ended together."""

import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from releases.errors import GantryError, WrongUsage
from releases.management.base import Command as Base

STOP_WITHIN = 30.0
LOOK_EVERY = 0.2
LAST_LINES = 15
# gunicorn's control socket would lie in the home folder, one for every Gantry of this user.
GUNICORN = "--workers 2 --threads 4 --graceful-timeout 10 --log-level warning --no-control-socket".split()
CELERY = (
    "--quiet --app config.celery worker --beat --hostname gantry@%h --pool threads --concurrency 4 "
    "--without-gossip --without-mingle --without-heartbeat --loglevel WARNING"
).split()
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(kw_only=True)
class Child:
    """One of our processes: leader of a session of its own, its output prefixed with its name."""

    name: str
    process: subprocess.Popen[bytes]
    last: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    rest: bytes = b""

    @property
    def has_ended(self) -> bool:
        """Is the leader gone?"""
        return self.process.poll() is not None

    @property
    def output(self) -> int:
        """The file descriptor its output comes from."""
        assert self.process.stdout is not None
        return self.process.stdout.fileno()

    def lines(self) -> list[str]:
        """The whole lines that arrived since the last call; the last ones are kept for a post-mortem."""
        try:
            *whole, self.rest = (self.rest + os.read(self.output, 65536)).split(b"\n")
        except BlockingIOError:
            return []
        lines = [line.decode(errors="replace") for line in whole]
        self.last.extend(lines)
        return lines

    def send(self, sign: signal.Signals, *, to_all: bool = False) -> None:
        """Signal the leader, or every process of its session that is left."""
        try:
            (os.killpg if to_all else os.kill)(self.process.pid, sign)
        except ProcessLookupError:
            pass


class Command(Base):
    """Start web, worker and beat; end all of them together."""

    help = "Serve the admin and run worker and beat, in this terminal. Ctrl-C ends all of them."
    examples = "  manage.py serve\n  manage.py serve --host 0.0.0.0 --port 8080"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where to listen."""
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")

    def run(self, *, host: str, port: int, **options: Any) -> int:
        """Run until a signal comes (then end well) or a process ends by itself (then say which, and fail)."""
        refuse_taken_port(host, port)
        collect_static_files()
        asked_to_end: list[int] = []
        for sign in END_SIGNALS:
            signal.signal(sign, lambda number, frame: asked_to_end.append(number))
        children = [start(name, argv) for name, argv in commands(host, port).items()]
        try:
            self._announce(children, host=host, port=port)
            died = self._follow(children, asked_to_end)
        finally:
            self._end(children)
        if died:
            raise GantryError(post_mortem(died))
        self.say("ended")
        return 0

    def _announce(self, children: list[Child], *, host: str, port: int) -> None:
        for child in children:
            self.stdout.write(f"{child.name}: process {child.process.pid}")
        self.stdout.write(f"Gantry: http://{host}:{port}/   (Ctrl-C ends it)")
        self.stdout.flush()

    def _follow(self, children: list[Child], asked_to_end: list[int]) -> Child | None:
        """Pass output through until asked to end (None) or a child has ended (that child)."""
        with selectors.DefaultSelector() as selector:
            for child in children:
                selector.register(child.output, selectors.EVENT_READ, child)
            while not asked_to_end:
                for key, _ in selector.select(LOOK_EVERY):
                    self._pass_on(key.data)
                for child in children:
                    if child.has_ended:
                        self._pass_on(child)
                        return child
        return None

    def _pass_on(self, child: Child) -> None:
        for line in child.lines():
            self.stdout.write(f"{child.name} | {line}")
        self.stdout.flush()

    def _end(self, children: list[Child]) -> None:
        """TERM to each leader, time to finish, then KILL to whatever of its session is left."""
        for child in children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN
        while time.monotonic() < deadline and not all(child.has_ended for child in children):
            time.sleep(LOOK_EVERY / 4)
            for child in children:
                self._pass_on(child)
        for child in children:
            child.send(signal.SIGKILL, to_all=True)
            child.process.wait()


def commands(host: str, port: int) -> dict[str, list[str]]:
    """The command lines of our processes by name."""
    schedule = settings.VAR_DIR / "beat" / "schedule"
    schedule.parent.mkdir(parents=True, exist_ok=True)
    return {
        "web": [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"{host}:{port}", *GUNICORN],
        "worker": [sys.executable, "-m", "celery", *CELERY, "--schedule", str(schedule)],
    }


def start(name: str, argv: list[str]) -> Child:
    """Start a process in a session of its own, so that the terminal's Ctrl-C reaches us alone."""
    process = subprocess.Popen(
        argv,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    child = Child(name=name, process=process)
    os.set_blocking(child.output, False)
    return child


def refuse_taken_port(host: str, port: int) -> None:
    """Raise WrongUsage when the address cannot be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise WrongUsage(
                f"cannot listen on {host}:{port} ({error.strerror}); choose another with --port"
            ) from error


def collect_static_files() -> None:
    """Collect the static files when one of them is newer than the collection."""
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    sources = [storage.path(name) for finder in get_finders() for name, storage in finder.list([])]
    if manifest.exists() and manifest.stat().st_mtime >= max(Path(path).stat().st_ctime for path in sources):
        return
    call_command("collectstatic", interactive=False, verbosity=0)


def post_mortem(child: Child) -> str:
    """Which process ended, how, and what it said last."""
    code = child.process.returncode
    how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
    said = "".join(f"\n  {line}" for line in child.last)
    return f"{child.name} ended {how}; the others were ended too. Its last lines:{said or ' (none)'}"
