"""A command's output on its way from the raw file to storage: masked across chunk borders, in bounded memory."""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from checks.secrets import MASK, needles

CHUNK = 1 << 20
AT_ONCE = 32 * CHUNK
TAIL = 4000
# Of a longer output the middle is left out: this much of its beginning is kept, and as much of its end.
HALF = 512 * CHUNK
WORD = re.compile(rb"[A-Za-z0-9]{8,}")
HIDDEN = MASK.encode()


class Output:
    """Follows the raw file of a running command and stores what may be shown.

    The command writes to a file and not to a pipe: a daemon it leaves behind keeps a place to write to,
    and its output outlives a killed engine. Of more than 1 GiB the middle is left out, and that is said in its place.
    """

    def __init__(
        self, *, raw: Path, stored: Path, secrets: tuple[str, ...], show: Callable[[str], None]
    ) -> None:
        self._raw, self._stored, self._show = raw, stored, show
        self._secrets = Spellings(secrets)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = b""
        self._unshown = 0  # bytes at the beginning of what is held that are only looked at
        self._size = 0
        self._finished = False
        self.offset = 0
        self.tail = ""

    def pump(self) -> bool:
        """Move what is new to storage, at most 32 MiB of it at once; True if there was anything."""
        size, before = self._there(), (self.offset, self._size)
        self._size = size
        self._read(min(size, HALF, self.offset + AT_ONCE))
        return (self.offset, self._size) != before

    def _there(self) -> int:
        """How much there is; a file that somebody removed grows no more, which is no reason to end its command."""
        try:
            return self._raw.stat().st_size
        except FileNotFoundError:
            return self.offset

    def finish(self) -> None:
        """Store what was held back and remove the raw file; a second call does nothing."""
        if self._finished:
            return
        self._finished = True
        size = self._there()
        self._read(min(size, HALF))
        if size > 2 * HALF:
            self._leave_out(size - HALF)
        self._read(size)
        self._take(b"", last=True)
        self._emit(b"", last=True)
        self._raw.unlink(missing_ok=True)

    def _read(self, until: int) -> None:
        if until <= self.offset:
            return
        with self._raw.open("rb") as source:
            source.seek(self.offset)
            while self.offset < until and (chunk := source.read(min(CHUNK, until - self.offset))):
                self.offset += len(chunk)
                self._take(chunk)

    def _leave_out(self, until: int) -> None:
        """Go on at `until`. What is held back may be a secret's beginning, what stands before `until` another's."""
        missing = until - self.offset + len(self._held)
        self._emit(f"\n[{missing:,} bytes are left out here]\n".encode(), last=True)
        self._unshown = self._secrets.longest - 1
        with self._raw.open("rb") as source:
            source.seek(until - self._unshown)
            self._held = source.read(self._unshown)
        self.offset = until

    def _take(self, data: bytes, *, last: bool = False) -> None:
        """A secret may begin in one chunk and end in the next, so the length of the longest less one is held back."""
        raw = self._held + data
        certain = len(raw) if last else max(0, len(raw) - self._secrets.longest + 1)
        ready, end = [], 0
        for begin, stop in self._secrets.spans(raw):
            if begin >= certain:
                break
            ready += [raw[max(end, self._unshown) : begin], HIDDEN if stop > self._unshown else b""]
            end = stop
        border = max(end, certain)
        ready.append(raw[max(end, self._unshown) : border])
        self._held, self._unshown = raw[border:], max(0, self._unshown - border)
        self._emit(b"".join(ready))

    def _emit(self, data: bytes, *, last: bool = False) -> None:
        # PostgreSQL's texts hold no NUL.
        text = self._decoder.decode(data, final=last).replace("\0", "\ufffd")
        if not text:
            return
        with self._stored.open("a", encoding="utf-8") as sink:
            sink.write(text)
        self.tail = (self.tail + text)[-TAIL:]
        self._show(text)


class Spellings:
    """Every spelling of some secrets, to be found in bytes.

    Most chunks hold none, and one pattern of hundreds of alternatives reads 2 MB a second. So each spelling is known
    by a word in it, often shared by several; the words are searched for, and only what is there becomes a pattern.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = [each.encode() for each in needles(secrets)]
        self.longest = max(map(len, spellings), default=1)
        self._by_word: dict[bytes, list[bytes]] = {}
        for spelling in sorted(spellings, key=lambda each: len(_word_in(each))):
            word = _word_in(spelling)
            known = next((each for each in self._by_word if each in word), word)
            self._by_word.setdefault(known, []).append(spelling)

    def spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Where the secrets stand in `data`, in order; of several that begin at one place the longest."""
        there = [
            spelling
            for word, spellings in self._by_word.items()
            if word in data
            for spelling in spellings
            if spelling in data
        ]
        if not there:
            return iter(())
        there.sort(key=len, reverse=True)
        return (found.span() for found in re.finditer(b"|".join(map(re.escape, there)), data))


def _word_in(spelling: bytes) -> bytes:
    """The longest run of plain letters and digits, which no way of quoting touches; all of it where that is short."""
    return max(WORD.findall(spelling), key=len, default=spelling)
