"""The tree of headings as stages and steps: which section a piece stands in."""

import re
from dataclasses import dataclass, replace
from itertools import takewhile

from . import roles, schedule
from .document import Heading, Step
from .markup import Piece
from .words import Words

CONTENT = ("item", "fence")
MOST_STEPS = 60  # headings looked at below one stage
WINDOWED = ("post_deployment", "maintenance", "success_criteria")
METHOD = re.compile(
    r"^\W*(?:\*\*|__)(?:method|option|approach|way|variant|methode|método|méthode|方法|способ)\s*(?:\d+|[A-H])\b",
    re.I,
)
LEAD = re.compile(r"\*\*(.+?):?\*\*|__(.+?):?__|([^:–—]{3,80}?)(?:\s[-–—]\s|:\s|$)")


@dataclass
class Section:
    """A heading with its role; `stage` is True where a stage begins, `has_children` where headings stand below."""

    text: str
    level: int
    role: str
    line: int
    path: tuple[str, ...]
    parent: "Section | None"
    stage: bool = False
    has_children: bool = False
    step: int | None = None
    is_title: bool = False


@dataclass
class DraftStep:
    """A step while its content is still being read."""

    heading: str
    line: int
    section: Section
    when: schedule.When
    level: int
    duration: float | None = None


class Outline:
    """Fed with the pieces in order, it says the section and opens the steps."""

    def __init__(self, found: list[Piece], words: Words) -> None:
        self.words = words
        self.sections: list[Section] = []
        self.drafts: list[DraftStep] = []
        self.root = Section(text="", level=0, role="other", line=1, path=(), parent=None, is_title=True)
        self._build([piece for piece in found if piece.kind == "heading"])
        self._by_line = {section.line: section for section in self.sections}
        self.current = self.root
        self._list_step: int | None = None

    @property
    def title(self) -> str:
        return next((section.text for section in self.sections if section.is_title), "")

    def enter(self, piece: Piece) -> None:
        """A heading: what follows stands below it."""
        self.current = self._by_line[piece.line]
        self._list_step = None
        if self._is_step(self.current):
            self.current.step = self._open(self.current.text, piece.line, self.current, self.current.level)

    def step_for(self, piece: Piece) -> int | None:
        """The order of the step that the piece stands in, opening one where a stage or a list makes it."""
        if self._starts_list_step(piece) or self._starts_method(piece):
            self._list_step = self._open(_lead(piece.text), piece.line, self.current, self.current.level + 1)
        if self._list_step is not None:
            return self._list_step
        owner = self._owner()
        if owner.step is None and piece.kind in CONTENT and not owner.is_title:
            owner.step = self._open(owner.text, owner.line, owner, owner.level)
        return owner.step

    def time(self, order: int | None, text: str) -> None:
        """A line such as "**Time**: 5 minutes" or "**When**: T-30" times the step it stands in."""
        draft = self.drafts[order - 1] if order else None
        if draft and draft.duration is None:
            draft.duration = schedule.duration_line(text)
        if draft and draft.when.offset is None:
            draft.when = replace(draft.when, offset=schedule.offset_line(text))

    def headings(self) -> tuple[Heading, ...]:
        return tuple(Heading(text=s.text, level=s.level, role=s.role, line=s.line) for s in self.sections)

    def steps(self) -> tuple[Step, ...]:
        return tuple(_freeze(draft, order) for order, draft in enumerate(self.drafts, start=1))

    def stage_of(self, order: int) -> Section:
        """The stage that the step belongs to; a step may be the stage itself."""
        section = self.drafts[order - 1].section
        while not section.stage and section.parent:
            section = section.parent
        return section

    def _build(self, headings: list[Piece]) -> None:
        title = next((h for h in headings if h.level == 1), headings[0] if headings else None)
        stack: list[Section] = []
        for number, piece in enumerate(headings):
            while stack and stack[-1].level >= piece.level:
                stack.pop()
            section = _section(piece, stack[-1] if stack else None, self.words, is_title=piece is title)
            if section.role == "other" and not section.is_title:
                section.role = _role_by_time(headings, number)
            self.sections.append(section)
            stack.append(section)
        for section in self.sections:
            section.stage = _is_stage(section, self.words)

    def _is_step(self, section: Section) -> bool:
        return bool(section.parent and section.parent.stage and not section.stage)

    def _owner(self) -> Section:
        section = self.current
        while section.step is None and not section.stage and section.parent:
            section = section.parent
        return section

    def _starts_list_step(self, piece: Piece) -> bool:
        section = self.current
        plain_stage = section.stage and section.role == "deployment_steps" and not section.has_children
        return (
            plain_stage
            and piece.kind == "text"
            and piece.info == "item"
            and piece.ordered
            and piece.depth == 1
        )

    def _starts_method(self, piece: Piece) -> bool:
        """A bold line "Method 2: Git revert" begins a way back of its own."""
        is_way_back = self.current.role == "rollback_procedure"
        return is_way_back and piece.kind == "text" and bool(METHOD.match(piece.text))

    def _open(self, heading: str, line: int, section: Section, level: int) -> int:
        when = schedule.of_heading(heading, windows=section.role in WINDOWED)
        draft = DraftStep(heading=heading, line=line, section=section, when=when, level=level)
        draft.duration = when.duration
        self.drafts.append(draft)
        return len(self.drafts)


def _section(piece: Piece, parent: Section | None, words: Words, *, is_title: bool) -> Section:
    if parent:
        parent.has_children = True
    above = None if parent is None or parent.is_title else parent.role
    return Section(
        text=piece.text,
        level=piece.level,
        role="other" if is_title else roles.inherit(piece.text, above=above, words=words),
        line=piece.line,
        path=(*(parent.path if parent else ()), piece.text),
        parent=parent,
        is_title=is_title,
    )


def _role_by_time(headings: list[Piece], number: int) -> str:
    """A stage whose wording says nothing is known by the T-offsets of the headings in it."""
    own = headings[number]
    below = takewhile(lambda piece: piece.level > own.level, headings[number + 1 : number + 1 + MOST_STEPS])
    timed = [offset for piece in (own, *below) for offset in schedule.t_offsets(piece.text)[:1]]
    if not timed:
        return "other"
    return "deployment_steps" if min(timed) <= 0 else "post_deployment"


def _is_stage(section: Section, words: Words) -> bool:
    """A stage begins where the role changes; a rollback section may hold one of its own, to group methods."""
    parent = section.parent
    if section.is_title:
        return False
    if parent is None or parent.is_title or parent.role != section.role:
        return True
    own = section.role == "rollback_procedure" and roles.role_of(section.text, words) == section.role
    return own and section.has_children and not roles.is_numbered(section.text)


def _freeze(draft: DraftStep, order: int) -> Step:
    from_list = draft.heading != draft.section.text
    return Step(
        heading=draft.heading,
        order=order,
        offset_minutes=draft.when.offset,
        duration_minutes=draft.duration,
        line=draft.line,
        role=draft.section.role,
        level=draft.level,
        path=(*draft.section.path, draft.heading) if from_list else draft.section.path,
    )


def _lead(text: str) -> str:
    """The name of a step that is a list entry: its bold beginning, or what stands before a dash or colon."""
    found = LEAD.match(text)
    return next((part for part in found.groups() if part), text).strip() if found else text[:80]
