"""A process that is spoken to and listened to while it runs: both ends of a pipe, its errors kept aside."""

import os
import select
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

PIECE = 1 << 16
MOST_WORDS = 1 << 16  # bytes of what it says as its errors
# What belongs to nobody any more gets this long to end by itself.
LEAVE = 2.0


class Line:
    """One end of a started process, which has a session of its own: what is sent to our group is not sent to it."""

    def __init__(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str = "/") -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the line
        self._process = subprocess.Popen(
            list(argv),
            cwd=cwd,
            env=dict(env) if env is not None else None,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            bufsize=0,
        )
        self._said = self._process.stdin.fileno()  # type: ignore[union-attr]  # both are pipes
        self._heard = self._process.stdout.fileno()  # type: ignore[union-attr]
        os.set_blocking(self._said, False)

    def __enter__(self) -> "Line":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.end()
        self._errors.close()

    def say(self, words: bytes, *, within: float) -> bool:
        """Send all of it; False when the other end does not listen, or not within so many seconds."""
        until, left = time.monotonic() + within, memoryview(words)
        while left:
            _, ready, _ = select.select([], [self._said], [], max(0.0, until - time.monotonic()))
            if not ready:
                return False
            try:
                left = left[os.write(self._said, left[:PIECE]) :]
            except BrokenPipeError:
                return False
            except BlockingIOError:
                continue
        return True

    def hush(self) -> None:
        """Close our end: it has heard everything."""
        self._process.stdin.close()  # type: ignore[union-attr]

    def hear(self, seconds: float) -> bytes | None:
        """What comes next, at most 64 KiB; None when nothing came within `seconds`, b"" when it has closed its end."""
        ready, _, _ = select.select([self._heard], [], [], max(0.0, seconds))
        return os.read(self._heard, PIECE) if ready else None

    def end(self) -> int:
        """Close both ends and wait, not for ever; returns the exit code (negative: the signal that ended it)."""
        self.hush()
        self._process.stdout.close()  # type: ignore[union-attr]
        try:
            return self._process.wait(LEAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    @property
    def errors(self) -> str:
        """What it wrote to its standard error so far."""
        return os.pread(self._errors.fileno(), MOST_WORDS, 0).decode("utf-8", "replace")
