"""What somebody has to look at before a runbook runs: dangers, what is open, what the environment has to give; pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from releases.plan.sheet import DANGER, DECIDE, NOTE, Mark
from releases.runbooks.document import RUN_ROLES, Block, Choice, Document, Problem
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import Matter, matters

# How a matter is settled once the text is imported.
HINTS = {
    "pick": "`review_runbook SERVICE --pick LINE` takes one of them",
    "accept": "`review_runbook SERVICE --accept LINE --why TEXT`; somebody else publishes",
    "fill": "give the environment this variable, or name another: `--fill WORDS=VARIABLE`",
    "host": "name it among the environment's hosts",
}


class Marks:
    """The marks of a reviewed document: those of a command or a line, and those of the whole."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.blocks = {block.key: block for block in document.blocks}
        self.dangers = {danger for block in document.blocks for danger in block.dangers}

    def of_block(self, block: Block) -> tuple[Mark, ...]:
        """What has to be looked at in a block: dangers first, then what is open, then what Gantry fills in."""
        filled = {hole.line for hole in block.holes}
        marks = [self._told(problem) for problem in self._faults(filled) if problem.line in block.extent]
        if block.host:
            marks.append(Mark(kind=DECIDE, id="host", text=f"runs on {block.host}", lines=(block.line,)))
        marks += [
            Mark(kind=DECIDE, id="pick", text=_ways_of(choice), lines=(choice.line,))
            for choice in self.document.choices
            if any(option.line <= block.extent[-1] and option.end >= block.line for option in choice.options)
        ]
        for words, variable, line in dict.fromkeys((h.words, h.variable, h.line) for h in block.holes):
            kind = NOTE if variable in GIVEN else DECIDE
            marks.append(Mark(kind=kind, id="fill", text=f"{words} is filled by {variable}", lines=(line,)))
        return tuple(sorted(marks, key=lambda mark: (mark.kind != DANGER, mark.kind == NOTE, mark.lines)))

    def of_line(self, line: int) -> tuple[Mark, ...]:
        """The faults of one line."""
        return tuple(self._told(problem) for problem in self._faults() if problem.line == line)

    def open(self, lacks: Iterable[str]) -> tuple[Mark, ...]:
        """What a person has to settle, once each, in the order of its lines; `lacks` is what the plan says it lacks."""
        found = [self._matter(matter) for matter in matters(self.document)]
        filled = {hole.line for block in self.document.blocks for hole in block.holes}
        faults = (self._told(problem) for problem in self._faults(filled))
        found += [mark for mark in faults if mark.kind != DANGER]
        found += self._to_fill()
        # Those with a line are told above.
        unplaced = (lack for lack in lacks if not lack.startswith("line "))
        found += [Mark(kind=DECIDE, id="plan", text=lack, lines=()) for lack in unplaced]
        return tuple(_once(found))

    def notes(self) -> tuple[Mark, ...]:
        """What is only said."""
        return tuple(_mark(problem, NOTE) for problem in self.document.problems if problem.level == "info")

    def _faults(self, filled: Collection[int] = ()) -> Iterator[Problem]:
        """The problems; on the lines `filled` a placeholder is told by the variable that fills it."""
        for problem in self.document.problems:
            is_told = problem.id == "placeholder" and problem.line in filled
            if problem.level != "info" and not is_told:
                yield problem

    def _told(self, problem: Problem) -> Mark:
        return _mark(problem, DANGER if problem.id in self.dangers else DECIDE)

    def _matter(self, matter: Matter) -> Mark:
        """A matter of the review; a danger is told by what it does, with the line that `--accept` wants."""
        hint = HINTS.get(matter.kind, "")
        if matter.kind != "accept":
            return Mark(kind=DECIDE, id=matter.kind, text=matter.text, lines=(matter.line,), hint=hint)
        key, _, danger = matter.subject.rpartition(":")
        block = self.blocks[key]
        said = [p.message for p in self.document.problems if p.id == danger and p.line in block.extent]
        text = "; ".join(dict.fromkeys(said)) or matter.text
        return Mark(kind=DANGER, id=danger, text=text, lines=(matter.line,), hint=hint)

    def _to_fill(self) -> Iterator[Mark]:
        """Variables and hosts that an environment has to have, once each."""
        running = [block for block in self.document.blocks if block.role in RUN_ROLES]
        seen: set[str] = set()
        for hole in (hole for block in running for hole in block.holes):
            if hole.variable not in GIVEN and hole.variable not in seen:
                seen.add(hole.variable)
                text = f"{hole.words} is filled by the variable {hole.variable}"
                yield Mark(kind=DECIDE, id="fill", text=text, lines=(hole.line,), hint=HINTS["fill"])
        for block in running:
            if block.host and block.host not in seen:
                seen.add(block.host)
                text = f"commands run on {block.host}: it has to be a host of the environment"
                yield Mark(kind=DECIDE, id="host", text=text, lines=(block.line,), hint=HINTS["host"])


def _mark(problem: Problem, kind: str) -> Mark:
    return Mark(kind=kind, id=problem.id, text=problem.message, lines=(problem.line,), hint=problem.hint)


def _once(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Marks that say the same as one, in the order of their first lines."""
    lines: dict[Mark, list[int]] = {}
    for mark in marks:
        lines.setdefault(replace(mark, lines=()), []).extend(mark.lines)
    whole = (replace(mark, lines=tuple(sorted(set(at)))) for mark, at in lines.items())
    yield from sorted(whole, key=lambda mark: (mark.lines, mark.id))


def _ways_of(choice: Choice) -> str:
    return f"one of {len(choice.options)} ways is taken, see line {choice.line}"
