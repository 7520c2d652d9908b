"""The one way in: a team's Markdown checklist to a Document."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from . import (
    annotations,
    blocks,
    choices,
    fields,
    inline,
    items,
    lost,
    passages,
    steps,
    thresholds,
    triggers,
    typed,
)
from .document import Block, Document, Item, Problem, RollbackMethod, Threshold, Trigger
from .encoding import Decoded, decode
from .keys import Keys
from .limits import OPERATOR_CELL
from .markup import Piece, pieces
from .outline import Outline
from .placed import Placed
from .rollback import methods
from .words import Words, load

LABEL = re.compile(
    r"^(?:\d+[.)]\s*)?(?:\*\*.{1,120}\*\*:?|__.{1,120}__:?|.{1,120}:|<summary>.*</summary>)\W*$"
)


def read(text: str | bytes, *, words: Words | None = None) -> Document:
    """The document that the text is. Never raises and always gives the same for the same text and `words`."""
    decoded = decode(text)
    return _Reader(pieces(decoded.text), decoded, words or load()).document()


class _Reader:
    def __init__(self, found: list[Piece], decoded: Decoded, words: Words) -> None:
        self.decoded, self.words = decoded, words
        self.outline = Outline(found, words)
        self.problems = list(decoded.problems)
        self.keys = Keys()
        self.placed = self._place(found)

    def document(self) -> Document:
        fences = blocks.read(self.placed, self.keys)
        self.problems += fences.problems
        limits = self._thresholds()
        reasons = triggers.entries(self.placed, measured=_acting(limits), words=self.words)
        limits = _calmed(limits, reasons)
        ways = choices.choices(self.placed, fences.blocks, self.keys, last=self.decoded.lines)
        found_items = self._items({limit.line: limit.metric for limit in limits})
        self._check(found_items)
        told = {entry.placed.piece.line for entry in reasons}
        self.problems += lost.problems(self.placed, fences.blocks, reasons=told)
        return Document(
            title=self.outline.title,
            metadata=fields.metadata(self.placed),
            headings=self.outline.headings(),
            steps=steps.completed(self.outline.steps(), fences.blocks, ways, found_items),
            items=found_items,
            blocks=fences.blocks,
            thresholds=limits,
            env_vars=fields.env_vars(self.placed, fences.blocks),
            rollout_phases=fields.rollout_phases(self.placed),
            rollback_methods=self._methods(fences.blocks),
            contacts=fields.contacts(self.placed),
            signoff_roles=fields.signoff_roles(self.placed),
            sql_checks=fences.sql_checks,
            placeholders=fences.placeholders,
            variables=fences.variables,
            triggers=self._triggers(reasons, limits),
            choices=ways,
            trigger_rule=triggers.rule(self.placed, reasons),
            passages=passages.passages(self.placed, self.decoded.text.split("\n"), lines=self.decoded.lines),
            problems=tuple(sorted(self.problems, key=lambda problem: (problem.line, problem.id))),
        )

    # Where things stand

    def _place(self, found: list[Piece]) -> list[Placed]:
        placed: list[Placed] = []
        label, label_line = "", 0
        entries: dict[int, str] = {}
        for piece in found:
            if piece.kind == "heading":
                self.outline.enter(piece)
                label, label_line = "", 0
                entries.clear()
            step = self.outline.step_for(piece)
            section = self.outline.current
            if piece.kind == "text":
                self.outline.time(step, piece.text)
            placed.append(
                Placed(
                    piece=piece,
                    role=section.role,
                    heading=section.text,
                    path=section.path,
                    step=step,
                    label=label,
                    label_line=label_line,
                    parent=entries.get(piece.depth - 1, ""),
                )
            )
            if piece.info == "item":
                entries[piece.depth] = piece.text
            if piece.kind in ("text", "item") and LABEL.match(piece.text):
                label, label_line = piece.text, piece.line
            self._check_piece(piece)
        return placed

    def _check_piece(self, piece: Piece) -> None:
        if piece.kind == "fence" and not piece.closed:
            self._problem(
                "unclosed-fence",
                "error",
                piece.line,
                "This fence is never closed",
                "Close it; all that follows was read as code.",
            )
        if piece.cut:
            self._problem(
                "long-passage",
                "warning",
                piece.line,
                "This passage is very long; only its beginning was read",
                "Split it into paragraphs or items.",
            )
        if piece.kind == "lost":
            self._problem(
                "nested-too-deep",
                "error",
                piece.line,
                "What follows is nested too deep to be read",
                "Flatten the lists or quotes here.",
            )

    # Items

    def _items(self, metrics: Mapping[int, str]) -> tuple[Item, ...]:
        """The boxes; `metrics` names what is limited on a line, for boxes that a threshold ticks."""
        choices = self._choices()
        return tuple(
            self._item(
                placed, self._note(index), metrics.get(placed.piece.line, ""), choice=choices.get(index, "")
            )
            for index, placed in enumerate(self.placed)
            if placed.piece.kind == "item"
        )

    def _choices(self) -> dict[int, str]:
        """The key of the choice that a box belongs to, by its place: boxes side by side share one."""
        keys: dict[tuple[object, ...], str] = {}
        found: dict[int, str] = {}
        for index, asked in items.choices(self.placed).items():
            placed = self.placed[index]
            group = items.list_of(placed)
            if group not in keys:
                keys[group] = self.keys.of((*placed.path, "choice"), asked)
            found[index] = keys[group]
        return found

    def _note(self, index: int) -> annotations.Note:
        """The annotation in the item's own text, or in a comment alone on the next line."""
        piece = self.placed[index].piece
        following = self.placed[index + 1].piece if index + 1 < len(self.placed) else None
        comment = piece.note
        if not comment and following and following.kind == "comment":
            comment = following.text.strip().removeprefix("<!--").removesuffix("-->").strip()
        note = annotations.note(comment)
        for fault in note.faults:
            self._problem(
                "annotation",
                "warning",
                piece.line,
                f"Not understood: {fault}",
                "by: person | step | confirm | probe:NAME | threshold; scope: release | deployment",
            )
        return note

    def _item(self, placed: Placed, note: annotations.Note, metric: str, *, choice: str) -> Item:
        piece, is_optional = placed.piece, items.is_optional(placed)
        command = inline.command_in(piece.text, way_back=placed.role == blocks.WAY_BACK)
        return Item(
            text=piece.text,
            checked=piece.checked,
            heading=placed.heading,
            line=piece.line,
            path=placed.path,
            step=placed.step,
            by=note.by or "person",
            by_name=note.by_name or (metric if note.by == "threshold" else ""),
            scope=items.scope_of(piece.text, role=placed.role, note=note),
            required=items.is_required(role=placed.role, is_optional=is_optional, choice=choice),
            role=placed.role,
            key=self.keys.of(placed.path, piece.text),
            is_optional=is_optional,
            choice=choice,
            command=command,
            action=typed.action_of(command),
        )

    # Everything else

    def _thresholds(self) -> tuple[Threshold, ...]:
        return tuple(
            found
            for index, placed in enumerate(self.placed)
            if self._may_limit(placed)
            for found in thresholds.find(
                placed.piece.text,
                line=placed.piece.line,
                context=thresholds.Context(
                    role=placed.role,
                    heading=placed.heading,
                    label=placed.label,
                    row=placed.piece.label if placed.piece.level else "",
                    column=placed.piece.column,
                    operator=self._operator_before(index),
                ),
            )
        )

    def _may_limit(self, placed: Placed) -> bool:
        """A table below the title is about the document and limits nothing; of headings those of triggers may."""
        if placed.piece.kind == "cell":
            return placed.heading != self.outline.title
        if placed.piece.kind == "heading":
            return placed.role == "rollback_triggers"
        return placed.piece.kind in ("text", "item")

    def _operator_before(self, index: int) -> str:
        """The operator that stands alone in the table's cell before."""
        before, own = self.placed[index - 1].piece, self.placed[index].piece
        alone = own.kind == "cell" == before.kind and own.line == before.line
        return before.text if alone and OPERATOR_CELL.fullmatch(before.text) else ""

    def _triggers(self, reasons: list[triggers.Entry], limits: tuple[Threshold, ...]) -> tuple[Trigger, ...]:
        by_hand = triggers.by_hand(reasons, limits)
        for line, why in by_hand.items():
            self._problem(
                "trigger-by-hand",
                "warning",
                line,
                f"This trigger is a person's: {why}",
                "Give each limit that alone is a reason to go back a line of its own.",
            )
        measured = _acting(limits) - set(by_hand)
        return tuple(
            Trigger(
                text=entry.text,
                line=entry.placed.piece.line,
                key=self.keys.of((*entry.placed.path, "trigger"), entry.text),
                response=entry.response,
                measured=entry.placed.piece.line in measured,
            )
            for entry in reasons
        )

    def _methods(self, fences: tuple[Block, ...]) -> tuple[RollbackMethod, ...]:
        steps = [step for step in self.outline.steps() if step.role == "rollback_procedure"]
        return methods(steps, fences, stage_of=lambda order: self.outline.stage_of(order).text)

    def _check(self, found: tuple[Item, ...]) -> None:
        if any(problem.id == "binary" for problem in self.problems):
            return
        if not self.placed:
            self._problem(
                "empty",
                "error",
                1,
                "There is nothing to read",
                "Give a Markdown file with headings and boxes.",
            )
            return
        if not self.outline.sections:
            self._problem(
                "no-headings", "warning", 1, "There is no heading", "Stages and steps are read from headings."
            )
        if not found:
            self._problem(
                "no-items", "warning", 1, "There is no box to tick", "Items are task lists: - [ ] text"
            )
        self._check_contacts()
        self._check_claims(found)

    def _check_contacts(self) -> None:
        unnamed = fields.unnamed(self.placed)
        if unnamed:
            names, line = ", ".join(unnamed), min(unnamed.values())
            self._problem(
                "no-contact",
                "warning",
                line,
                f"Nobody is named for: {names}",
                "Write who is called, and how.",
            )

    def _check_claims(self, found: tuple[Item, ...]) -> None:
        claimed = [item for item in found if item.checked]
        if claimed:
            self._problem(
                "claims",
                "info",
                claimed[0].line,
                f"{len(claimed)} boxes are ticked in the file",
                "They are the author's claim, not evidence: each is confirmed in the release.",
            )

    def _problem(self, id: str, level: str, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(id=id, level=level, line=line, message=message, hint=hint))


def _acting(limits: Iterable[Threshold]) -> set[int]:
    """The lines of the limits that take a release back."""
    return {limit.line for limit in limits if limit.role == "rollback_trigger"}


def _calmed(limits: tuple[Threshold, ...], reasons: Iterable[triggers.Entry]) -> tuple[Threshold, ...]:
    """Limits of an entry that asks to look first take nothing back."""
    first = {entry.placed.piece.line for entry in reasons if entry.response == triggers.INVESTIGATE}
    return tuple(
        replace(limit, role="alert") if limit.line in first and limit.role == "rollback_trigger" else limit
        for limit in limits
    )
