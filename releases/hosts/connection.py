"""The one connection to a host: opened once, whoever asks first, and shared by all that speaks with that host."""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from checks.gates.lines import Line
from checks.gates.process import capture
from releases.hosts import programs
from releases.shell import ssh
from releases.shell.ssh import Target

ANSWER_WITHIN = 30.0
CONNECT_WITHIN = 30.0
NOISE = 1 << 20  # bytes that a login may print before the answer
NO_PROGRAM = 127
# What ssh says, and what to do about it.
WAYS_OUT = {
    "IDENTIFICATION HAS CHANGED": "its key is another than before; if it is right, remove its line from {known_hosts}",
    "Host key verification failed": "its key is not the known one; if it is right, correct {known_hosts}",
    "Permission denied": "put the public key of {identity} into authorized_keys there, or name another identity_file",
    "Could not resolve": "correct the address of this host of the environment",
    "Connection refused": "start sshd there, or correct address and port of this host of the environment",
    "timed out": "is the machine up, and does the network let port {port} through?",
    "No route to host": "is the machine up, and is the address right?",
    "not accessible": "correct identity_file of this host of the environment",
}


class Unreachable(Exception):
    """No word came from the host; one line that names it, and the way out where that is known."""


class Unusable(Exception):
    """The host answered, and nothing can be run there; one line of why."""


class Talk:
    """A program on the host, and what it says."""

    def __init__(self, line: Line, *, nonce: str, host: str) -> None:
        self._line, self._nonce, self._host = line, nonce, host
        self._unread = b""

    def answer(self, *, within: float = ANSWER_WITHIN) -> tuple[str, ...]:
        """The words of the next answer; raises Unreachable when the line ends or keeps silent."""
        until = time.monotonic() + within
        while (found := programs.after_mark(self._unread, self._nonce)) is None:
            heard = self._line.hear(until - time.monotonic())
            if not heard:
                raise self._silent("" if heard is None else self._why())
            self._unread = (self._unread + heard)[-NOISE:]
        words, self._unread = found
        return words

    def send(self, words: bytes) -> None:
        """Say all of it and that it was all; raises Unreachable when nobody listens."""
        if not self._line.say(words, within=ANSWER_WITHIN):
            raise self._silent(self._why())
        self._line.hush()

    def hear(self, seconds: float) -> bytes | None:
        """What comes next; None when nothing came within `seconds`, b"" at the end."""
        if self._unread:
            heard, self._unread = self._unread, b""
            return heard
        return self._line.hear(seconds)

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes; raises Unreachable when the line ends before."""
        found = b""
        while len(found) < size:
            heard = self.hear(ANSWER_WITHIN)
            if not heard:
                raise self._silent(self._why())
            found += heard
        return found

    def end(self) -> int:
        """Close the line; the exit code of the program, or 255 when the line had broken."""
        return self._line.end()

    def complaint(self) -> str:
        """What the program wrote to its standard error, after the line was closed."""
        self._line.end()
        return _last(self._line.errors)

    def _silent(self, why: str) -> Unreachable:
        return Unreachable(f"{self._host} does not answer" + (f": {why}" if why else ""))

    def _why(self) -> str:
        code, said = self._line.end(), _last(self._line.errors)
        if code == NO_PROGRAM:
            raise Unusable(f"{self._host} has no bash, or not in its PATH: {said}; install bash there")
        return said


class Connection:
    """To one host; `open` makes it stand, `talk` asks through it."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self._nonce = f"gantry-{secrets.token_hex(8)}"
        self._stands = False  # as far as the last talk went well

    def open(self) -> None:
        """Return when the connection stands, whoever opened it; raises Unreachable."""
        if self._stands:
            return
        with self._alone():
            if capture(ssh.check(self.target), cwd="/").code != 0:
                answer = capture(ssh.connect(self.target), cwd="/", timeout=CONNECT_WITHIN)
                if answer.code != 0:
                    raise Unreachable(f"{self.target.name} cannot be reached: {self._advised(answer.err)}")
        self._stands = True

    @contextmanager
    def talk(self, program: Callable[..., bytes]) -> Iterator[Talk]:
        """Run a program there; it is told the word by which its answers are known. Raises Unreachable."""
        with Line(ssh.talk(self.target)) as line:
            talk = Talk(line, nonce=self._nonce, host=self.target.name)
            line.say(program(nonce=self._nonce), within=ANSWER_WITHIN)
            try:
                yield talk
            except Unreachable:
                self._stands = False
                raise

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time: two that look at once would open two connections."""
        folder = Path(self.target.control)
        _make_private(folder)
        with Path(f"{ssh.socket(self.target)}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _advised(self, said: str) -> str:
        target = self.target
        told = {
            "known_hosts": target.known_hosts,
            "identity": target.identity_file or "ssh's own configuration",
            "port": target.port,
        }
        last = _last(said)
        way = next((way for words, way in WAYS_OUT.items() if words in said), "")
        mark = next((words for words in WAYS_OUT if words in said and words not in last), "")
        return " ".join(filter(None, (f"({mark})" if mark else "", last))) + (
            f"; {way.format(**told)}" if way else ""
        )


def _make_private(folder: Path) -> None:
    """The folder of the sockets: whoever can write there could answer in the host's place."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Unusable(f"{folder} is not a folder of this user alone; remove it, or correct owner and mode")


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else "no word from ssh"
