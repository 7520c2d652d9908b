"""Running a block on a host, as a process of its own: `python -m releases.hosts.run`, told by GANTRY_REMOTE (JSON).

No Django here: it starts in 0.1 s behind the gate. The block runs detached on the host; this process starts it if no
other has, shows what it says, survives a line that breaks, and ends with the block's own exit code. Killed, it leaves
the block running, and the next process with the same order finds it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from releases.hosts import programs
from releases.hosts.connection import Connection, Unreachable, Unusable
from releases.hosts.order import Order, order_from
from releases.shell import bash
from releases.shell.ssh import folder_variable, going_along

UNTOLD, INTERRUPTED = 255, 130
BETWEEN = 0.5  # seconds between two tries to reach the host
LOOK = 0.2
MOST_VARIABLES = 8 << 20  # bytes of all variables together
REASONS = {
    programs.REBOOTED: "{host} was started anew while the command ran",
    programs.GONE: "the command is gone from {host} and left no exit code: somebody or something killed it",
    programs.NEVER_BEGAN: "{host} took the command, and it was never seen to begin",
}
REFUSED = {
    "refused": "{host} cannot keep a command in ~/.gantry/runs: {why}; make room, or let the user write there",
    "cut": "the command did not arrive whole on {host}: {why}; nothing was started",
    "old": "{host} has bash {why}; 4 or newer is needed",
}
FORGOTTEN = "what {host} kept of the command is gone"
UNWATCHED = "what watched the command on {host} ended before it; nobody knows how it went on there"
UNENDED = "the command on {host} could not be ended: it is not known which processes are its own"
UNSEEN = "{host} did not answer for {patience:g} s after the command was started there, which may still run ({why})"


class Interrupted(Exception):
    """Somebody asked this process to end, and the block with it."""


class Lost(Exception):
    """The block was started, or may have been, and nobody can tell how it ended; one line of why."""


class Driver:
    """Carries one order out; `is_asked_to_end` is looked at wherever it waits."""

    def __init__(self, order: Order, *, is_asked_to_end: Callable[[], bool]) -> None:
        self.order, self.host = order, order.target.name
        names = going_along(order.names)
        self.variables = {name: os.environ[name] for name in names if name in os.environ}
        self._is_asked_to_end = is_asked_to_end
        self._connection = Connection(order.target)
        self._is_begun = order.again
        self._tries = self._failures = 0
        self._heard_at = time.monotonic()
        self._shown = 0

    def carry_out(self) -> int:
        """The exit code of the block; raises Unreachable or Unusable when it was certainly not started, or Lost."""
        try:
            self._persist(self._begin)
            self._persist(self._follow)
        except Interrupted:
            if not self._is_over():
                return INTERRUPTED
        return self._persist(self._result, heeds=False)

    def _persist(self, ask: Callable[[], Any], *, heeds: bool = True) -> Any:
        """Ask until there is an answer: what was started is looked for until patience is over."""
        while True:
            if heeds:
                self._heed()
            try:
                self._connection.open()
                self._tries += 1
                return ask()
            except Unreachable as why:
                self._bear(why)
            except Unusable as why:
                if self._is_begun:
                    raise Lost(str(why)) from why
                raise

    def _heed(self) -> None:
        if self._is_asked_to_end():
            raise Interrupted

    def _bear(self, why: Unreachable) -> None:
        """Wait for the next try. Before the start there is one: the first went through a connection that was dead."""
        self._failures += 1
        if not self._is_begun and (self._tries == 0 or self._failures > 1):
            raise why
        if time.monotonic() - self._heard_at > self.order.patience:
            raise Lost(UNSEEN.format(host=self.host, patience=self.order.patience, why=why)) from why
        time.sleep(BETWEEN)

    # --- what is asked, each by the name of the run, so that it may be asked again -----------------------

    def _begin(self) -> None:
        folder = folder_variable(self.host)
        script = programs.script(self.order.text, variables=self.variables, folder=folder)
        with self._connection.talk(partial(programs.begin, name=self.order.run, size=len(script))) as talk:
            word, *more = talk.answer()
            if word == "send":
                self._is_begun = True
                self._keep(UNWATCHED)
                talk.send(script)
                word, *more = talk.answer()
            if word in REFUSED:
                self._forget(REFUSED[word], " ".join(more) or talk.complaint())
        self._is_begun = True
        self._keep(UNWATCHED)
        self._heard_at = time.monotonic()

    def _forget(self, refusal: str, why: str) -> None:
        """The host says that it started nothing, which is certain when no other process asked it before."""
        self._is_begun = self.order.again
        if not self.order.again:
            Path(self.order.lost).unlink(missing_ok=True)
        raise Unusable(refusal.format(host=self.host, why=why))

    def _follow(self) -> None:
        with self._connection.talk(partial(programs.follow, name=self.order.run, offset=self._shown)) as talk:
            self._need(talk.answer())
            while (heard := talk.hear(LOOK)) != b"":
                self._show(heard or b"")
                self._heed()
            self._heard_at = time.monotonic()
            code = talk.end()
        if code in REASONS:
            raise Lost(REASONS[code].format(host=self.host))
        if code != programs.ENDED:
            raise Unreachable(f"the line to {self.host} broke")

    def _result(self) -> int:
        with self._connection.talk(
            partial(programs.result, name=self.order.run, most=MOST_VARIABLES)
        ) as talk:
            code, size = map(int, self._need(talk.answer()))
            written = talk.exactly(size) if size <= MOST_VARIABLES else b""
        _write(Path(self.order.handed_on), written)
        Path(self.order.lost).unlink(missing_ok=True)
        self._settle(written)
        return code

    def _settle(self, written: bytes) -> None:
        """Leave there no more than it takes to tell the result once more; what cannot be done now is no matter."""
        changed = bash.handed_on(written, known=self.variables)
        kept = b"\0\0" + b"".join(os.fsencode(f"{name}\0{value}\0") for name, value in changed.items())
        try:
            with self._connection.talk(partial(programs.settle, name=self.order.run, size=len(kept))) as talk:
                self._need(talk.answer())
                talk.send(kept)
                talk.answer()
        except (Unreachable, Unusable, Lost):
            return

    def _is_over(self) -> bool:
        """End the block; True when it had ended by itself. Raises Lost when that cannot be told."""
        if not self._is_begun:
            print(f"interrupted before anything was started on {self.host}", flush=True)
            return False
        self._heard_at = time.monotonic()
        word, *more = self._persist(self._ask_to_end, heeds=False)
        if word == "over":
            return True
        if word == "unclear":
            raise Lost(UNENDED.format(host=self.host))
        print(f"ended on {self.host} by {more[0] if more else 'nobody: it was gone'}", flush=True)
        Path(self.order.lost).unlink(missing_ok=True)
        return False

    def _ask_to_end(self) -> tuple[str, ...]:
        with self._connection.talk(partial(programs.end, name=self.order.run)) as talk:
            return talk.answer()

    def _need(self, words: tuple[str, ...]) -> tuple[str, ...]:
        if words == ("absent",):
            raise Lost(FORGOTTEN.format(host=self.host))
        return words

    # --- what is left here ---------------------------------------------------------------------------------

    def _show(self, heard: bytes) -> None:
        sys.stdout.buffer.write(heard)
        sys.stdout.buffer.flush()
        self._shown += len(heard)

    def _keep(self, why: str) -> None:
        """Said now, in case that nobody can say it later: this process may be killed."""
        Path(self.order.lost).write_text(why.format(host=self.host))


def _write(path: Path, content: bytes) -> None:
    aside = path.with_name(f"{path.name}.part")
    aside.write_bytes(content)
    aside.rename(path)


def main() -> int:
    """Carry the order out; 255 with one line of why when nothing was started, or when `lost` says what nobody knows."""
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    order = order_from(os.environ)
    try:
        return Driver(order, is_asked_to_end=lambda: bool(asked)).carry_out()
    except Lost as why:
        Path(order.lost).write_text(str(why))
        print(why, flush=True)
    except (Unreachable, Unusable) as why:
        print(why, flush=True)
    return UNTOLD


if __name__ == "__main__":
    sys.exit(main())
