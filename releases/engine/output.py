"""A command's output on its way from the raw file to storage: masked across chunk borders, in bounded memory."""

import codecs
import re
from collections.abc import Callable
from pathlib import Path

from checks.secrets import MASK, needles

CHUNK = 1 << 20
TAIL = 4000


class Output:
    """Follows the raw file of a running command and stores what may be shown.

    The command writes to a file and not to a pipe: a daemon it leaves behind keeps a place to write to,
    and its output outlives a killed engine.
    """

    def __init__(
        self, *, raw: Path, stored: Path, secrets: tuple[str, ...], show: Callable[[str], None]
    ) -> None:
        self._raw, self._stored, self._show = raw, stored, show
        spellings = needles(secrets)
        self._secret = re.compile("|".join(map(re.escape, spellings))) if spellings else None
        self._longest = max(map(len, spellings), default=1)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self._finished = False
        self.offset = 0
        self.tail = ""

    def pump(self) -> bool:
        """Move what is new to storage; True if there was anything."""
        moved = False
        with self._raw.open("rb") as source:
            source.seek(self.offset)
            while chunk := source.read(CHUNK):
                self.offset += len(chunk)
                self._take(self._decoder.decode(chunk))
                moved = True
        return moved

    def finish(self) -> None:
        """Store what was held back and remove the raw file; a second call does nothing."""
        if self._finished:
            return
        self._finished = True
        self.pump()
        self._take(self._decoder.decode(b"", final=True), last=True)
        self._raw.unlink(missing_ok=True)

    def _take(self, text: str, *, last: bool = False) -> None:
        """A secret may begin in one chunk and end in the next, so the length of the longest less one is held back."""
        # PostgreSQL's texts hold no NUL.
        raw = self._held + text.replace("\0", "\ufffd")
        certain = len(raw) if last else max(0, len(raw) - self._longest + 1)
        ready, end = [], 0
        for found in self._secret.finditer(raw) if self._secret else ():
            if found.start() >= certain:
                break
            ready += [raw[end : found.start()], MASK]
            end = found.end()
        ready.append(raw[end : max(end, certain)])
        self._held = raw[max(end, certain) :]
        if any(ready):
            self._store("".join(ready))

    def _store(self, text: str) -> None:
        with self._stored.open("a", encoding="utf-8") as sink:
            sink.write(text)
        self.tail = (self.tail + text)[-TAIL:]
        self._show(text)
