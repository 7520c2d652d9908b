"""From a runbook's document to its run sheet; pure, and by the planner, so that the sheet shows what would be run."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from math import inf

from releases.plan.aside import asides, lost, understood, unplaced
from releases.plan.clock import Slot, Timetable, is_forward, timetable
from releases.plan.facts import Facts
from releases.plan.make import make_plan
from releases.plan.marks import Marks
from releases.plan.model import (
    ATTENDED,
    BEFORE,
    BY_HAND,
    END,
    WATCH,
    Plan,
    PlannedAction,
    PlannedItem,
    PlannedStep,
)
from releases.plan.sheet import (
    BOX,
    HAND,
    ITSELF,
    KEY,
    PERSON,
    SHOWN,
    Counts,
    Part,
    Reason,
    Row,
    RunSheet,
    Times,
    Way,
)
from releases.runbooks.document import RUNNABLE, Block, Document, Passage, Step
from releases.runbooks.review import first_command, reviewed
from releases.runbooks.script import lines as command_lines
from releases.runbooks.texts import in_one_line

# A release of other commits, of which nothing else is known.
UNKNOWN = Facts(
    service="", environment="", version="", commit="new", previous_version="", previous_commit="old", revision=""
)  # fmt: skip
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
        self.marks = Marks(document)
        self.optional = {item.key for item in document.items if item.is_optional}
        self.timetable: Timetable = timetable(self.plan.steps, self.steps, zero=zero)

    def sheet(self) -> RunSheet:
        before, release = self._before(), self._parts(BEFORE, forward=True)
        after, last = self._parts(ATTENDED, WATCH), self._parts(END)
        ways = self._ways()
        parts = (*before, *release, *after, *last, *(part for way in ways for part in way.parts))
        gone = lost(self.document, self.plan, parts)
        opened = self.marks.open(self.plan.problems)
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
            asides=tuple(asides(self.document, self.plan)),
            unplaced=tuple(unplaced(self.document, gone)),
            open=opened,
            notes=self.marks.notes(),
            counts=self._counts((*before, *release, *after, *last), ways, gone, len(opened)),
        )

    # --- steps ---------------------------------------------------------------------------------------

    def _before(self) -> tuple[Part, ...]:
        """What people settle first, with the commands that the runbook shows them there."""
        planned = {step.key: step for step in self.plan.steps if step.phase == BEFORE}
        first = min((step.order for step in self.document.steps_of("deployment_steps")), default=inf)
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
            self._command(block, what=SHOWN, who="", line=block.line)
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
        rows = [self._action(action, KEY if action.key in asked else ITSELF) for action in planned.actions]
        rows += [self._box(item) for item in planned.items if not item.before]
        return sorted(rows, key=lambda row: row.line)

    def _action(self, action: PlannedAction, who: str) -> Row:
        block = self.blocks.get(action.key.partition("@")[0])
        if block:
            return self._command(block, what=action.kind, who=who, line=action.line, expects=action.expects)
        return Row(what=action.kind, text=action.title, who=who, line=action.line, expects=action.expects)

    def _command(self, block: Block, *, what: str, who: str, line: int, expects: str = "") -> Row:
        """A block by its first command, with what has to be looked at in it."""
        marks = self.marks.of_block(block)
        text, more = _first(block), _more(block)
        return Row(what=what, text=text, who=who, line=line, more=more, expects=expects, marks=marks)

    def _box(self, item: PlannedItem) -> Row:
        block = self.blocks.get(item.key.removesuffix(BY_HAND))
        if item.is_by_hand and block:
            what = block.action or block.kind
            return self._command(block, what=what, who=PERSON, line=item.line, expects=block.expects or "")
        return Row(
            what=HAND if item.is_by_hand else BOX,
            text=item.text,
            who=_who(item),
            line=item.line,
            offers=first_command(item.command) if item.command else "",
            is_claimed=item.claimed,
            is_optional=item.key in self.optional,
            choice=item.choice,
            marks=self.marks.of_line(item.line),
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
        for trigger, limit in self.document.judged:
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

    def _counts(
        self, parts: tuple[Part, ...], ways: tuple[Way, ...], gone: list[Passage], to_decide: int
    ) -> Counts:
        lines, told = understood(self.document, gone)
        rows = [row for part in parts for row in part.rows]
        back = {row.line for way in ways for part in way.parts for row in part.rows if _is_run(row)}
        return Counts(
            lines=lines,
            understood=told,
            actions=sum(_is_run(row) for row in rows),
            actions_back=len(back),
            boxes=sum(row.what == BOX and row.who in (PERSON, KEY) for row in rows),
            to_decide=to_decide,
        )


def _who(item: PlannedItem) -> str:
    return PERSON if item.by == "person" else KEY if item.by == "confirm" else ITSELF


def _is_run(row: Row) -> bool:
    return row.what not in (BOX, SHOWN)


def _first(block: Block) -> str:
    """The first command of a script, a request, or a query in one line."""
    if block.kind == "http" and block.http:
        return f"{block.http.method} {block.http.url}"
    if block.kind == "sql":
        whole = in_one_line(block.script)
        return whole if len(whole) <= LONGEST else f"{whole[:LONGEST].rstrip()} …"
    telling = (row for row in command_lines(block.script) if not SETTING_UP.match(row))
    return next(telling, first_command(block.script))


def _more(block: Block) -> int:
    """How many commands follow the first one."""
    return max(len(command_lines(block.script)) - 1, 0) if block.kind == "shell" else 0
