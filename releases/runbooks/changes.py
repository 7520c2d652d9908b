"""What one text of a runbook says that another does not; pure, and about what was read, not about lines."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from math import inf

from .document import RUN_ROLES, RUNNABLE, Block, Document, Heading, Item, Step
from .keys import normalised
from .steps import HEEDED, ROLLING

ADDED, REMOVED, REWORDED = "added", "removed", "reworded"
# How much of two texts must be alike for one to be a rewording of the other; half of their pairs of letters.
ALIKE = 0.5
# A rewording stands near where it stood: so many entries on either side of it are compared.
NEARBY = 10
HEADINGS = ("heading", "step")

Path = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One part that differs. `before` is "" for what was added, `after` for what was removed.

    `part`: heading | step | item | command | threshold; `line` is that of the new text, of the old one for what
    was removed.
    """

    part: str
    how: str  # added | removed | reworded
    path: Path
    before: str
    after: str
    line: int

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """(mark, line) of what differs: "-" was, "+" is, " " is left out of a long text that stayed."""
        return tuple(_rows(_lines(self.before), _lines(self.after)))


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What differs, in the order of the new text; `anew` are the steps whose commands nobody has reviewed yet."""

    anew: tuple[Step, ...] = ()
    entries: tuple[Change, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.anew or self.entries)

    @property
    def added(self) -> int:
        """How many parts are new."""
        return self._count(ADDED)

    @property
    def removed(self) -> int:
        """How many parts are gone."""
        return self._count(REMOVED)

    @property
    def reworded(self) -> int:
        """How many parts say it differently."""
        return self._count(REWORDED)

    def _count(self, how: str) -> int:
        return sum(entry.how == how for entry in self.entries)


@dataclass(frozen=True, kw_only=True)
class _Entry:
    part: str
    path: Path
    text: str
    line: int
    words: str  # what has to be alike
    below: frozenset[str] = (
        frozenset()
    )  # what stands below a heading: a section that kept it was only renamed
    index: int = 0


def changes(old: Document, new: Document) -> Changes:
    """Everything that was added, removed or reworded between two documents."""
    renamed: dict[Path, Path] = {}
    found: list[Change] = []
    for before, after in _compared(old, new):
        called_anew = (replace(entry, path=_renamed(entry.path, renamed)) for entry in before)
        for was, now in _pairs(_numbered(called_anew), _numbered(after)):
            found.append(_change(was, now))
            if was and now and now.part in HEADINGS:
                renamed[*was.path, was.text] = (*now.path, now.text)
    found.sort(key=lambda change: (change.line, change.how))
    return Changes(anew=_anew(old, new), entries=tuple(found))


def _anew(old: Document, new: Document) -> tuple[Step, ...]:
    known = {step.key for step in old.steps}
    runs = {block.step for block in new.blocks if block.kind in RUNNABLE}
    runs |= {item.step for item in new.items if item.command}
    return tuple(
        step for step in new.steps if step.key not in known and step.role in RUN_ROLES and step.order in runs
    )


# --- what is compared ---------------------------------------------------------------------------------


def _compared(old: Document, new: Document) -> Iterator[tuple[list[_Entry], list[_Entry]]]:
    """What is compared with what. Headings come first, the uppermost before those below them: what stands below a
    reworded one is compared with what stood below it."""
    before, after = list(_headings(old)), list(_headings(new))
    for depth in sorted({len(entry.path) for entry in (*before, *after)}):
        yield [e for e in before if len(e.path) == depth], [e for e in after if len(e.path) == depth]
    for entries_of in (_items, _commands, _thresholds):
        yield list(entries_of(old)), list(entries_of(new))


def _headings(document: Document) -> Iterator[_Entry]:
    steps = {step.line for step in document.steps if step.role in RUN_ROLES}
    parts = sorted([*_lines_of(document.headings), *_lines_of(document.items)])
    above: list[Heading] = []
    for heading, end in zip(document.headings, _ends(document.headings), strict=True):
        above = [each for each in above if each.level < heading.level]
        path = tuple(each.text for each in above)
        above.append(heading)
        first, last = bisect_left(parts, (heading.line + 1, "")), bisect_left(parts, (end, ""))
        yield replace(
            _entry("step" if heading.line in steps else "heading", path, heading.text, heading.line),
            below=frozenset(text for _, text in parts[first:last]),
        )


def _lines_of(parts: Iterable[Heading | Item]) -> list[tuple[int, str]]:
    return [(part.line, normalised(part.text)) for part in parts]


def _ends(headings: Sequence[Heading]) -> list[float]:
    """The line at which what belongs to each heading ends: the next one that is not below it."""
    ends: list[float] = [inf] * len(headings)
    waiting: list[int] = []
    for index, heading in enumerate(headings):
        while waiting and headings[waiting[-1]].level >= heading.level:
            ends[waiting.pop()] = heading.line
        waiting.append(index)
    return ends


def _items(document: Document) -> Iterator[_Entry]:
    return (_entry("item", item.path, item.text, item.line) for item in document.items)


def _commands(document: Document) -> Iterator[_Entry]:
    for block in document.blocks:
        if block.kind in RUNNABLE:
            # Letter by letter: in a command, an option or a quote makes the difference.
            told = "\n".join([block.script.strip(), *_terms(block)])
            yield _Entry(part="command", path=block.path, text=told, line=block.line, words=told)


def _terms(block: Block) -> Iterator[str]:
    """In lines of their own: how and where a command is run, and what has to come of it."""
    if block.kind != "shell":
        yield f"# as {block.kind}"
    if block.host:
        yield f"# on {block.host}"
    if block.expects:
        yield f"# expects {block.expects}"
    yield from (
        f"# {name}={block.attributes[name]}" for name in (*HEEDED, *ROLLING) if name in block.attributes
    )


def _thresholds(document: Document) -> Iterator[_Entry]:
    for limit in document.thresholds:
        yield _entry("threshold", (limit.role.replace("_", " "),), limit.text, limit.line)


def _entry(part: str, path: Path, text: str, line: int) -> _Entry:
    return _Entry(part=part, path=path, text=text, line=line, words=normalised(text))


def _numbered(entries: Iterable[_Entry]) -> list[_Entry]:
    return [replace(entry, index=index) for index, entry in enumerate(entries)]


def _renamed(path: Path, renamed: dict[Path, Path]) -> Path:
    """The path as the new text calls it."""
    found: Path = ()
    for text in path:
        found = renamed.get((*found, text), (*found, text))
    return found


# --- who is whom --------------------------------------------------------------------------------------


def _pairs(old: list[_Entry], new: list[_Entry]) -> Iterator[tuple[_Entry | None, _Entry | None]]:
    """What has no equal on the other side, rewordings as pairs."""
    gone, come = _without_equals(old, new)
    candidates = defaultdict(list)
    for entry in come:
        candidates[entry.path].append(entry)
    for was in gone:
        now = _nearest(was, candidates[was.path])
        if now:
            candidates[was.path].remove(now)
        yield was, now
    for left in candidates.values():
        for now in left:
            yield None, now


def _without_equals(old: list[_Entry], new: list[_Entry]) -> tuple[list[_Entry], list[_Entry]]:
    waiting: dict[tuple[Path, str], list[_Entry]] = defaultdict(list)
    for entry in reversed(new):
        waiting[entry.path, entry.words].append(entry)
    gone = []
    for entry in old:
        same = waiting[entry.path, entry.words]
        if same:
            same.pop()
        else:
            gone.append(entry)
    left = {entry.index for rest in waiting.values() for entry in rest}
    return gone, [entry for entry in new if entry.index in left]


def _nearest(was: _Entry, candidates: list[_Entry]) -> _Entry | None:
    """The entry that is most like the old one, among those nearest to its place; None when none is alike."""
    place = bisect_left(candidates, was.index, key=lambda now: now.index)
    near = candidates[max(0, place - NEARBY) : place + NEARBY]
    best = max(near, key=lambda now: _alike(was, now), default=None)
    return best if best and _alike(was, best) >= ALIKE else None


def _alike(one: _Entry, other: _Entry) -> float:
    """0 to 1: the share of pairs of neighbouring letters, or of what stands below, that two have in common."""
    letters = _share(_letters(one.words), _letters(other.words))
    return max(letters, _share(one.below, other.below))


def _share(mine: Set[str], theirs: Set[str]) -> float:
    return 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0.0


def _letters(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(min(len(text) - 1, 2000))} or {text}


def _change(was: _Entry | None, now: _Entry | None) -> Change:
    stands = now or was
    assert stands is not None
    how = REWORDED if was and now else ADDED if now else REMOVED
    return Change(
        part=stands.part,
        how=how,
        path=stands.path,
        before=was.text if was else "",
        after=now.text if now else "",
        line=stands.line,
    )


# --- line by line -------------------------------------------------------------------------------------


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").split("\n") if text else []


def _rows(before: list[str], after: list[str]) -> Iterator[tuple[str, str]]:
    for tag, b_start, b_end, a_start, a_end in SequenceMatcher(None, before, after).get_opcodes():
        if tag == "equal":
            yield " ", f"… {a_end - a_start} as before"
            continue
        yield from (("-", line) for line in before[b_start:b_end])
        yield from (("+", line) for line in after[a_start:a_end])
