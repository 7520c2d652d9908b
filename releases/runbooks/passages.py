"""Which lines belong to what, so that no line of a document is lost."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from .document import Passage
from .placed import Placed

# The piece's kind: what its passage is called.
KINDS = {
    "heading": "heading",
    "item": "item",
    "text": "text",
    "head": "table",
    "cell": "table",
    "fence": "fence",
    "code": "text",
    "html": "html",
    "comment": "comment",
    "rule": "rule",
    "front_matter": "front_matter",
    "lost": "text",
}


def passages(placed: Sequence[Placed], rows: Sequence[str], *, lines: int) -> tuple[Passage, ...]:
    """The passages in the order of their lines; each line of `rows` that is not blank belongs to one.

    `lines` counts those of the whole text: what is too large is cut, and the rest is one passage of text.
    """
    found = sorted(_of_pieces(placed), key=lambda passage: (passage.line, passage.end))
    whole = sorted((*found, *_between(found, rows)), key=lambda passage: (passage.line, passage.end))
    if lines > len(rows):
        last = whole[-1] if whole else Passage(line=1, end=1, kind="text", role="other", step=None)
        whole.append(replace(last, line=len(rows) + 1, end=lines, kind="text"))
    return tuple(whole)


def _of_pieces(placed: Sequence[Placed]) -> Iterator[Passage]:
    """One passage a piece; a table's row is one, whatever stands in its cells."""
    seen: set[tuple[int, str]] = set()
    for one in placed:
        kind = KINDS[one.piece.kind]
        if kind == "table" and (one.piece.line, kind) in seen:
            continue
        seen.add((one.piece.line, kind))
        yield Passage(line=one.piece.line, end=one.piece.end, kind=kind, role=one.role, step=one.step)


def _between(found: Sequence[Passage], rows: Sequence[str]) -> Iterator[Passage]:
    """Lines that no piece tells of, such as the rule below a table's head: they belong to what stands above."""
    above = Passage(line=1, end=0, kind="text", role="other", step=None)
    end = 0
    for passage in (*found, None):
        stop = passage.line if passage else len(rows) + 1
        for first, last in _runs(rows, end + 1, stop):
            kind = "table" if above.kind == "table" and first == above.end + 1 else "text"
            yield replace(above, line=first, end=last, kind=kind)
        if passage:
            above, end = passage, max(end, passage.end)


def _runs(rows: Sequence[str], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Runs of lines that are not blank, from `start` up to but without `stop`."""
    first = 0
    for line in range(start, stop):
        blank = not rows[line - 1].strip()
        if first and blank:
            yield first, line - 1
            first = 0
        elif not first and not blank:
            first = line
    if first:
        yield first, stop - 1
