"""What was understood of a runbook, stage by stage and step by step, with what was decided about it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from checks.models import Metric, Service, Variable
from releases.lifecycle import reviews
from releases.models import Decision, RunbookRevision
from releases.runbooks.dangers import DANGERS, SQL_WRITES
from releases.runbooks.document import (
    AUTO,
    AUTOMATIONS,
    CONFIRM,
    GUIDE,
    RUN_ROLES,
    RUNNABLE,
    SKIP,
    Block,
    Choice,
    Document,
    Hole,
    Item,
    Option,
    Step,
)
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import danger_subject, dangerous_words, first_command, gone_lines, run_subject
from releases.runbooks.steps import holder
from releases.runbooks.texts import in_one_line

Rows = Mapping[tuple[str, str], Decision]

# So many steps of a stage are shown whole, the others in a line each.
SPAN = 60

# Stage -> its title and what it means for a release, in the order in which a release meets them.
STAGES = {
    "pre_deployment": (
        "Before the deployment",
        "Settled before the start. Only commands in boxes are run here, where you turn them on.",
    ),
    "deployment_steps": ("Deployment", "In this order."),
    "post_deployment": ("After the deployment", "When the new version is live."),
    "success_criteria": ("Success criteria", "Judged when everything else is done."),
    "communications": ("Communications", "Boxes are waited for."),
    "signoff": ("Sign-off", "Boxes are waited for; the plan itself is approved in Gantry."),
    "rollback_triggers": ("When to go back", "A tick here takes the release back; it is never waited for."),
    "rollback_procedure": ("Ways back", "Only when a release is taken back."),
}
FOLDED = {
    "contacts": "Contacts",
    "maintenance": "Maintenance",
    "troubleshooting": "Troubleshooting",
    "reference": "Reference",
    "other": "Other passages",
}
MEANINGS = {
    GUIDE: "A person does it and ticks.",
    CONFIRM: "The command is shown, and one key runs it.",
    AUTO: "It runs by itself.",
    SKIP: "It does not apply and is not planned.",
}
TICKED_BY = {
    "person": "a person",
    "confirm": "a person confirms",
    "step": "its step's success",
    "threshold": "a threshold",
}
WHY_DANGEROUS = {f"danger-{id}": why for id, _, why in DANGERS} | {SQL_WRITES: "SQL that changes something"}


@dataclass(frozen=True, kw_only=True)
class LevelView:
    """One of the levels that a step may have; `wants_reason` sends through the dialog."""

    value: str
    meaning: str
    is_now: bool
    wants_reason: bool


@dataclass(frozen=True, kw_only=True)
class DangerView:
    """A danger mark of a block and who accepted it."""

    subject: str
    id: str
    why: str
    words: str
    is_accepted: bool
    decision: Decision | None


@dataclass(frozen=True, kw_only=True)
class HoleView:
    """A placeholder, and where its variable comes from: Gantry, environments, or nowhere yet."""

    hole: Hole
    source: str
    decision: Decision | None


@dataclass(frozen=True, kw_only=True)
class BlockView:
    """A fence: what it does, what is dangerous in it, what fills its placeholders."""

    block: Block
    kind: str
    first: str
    runs: bool
    dangers: tuple[DangerView, ...]
    holes: tuple[HoleView, ...]


@dataclass(frozen=True, kw_only=True)
class BoxView:
    """A box: who ticks it, how often, whether its command is run."""

    item: Item
    who: str
    is_settled: bool  # does somebody or something tick it, so that who and how often matter?
    may_run: bool
    by: Decision | None
    scope: Decision | None
    run_subject: str
    run: Decision | None


@dataclass(frozen=True, kw_only=True)
class ChoiceView:
    """Several ways and which was picked."""

    choice: Choice
    options: tuple[tuple[Option, bool], ...]
    decision: Decision | None


@dataclass(frozen=True, kw_only=True)
class StepView:
    """A step with everything that stands in it; without a `step`, what stands before the first one."""

    anchor: str
    title: str
    line: int
    step: Step | None
    runs: bool
    clean: int
    begins_by_hand: str
    levels: tuple[LevelView, ...]
    decision: Decision | None
    choices: tuple[ChoiceView, ...]
    blocks: tuple[BlockView, ...]
    boxes: tuple[BoxView, ...]

    @property
    def is_empty(self) -> bool:
        """Only prose?"""
        return not (self.choices or self.blocks or self.boxes)


@dataclass(frozen=True, kw_only=True)
class SpanView:
    """Steps of a stage that follow each other; those of a long stage are shown whole one span at a time."""

    steps: tuple[StepView, ...]
    is_open: bool

    @property
    def first(self) -> StepView:
        """The step that an address names to open the span."""
        return self.steps[0]

    @property
    def last(self) -> StepView:
        """Where the span ends."""
        return self.steps[-1]


@dataclass(frozen=True, kw_only=True)
class StageView:
    """The steps of one role."""

    role: str
    title: str
    note: str
    steps: tuple[StepView, ...]
    spans: tuple[SpanView, ...]

    @property
    def shown(self) -> tuple[StepView, ...]:
        """The steps that are shown whole."""
        return tuple(view for span in self.spans if span.is_open for view in span.steps)


class Parts:
    """Puts what was understood together with what was decided about it."""

    def __init__(self, revision: RunbookRevision, document: Document, rows: Rows, *, at: str = "") -> None:
        """`at` is the order of a step that is shown whole, however long its stage is."""
        self.at = at
        service = revision.runbook.service
        self.document, self.rows = document, rows
        self.clean = reviews.clean_runs(revision.runbook, document)
        self.sources = _sources(service)
        self.metrics = frozenset(
            Metric.objects.filter(environment__service=service).values_list("name", flat=True)
        )
        self.steps = {step.order: step for step in document.steps}
        pulled = {trigger.line for trigger in document.triggers}
        boxes = (
            item for item in document.items if item.role != "rollback_triggers" or item.line not in pulled
        )
        self.items = _grouped(boxes)
        self.blocks = _grouped(document.blocks)
        self.choices = self._placed_choices()

    def stages(self) -> list[StageView]:
        """Every stage that holds something, in the order in which a release meets it."""
        steps: dict[str, list[StepView]] = defaultdict(list)
        for (role, order), view in self._views():
            if not view.is_empty or (role in RUN_ROLES and order):
                steps[role].append(view)
        known = {**{role: title for role, (title, _) in STAGES.items()}, **FOLDED}
        return [
            StageView(
                role=role,
                title=title,
                note=STAGES.get(role, ("", ""))[1],
                steps=tuple(steps[role]),
                spans=_spans(steps[role], at=self.at),
            )
            for role, title in known.items()
            if steps[role] or (role == "rollback_triggers" and self.document.triggers)
        ]

    def _views(self) -> Iterator[tuple[tuple[str, int], StepView]]:
        places = {(step.role, step.order) for step in self.document.steps}
        places |= set(self.items) | set(self.blocks) | set(self.choices)
        for place in sorted(places, key=lambda place: place[1]):
            yield place, self._step(place)

    def _step(self, place: tuple[str, int]) -> StepView:
        step = self.steps.get(place[1])
        items, blocks = self.items.get(place, []), self.blocks.get(place, [])
        choices = self.choices.get(place, [])
        runs = place[0] in RUN_ROLES and any(b.kind in RUNNABLE for b in blocks)
        runs = runs or (place[0] in RUN_ROLES and any(item.runs for item in items))
        first = [*items, *blocks, *choices]
        return StepView(
            anchor=f"step-{place[1]}" if step and step.role == place[0] else "",
            title=step.heading if step else (items[0].heading if items else ""),
            line=step.line if step else min((part.line for part in first), default=1),
            step=step,
            runs=runs,
            clean=self.clean[step.key] if step else 0,
            begins_by_hand=_begins_by_hand(step, blocks, choices) if runs else "",
            levels=self._levels(step, runs) if step and place[0] in RUN_ROLES else (),
            decision=self.rows.get(("level", step.key)) if step else None,
            choices=tuple(self._choice(choice) for choice in choices),
            blocks=tuple(self._block(block) for block in blocks),
            boxes=tuple(self._box(item) for item in items),
        )

    def _levels(self, step: Step, runs: bool) -> tuple[LevelView, ...]:
        """Where nothing runs there is nothing to automate: done by hand or not at all."""
        known = AUTOMATIONS if runs else (GUIDE, SKIP)
        return tuple(
            LevelView(
                value=level,
                meaning=MEANINGS[level],
                is_now=step.automation == level,
                wants_reason=level == SKIP or (level == AUTO and not self.clean[step.key]),
            )
            for level in known
        )

    def _block(self, block: Block) -> BlockView:
        return BlockView(
            block=block,
            kind=block.action or block.kind,
            first=_first(block),
            runs=block.kind in RUNNABLE and block.role in RUN_ROLES,
            dangers=tuple(self._danger(block, danger) for danger in block.dangers),
            holes=tuple(self._hole(hole) for hole in _once(block.holes)),
        )

    def _danger(self, block: Block, danger: str) -> DangerView:
        subject = danger_subject(block, danger)
        return DangerView(
            subject=subject,
            id=danger,
            why=WHY_DANGEROUS.get(danger, danger),
            words=dangerous_words(block, danger),
            is_accepted=danger in block.accepted,
            decision=self.rows.get(("accept", subject)),
        )

    def _hole(self, hole: Hole) -> HoleView:
        source = self.sources.get(hole.variable, "")
        return HoleView(hole=hole, source=source, decision=self.rows.get(("fill", hole.words)))

    def _box(self, item: Item) -> BoxView:
        return BoxView(
            item=item,
            who=ticked_by(item.by, item.by_name),
            is_settled=item.role in STAGES and not item.role.startswith("rollback"),
            may_run=bool(item.command) and item.role in (*RUN_ROLES, "pre_deployment"),
            by=self.rows.get(("by", item.key)),
            scope=self.rows.get(("scope", item.key)),
            run_subject=run_subject(item),
            run=self.rows.get(("run", run_subject(item))),
        )

    def _choice(self, choice: Choice) -> ChoiceView:
        return ChoiceView(
            choice=choice,
            options=tuple((option, option.key == choice.picked) for option in choice.options),
            decision=self.rows.get(("pick", choice.key)),
        )

    def _placed_choices(self) -> dict[tuple[str, int], list[Choice]]:
        """Each choice with the last step that begins before it or with its first way."""
        found: dict[tuple[str, int], list[Choice]] = defaultdict(list)
        gone = gone_lines(self.document.choices)
        for choice in self.document.choices:
            if choice.line not in gone:
                found[choice.role, holder(self.document.steps, choice.line)].append(choice)
        return found


def ticked_by(by: str, name: str = "") -> str:
    """Who ticks a box, in words."""
    return f"probe {name}" if by == "probe" else TICKED_BY.get(by, by)


def _spans(views: list[StepView], *, at: str) -> tuple[SpanView, ...]:
    """The steps in spans of which one is open: that with the step `at`, else the first."""
    spans = [tuple(views[start : start + SPAN]) for start in range(0, len(views), SPAN)]
    named = (n for n, span in enumerate(spans) if any(v.step and str(v.step.order) == at for v in span))
    chosen = next(named, 0)
    return tuple(SpanView(steps=span, is_open=n == chosen) for n, span in enumerate(spans))


def _grouped(parts: Iterable[Any]) -> dict[tuple[str, int], list[Any]]:
    found: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for part in parts:
        found[part.role, part.step or 0].append(part)
    return found


def _begins_by_hand(step: Step | None, blocks: Iterable[Block], choices: Iterable[Choice]) -> str:
    """Why a step that could run is done by hand at first, in a sentence."""
    own = [block for block in blocks if block.kind in RUNNABLE]
    if step is None or step.automation != GUIDE:
        return ""
    if any(set(block.dangers) - set(block.accepted) for block in own):
        return "by hand until its dangers are accepted"
    if any(not choice.picked for choice in choices):
        return "by hand until a way is picked"
    if any(block.host for block in own):
        return "by hand until somebody raises it: it runs on another host"
    return ""


def _first(block: Block) -> str:
    """A block in one line: a statement whole, else its first command."""
    if block.kind == "sql":
        return in_one_line(block.script)[:120]
    return first_command(block.script) or block.text.strip().split("\n")[0][:80]


def _once(holes: Iterable[Hole]) -> list[Hole]:
    first = {hole.words: hole for hole in sorted(holes, key=lambda hole: -hole.line)}
    return sorted(first.values(), key=lambda hole: hole.line)


def _sources(service: Service) -> dict[str, str]:
    """Variable -> who gives it: Gantry, or the environments that define it."""
    given = dict.fromkeys(GIVEN, "from Gantry")
    rows = Variable.objects.filter(environment__service=service).order_by("name", "environment__order")
    pairs = rows.values_list("name", "environment__name")
    for name, places in groupby(pairs, key=lambda pair: pair[0]):
        given[name] = "in " + ", ".join(place for _, place in places)
    return given
