"""Machines to run blocks on: real sshds on loopback ports, each with a home folder of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from django.conf import settings

from checks.models import Environment, Host
from releases.hosts.order import Order
from releases.shell import bash, ssh
from tests import servers
from tests.factories import make_host
from tests.servers import survivors, wait_until

PATH = os.environ["PATH"]
GIVEN = {"PATH": PATH, "HOME": "/", "COLOUR": "blue"}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A host: how to reach it, its home folder, and the pid of what starts its sshd."""

    target: ssh.Target
    home: Path
    pid: int

    @property
    def runs(self) -> list[Path]:
        """What Gantry keeps there."""
        return sorted((self.home / ".gantry" / "runs").glob("*"))

    @property
    def listener(self) -> psutil.Process:
        """The sshd that takes connections."""
        return next(p for p in psutil.Process(self.pid).children() if p.name() == "sshd")

    @property
    def sessions(self) -> list[psutil.Process]:
        """The processes of its open connections."""
        return survivors(self.listener.children())

    def row(self, environment: Environment) -> Host:
        """The machine as a host of the environment."""
        return make_host(
            environment=environment,
            name=self.target.name,
            address=self.target.address,
            port=self.target.port,
            identity_file=self.target.identity_file,
        )

    def cut(self) -> None:
        """Break every line to it in the middle; the machine itself goes on."""
        for each in [p for session in self.sessions for p in (*session.children(), session)]:
            if each.is_running() and each.name() == "sshd":
                each.kill()

    def go_away(self) -> None:
        """Break every line and let nobody in any more."""
        if not psutil.pid_exists(self.pid) or not psutil.Process(self.pid).children():
            return
        listener, sessions = self.listener, self.sessions
        listener.kill()
        for session in sessions:
            session.kill()
        wait_until(lambda: not survivors([listener, *sessions]), what="nobody listens")


@contextmanager
def machine(name: str, *, shell: str = "") -> Iterator[Machine]:
    """A host of that name; `shell` takes the place of what a login runs."""
    with TemporaryDirectory(prefix="gantry-host-") as place:
        folder, home = Path(place), Path(place) / "home"
        home.mkdir()
        (folder / "control").mkdir(mode=0o700)
        identity, host_key = servers._key(folder / "identity"), servers._key(folder / "host_key")
        config = folder / "sshd_config"
        forced = f"ForceCommand {shell}\n" if shell else ""
        # Of settings that are said twice sshd takes the first.
        config.write_text(f"SetEnv HOME={home}\n{forced}{servers._sshd_config(folder, host_key)}")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        program = str(shutil.which("sshd", path=f"{PATH}:/usr/sbin:/usr/local/sbin"))

        def argv(port: int) -> list[str]:
            return [program, "-D", "-e", "-f", str(config), "-p", str(port)]

        with servers._running(argv, servers._answers_ssh, log=folder / "sshd.log") as (port, pid):
            target = ssh.Target(
                name=name,
                address=f"{getuser()}@127.0.0.1",
                port=port,
                identity_file=str(identity),
                known_hosts=str(folder / "known hosts"),
                control=str(folder / "control"),
            )
            found = Machine(target=target, home=home, pid=pid)
            yield found
            found.go_away()


@dataclass
class Driver:
    """The process that runs a block on a host, as the engine starts it, and what came of it."""

    order: Order
    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Driver":
        """In a group of its own."""
        self.folder.mkdir(exist_ok=True)
        env = {**GIVEN, **self.variables, **self.order.as_variable()}
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-E", "-m", "releases.hosts.run"],
                cwd=settings.BASE_DIR,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def wait(self, within: float = 60.0) -> int:
        """Its exit code."""
        assert self.process
        return self.process.wait(within)

    def signal(self, number: int) -> None:
        """As the engine does: to the whole group."""
        assert self.process
        os.killpg(self.process.pid, number)

    @property
    def out(self) -> str:
        """What it said."""
        return (self.folder / "out").read_text()

    @property
    def lost(self) -> str:
        """Why nobody knows how it ended; "" when that is known."""
        path = Path(self.order.lost)
        return path.read_text() if path.exists() else ""

    @property
    def handed(self) -> dict[str, str]:
        """The variables that it hands on."""
        path = Path(self.order.handed_on)
        return bash.handed_on(path.read_bytes(), known=GIVEN | self.variables) if path.exists() else {}


def driver(text: str, on: Machine | ssh.Target, folder: Path, **variables: str) -> Driver:
    """The process for a block; a second one for the same folder name has the same order, but for its files."""
    target = on.target if isinstance(on, Machine) else on
    order = Order(
        target=target,
        run="gantry-1-key-1",
        text=text,
        names=tuple(sorted(GIVEN | variables)),
        handed_on=str(folder / "handed on"),
        lost=str(folder / "lost"),
    )
    return Driver(order=order, folder=folder, variables=variables)


def told(one: Driver, **changes: object) -> Driver:
    """The same with another order."""
    return replace(one, order=replace(one.order, **changes))  # type: ignore[arg-type]


def shown(path: Path) -> str:
    """A file's text; "" while there is none."""
    return path.read_text() if path.exists() else ""
