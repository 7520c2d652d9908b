"""From a runbook's document to its run sheet; pure, and by the planner, so that the sheet shows what would be run."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from releases.plan.clock import Slot, Timetable, is_forward, timetable
from releases.plan.gaps import Facts
from releases.plan.make import make_plan
from releases.plan.model import ATTENDED, BEFORE, BY_HAND, END, WATCH, Plan, PlannedItem, PlannedStep
from releases.plan.sheet import (
    BOX,
    DANGER,
    DECIDE,
    HAND,
    ITSELF,
    KEY,
    NOTE,
    PERSON,
    SHOWN,
    Aside,
    Counts,
    Mark,
    Part,
    Reason,
    Row,
    RunSheet,
    Times,
    Unplaced,
    Way,
)
from releases.plan.steps import is_program
from releases.runbooks.document import RUN_ROLES, RUNNABLE, Block, Choice, Document, Item, Passage, Step
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import Matter, first_command, matters, reviewed
from releases.runbooks.script import lines as command_lines

# A release of other commits, of which nothing else is known.
UNKNOWN = Facts(
    service="", environment="", version="", commit="new", previous_version="", previous_commit="old", revision=""
)  # fmt: skip
# Stages of which nothing is run or ticked.
ASIDE = ("communications", "maintenance", "troubleshooting", "reference")
# How a matter is settled once the text is imported.
HINTS = {
    "pick": "`review_runbook SERVICE --pick LINE` takes one of them",
    "accept": "`review_runbook SERVICE --accept LINE --why TEXT`; somebody else publishes",
    "fill": "give the environment this variable, or name another: `--fill WORDS=VARIABLE`",
    "host": "name it among the environment's hosts",
}
QUIET = ("rule", "comment", "heading")
# Stages whose steps, told in words alone, are not on the sheet; and problems that say so of a line.
TOLD = ("post_deployment", "rollback_procedure")
LOST = ("not-placed", "box-like")
NOWHERE = 10**9  # a line, or an order, after all others
LONGEST = 90  # characters of a query on the sheet
# Lines that say nothing about what a script is for.
SETTING_UP = re.compile(r"(?:export\s+)?[A-Za-z_]\w*=\S*(?:\s|$)|cd\s|echo\s|set\s+[-+]|source\s|\.\s")


def run_sheet(document: Document, *, zero: datetime) -> RunSheet:
    """The sheet of a document as it was read, with every step as far automated as its first review leaves it."""
    return _Composer(reviewed(document, {}), zero).sheet()


class _Composer:
    def __init__(self, document: Document, zero: datetime) -> None:
        self.document = document
        self.zero = zero
        self.plan: Plan = make_plan(document, UNKNOWN)
        self.steps = {f"step-{step.order}": step for step in document.steps}
        self.blocks = {block.key: block for block in document.blocks}
        self.dangers = {danger for block in document.blocks for danger in block.dangers}
        self.optional = {item.key for item in document.items if item.is_optional}
        self.timetable: Timetable = timetable(self.plan.steps, self.steps, zero=zero)

    def sheet(self) -> RunSheet:
        before, release = self._before(), self._parts(BEFORE, forward=True)
        after, last = self._parts(ATTENDED, WATCH), self._parts(END)
        ways = self._ways()
        parts = (*before, *release, *after, *last, *(part for way in ways for part in way.parts))
        lost = self._lost(parts)
        opened = tuple(self._open())
        return RunSheet(
            title=self.document.title,
            facts={name: value for name, value in self.document.metadata.items() if value},
            times=self._times(release, (*after, *last)),
            before=before,
            release=release,
            after=after,
            at_the_end=last,
            reasons=tuple(self._reasons()),
            rule=self.document.trigger_rule,
            ways=ways,
            phases=tuple((phase.percent, phase.bake or "") for phase in self.document.rollout_phases),
            watched=tuple(self._watched()),
            variables=self.document.variables,
            contacts=self.document.contacts,
            signoffs=self.document.signoff_roles,
            asides=tuple(self._asides()),
            unplaced=tuple(self._unplaced(lost)),
            open=opened,
            notes=tuple(self._notes()),
            counts=self._counts((*before, *release, *after, *last), ways, lost, len(opened)),
        )

    # --- steps ---------------------------------------------------------------------------------------

    def _before(self) -> tuple[Part, ...]:
        """What people settle first, with the commands that the runbook shows them there."""
        planned = {step.key: step for step in self.plan.steps if step.phase == BEFORE}
        first = min((step.order for step in self.document.steps_of("deployment_steps")), default=NOWHERE)
        shown = [
            step
            for step in self.document.steps
            if not is_forward(step)
            and (step.role == "pre_deployment" or (f"step-{step.order}" in planned and step.order < first))
        ]
        parts = (self._preparation(step, planned.get(f"step-{step.order}")) for step in shown)
        return tuple(part for part in parts if part.rows)

    def _preparation(self, step: Step, planned: PlannedStep | None) -> Part:
        boxes = [self._box(item) for item in planned.items] if planned else []
        shown = [
            Row(
                what=SHOWN,
                text=_first(block),
                who="",
                line=block.line,
                more=_more(block),
                marks=self._marks(block),
            )
            for block in self.document.blocks_of(step.order)
            if block.kind in RUNNABLE
        ]
        return self._part(step, "", sorted([*boxes, *shown], key=lambda row: row.line))

    def _parts(self, *phases: str, forward: bool = False) -> tuple[Part, ...]:
        """The steps of these phases; of what comes before go-live only the deployment's own."""
        found = []
        for planned in self.plan.steps:
            step = self.steps.get(planned.key)
            if planned.phase in phases and step and (is_forward(step) or not forward):
                found.append(self._part(step, planned.automation, self._rows(planned), planned))
        return tuple(found)

    def _part(self, step: Step, level: str, rows: Iterable[Row], planned: PlannedStep | None = None) -> Part:
        slot = self.timetable.slots.get(f"step-{step.order}", Slot())
        return Part(
            title=step.heading,
            line=step.line,
            level=level if planned and any(row.what != BOX for row in rows) else "",
            rows=tuple(rows),
            offset_minutes=step.offset_minutes,
            duration_minutes=step.duration_minutes,
            at=slot.at,
            until=slot.until,
        )

    def _rows(self, planned: PlannedStep) -> list[Row]:
        asked = {item.before for item in planned.items if item.before}
        rows = []
        for action in planned.actions:
            block = self.blocks.get(action.key)
            rows.append(
                Row(
                    what=action.kind,
                    text=_first(block) if block else action.title,
                    who=KEY if action.key in asked else ITSELF,
                    line=action.line,
                    more=_more(block) if block else 0,
                    expects=action.expects,
                    marks=self._marks(block) if block else (),
                )
            )
        rows += [self._box(item) for item in planned.items if not item.before]
        return sorted(rows, key=lambda row: row.line)

    def _box(self, item: PlannedItem) -> Row:
        block = self.blocks.get(item.key.removesuffix(BY_HAND))
        if item.is_by_hand and block:
            return Row(
                what=block.action or block.kind,
                text=_first(block),
                who=PERSON,
                line=item.line,
                more=_more(block),
                expects=block.expects or "",
                marks=self._marks(block),
            )
        return Row(
            what=HAND if item.is_by_hand else BOX,
            text=item.text,
            who=_who(item),
            line=item.line,
            offers=first_command(item.command) if item.command else "",
            is_claimed=item.claimed,
            is_optional=item.key in self.optional,
            choice=item.choice,
            marks=tuple(self._faults(item.line, item.line)),
        )

    def _marks(self, block: Block) -> tuple[Mark, ...]:
        """What has to be looked at in a block: dangers first, then what is open, then what Gantry fills in."""
        end = block.line + block.text.count("\n") + 1
        marks = list(self._faults(block.line, end, holes={hole.line for hole in block.holes}))
        if block.host:
            marks.append(Mark(kind=DECIDE, id="host", text=f"runs on {block.host}", lines=(block.line,)))
        marks += [
            Mark(kind=DECIDE, id="pick", text=_ways_of(choice), lines=(choice.line,))
            for choice in self.document.choices
            if any(option.line <= end and option.end >= block.line for option in choice.options)
        ]
        for words, variable, line in dict.fromkeys((h.words, h.variable, h.line) for h in block.holes):
            kind = NOTE if variable in GIVEN else DECIDE
            marks.append(Mark(kind=kind, id="fill", text=f"{words} is filled by {variable}", lines=(line,)))
        return tuple(sorted(marks, key=lambda mark: (mark.kind != DANGER, mark.kind == NOTE, mark.lines)))

    def _faults(
        self, first: int, last: int, holes: frozenset[int] | set[int] = frozenset()
    ) -> Iterator[Mark]:
        """The problems of these lines; a placeholder that a variable fills is told by its variable."""
        for problem in self.document.problems:
            if not first <= problem.line <= last or problem.level == "info":
                continue
            if problem.id == "placeholder" and problem.line in holes:
                continue
            kind = DANGER if problem.id in self.dangers else DECIDE
            yield Mark(
                kind=kind, id=problem.id, text=problem.message, lines=(problem.line,), hint=problem.hint
            )

    # --- the rest ------------------------------------------------------------------------------------

    def _times(self, release: tuple[Part, ...], later: tuple[Part, ...]) -> Times:
        moments = [moment for part in later for moment in (part.at, part.until) if moment]
        begins, live = min((part.at for part in release if part.at), default=None), self.timetable.live
        minutes = sum(part.duration_minutes or 0 for part in release) or None
        if begins and live and live > begins:
            minutes = (live - begins).total_seconds() / 60
        return Times(
            zero=self.zero,
            is_by_offsets=self.timetable.is_by_offsets,
            begins=begins,
            live=live,
            ends=max(moments, default=None),
            minutes=minutes,
            untimed=sum(part.offset_minutes is None and part.duration_minutes is None for part in release),
        )

    def _reasons(self) -> Iterator[Reason]:
        limits = {limit.line: limit for limit in self.document.thresholds}
        for trigger in self.document.triggers:
            limit = limits.get(trigger.line) if trigger.measured else None
            yield Reason(
                text=trigger.text,
                line=trigger.line,
                response=trigger.response,
                metric=limit.metric if limit else "",
                is_relative=bool(limit and limit.relative_to_baseline),
            )

    def _watched(self) -> Iterator[str]:
        """The limits that are looked at and take nothing back."""
        acting = {trigger.line for trigger in self.document.triggers}
        for limit in self.document.thresholds:
            if limit.role in ("monitor", "alert", "success") and limit.line not in acting:
                yield limit.text

    def _ways(self) -> tuple[Way, ...]:
        found = []
        for method in self.plan.methods:
            parts = [
                self._part(self.steps[planned.key], planned.automation, self._rows(planned), planned)
                for planned in method.steps
            ]
            found.append(
                Way(
                    title=method.title,
                    covers=method.covers,
                    minutes=method.promised_minutes,
                    parts=tuple(parts),
                )
            )
        return tuple(found)

    def _asides(self) -> Iterator[Aside]:
        for role in ASIDE:
            steps = [step for step in self._put_aside() if step.role == role]
            if steps:
                yield Aside(
                    role=role,
                    parts=len(steps),
                    boxes=sum(len(self.document.items_of(step.order)) for step in steps),
                    commands=sum(
                        block.kind in RUNNABLE for s in steps for block in self.document.blocks_of(s.order)
                    ),
                    line=steps[0].line,
                )

    def _open(self) -> Iterator[Mark]:
        """What a person has to settle, once each, in the order of its lines."""
        found = [self._matter(matter) for matter in matters(self.document)]
        holes = {hole.line for block in self.document.blocks for hole in block.holes}
        faults = self._faults(0, NOWHERE, holes=holes)
        found += [mark for mark in faults if mark.kind != DANGER]
        found += self._to_fill()
        # Those with a line are told above.
        lacks = (problem for problem in self.plan.problems if not problem.startswith("line "))
        found += [Mark(kind=DECIDE, id="plan", text=problem, lines=()) for problem in lacks]
        yield from _once(found)

    def _matter(self, matter: Matter) -> Mark:
        """A matter of the review; a danger is told by what it does, with the line that `--accept` wants."""
        hint = HINTS.get(matter.kind, "")
        if matter.kind != "accept":
            return Mark(kind=DECIDE, id=matter.kind, text=matter.text, lines=(matter.line,), hint=hint)
        key, _, danger = matter.subject.rpartition(":")
        block = self.blocks[key]
        last = block.line + block.text.count("\n") + 1
        said = [p.message for p in self.document.problems if p.id == danger and block.line <= p.line <= last]
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

    def _notes(self) -> Iterator[Mark]:
        for problem in self.document.problems:
            if problem.level == "info":
                yield Mark(
                    kind=NOTE, id=problem.id, text=problem.message, lines=(problem.line,), hint=problem.hint
                )

    def _counts(
        self, parts: tuple[Part, ...], ways: tuple[Way, ...], lost: list[Passage], to_decide: int
    ) -> Counts:
        lines = {line for p in self.document.passages for line in range(p.line, p.end + 1)}
        rows = [row for part in parts for row in part.rows]
        back = {row.line for way in ways for part in way.parts for row in part.rows if _is_run(row)}
        return Counts(
            lines=len(lines),
            understood=len(lines - self._not_understood(lost)),
            actions=sum(_is_run(row) for row in rows),
            actions_back=len(back),
            boxes=sum(row.what == BOX and row.who in (PERSON, KEY) for row in rows),
            to_decide=to_decide,
        )

    def _not_understood(self, lost: list[Passage]) -> set[int]:
        """Lines with a problem, and those that are placed nowhere."""
        faulty = {problem.line for problem in self.document.problems if problem.level != "info"}
        return faulty | {line for passage in lost for line in range(passage.line, passage.end + 1)}

    def _lost(self, parts: Iterable[Part]) -> list[Passage]:
        """The passages that are nowhere on the sheet and should be, in the order of their lines."""
        rows = {row.line for part in parts for row in part.rows}
        lines = self._lines_without_a_row(rows) | {passage.line for passage in self._strange()}
        told = {part.line for part in parts}
        silent = {s.order for s in self.document.steps if s.role in TOLD and s.line not in told}
        spoken = {s.role for s in self.document.steps if s.line in told}
        mute = [role for role in TOLD if role not in spoken]
        return [
            passage
            for passage in self.document.passages
            if passage.line in lines
            or (passage.kind in ("text", "table") and (passage.step in silent or passage.role in mute))
        ]

    def _lines_without_a_row(self, rows: set[int]) -> set[int]:
        """Where boxes, fences and reasons stand that the sheet neither shows nor counts."""
        shown = rows | {trigger.line for trigger in self.document.triggers}
        aside = {step.order for step in self._put_aside()}
        fences = [b for b in self.document.blocks if b.kind in RUNNABLE or is_program(b)]
        things: list[Item | Block] = [*self.document.items, *fences]
        lines = {each.line for each in things if each.line not in shown and each.step not in aside}
        return lines | {p.line for p in self.document.problems if p.id in LOST}

    def _put_aside(self) -> list[Step]:
        taken = {step.key for step in self.plan.steps}
        steps = [step for role in ASIDE for step in self.document.steps_of(role)]
        return [step for step in steps if f"step-{step.order}" not in taken]

    def _strange(self) -> list[Passage]:
        """The passages below headings that say nothing; what stands above the first stage is about the document."""
        stages = [heading.line for heading in self.document.headings if heading.level > 1]
        first = min(stages, default=NOWHERE)
        found = [passage for passage in self.document.passages if passage.role == "other"]
        return [passage for passage in found if passage.line >= first and passage.kind not in QUIET]

    def _unplaced(self, lost: list[Passage]) -> Iterator[Unplaced]:
        """The lost passages in runs, each with the heading above it."""
        gone, heading = {id(passage) for passage in lost}, self.document.title
        titles = {each.line: each.text for each in self.document.headings}
        run: list[Passage] = []
        for passage in (*self.document.passages, None):
            if passage and id(passage) in gone:
                run.append(passage)
                continue
            if passage and passage.kind in ("rule", "comment"):
                continue
            if run:
                yield Unplaced(heading=heading, line=run[0].line, end=max(each.end for each in run))
                run = []
            heading = titles.get(passage.line, heading) if passage else heading


def _once(marks: Iterable[Mark]) -> Iterator[Mark]:
    """Marks that say the same as one, in the order of their first lines."""
    lines: dict[Mark, list[int]] = {}
    for mark in marks:
        lines.setdefault(replace(mark, lines=()), []).extend(mark.lines)
    whole = (replace(mark, lines=tuple(sorted(set(at)))) for mark, at in lines.items())
    yield from sorted(whole, key=lambda mark: (mark.lines, mark.id))


def _who(item: PlannedItem) -> str:
    return PERSON if item.by == "person" else KEY if item.by == "confirm" else ITSELF


def _is_run(row: Row) -> bool:
    return row.what not in (BOX, SHOWN)


def _first(block: Block) -> str:
    """The first command of a script, a request, or a query in one line."""
    if block.kind == "http" and block.http:
        return f"{block.http.method} {block.http.url}"
    if block.kind == "sql":
        return _one_line(block)
    telling = (row for row in command_lines(block.script) if not SETTING_UP.match(row))
    return next(telling, first_command(block.script))


def _more(block: Block) -> int:
    """How many commands follow the first one."""
    return max(len(command_lines(block.script)) - 1, 0) if block.kind == "shell" else 0


def _one_line(block: Block) -> str:
    rows = [row.strip() for row in block.script.splitlines() if not row.strip().startswith("--")]
    whole = " ".join(" ".join(rows).split())
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST].rstrip()} …"


def _ways_of(choice: Choice) -> str:
    return f"one of {len(choice.options)} ways is taken, see line {choice.line}"
