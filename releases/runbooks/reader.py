"""The one way in: a team's Markdown checklist to a Document."""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import annotations, commands, fields, items, thresholds
from .document import Block, Document, Item, Problem, RollbackMethod, SqlCheck, Threshold
from .encoding import decode
from .markup import Piece, pieces
from .outline import Outline
from .rollback import methods

LABEL = re.compile(
    r"^(?:\d+[.)]\s*)?(?:\*\*.{1,120}\*\*:?|__.{1,120}__:?|.{1,120}:|<summary>.*</summary>)\W*$"
)
MAX_COMMAND = 1_000  # characters of a line in a fence
RUN_ROLES = ("pre_deployment", "deployment_steps", "post_deployment", "rollback_procedure")


def read(text: str | bytes) -> Document:
    """The document that the text is. Never raises and always gives the same for the same text."""
    decoded = decode(text)
    found = pieces(decoded.text)
    return _Reader(found, decoded.problems).document()


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A piece with where it stands: the step's order, the last label above it and that label's line."""

    piece: Piece
    role: str
    heading: str
    path: tuple[str, ...]
    step: int | None
    label: str
    parent: str  # the list entry that the piece is nested in


class _Reader:
    def __init__(self, found: list[Piece], problems: Iterable[Problem]) -> None:
        self.outline = Outline(found)
        self.problems = list(problems)
        self.keys: Counter[str] = Counter()
        self.placed = self._place(found)

    def document(self) -> Document:
        blocks = self._blocks()
        limits = self._thresholds()
        found_items = self._items({limit.line: limit.metric for limit in limits})
        self._check(found_items)
        used, variables = self._check_blocks(blocks)
        return Document(
            title=self.outline.title,
            metadata=fields.metadata(self.placed),
            headings=self.outline.headings(),
            steps=self.outline.steps(),
            items=found_items,
            blocks=blocks,
            thresholds=limits,
            env_vars=fields.env_vars(self.placed, blocks),
            rollout_phases=fields.rollout_phases(self.placed),
            rollback_methods=self._methods(blocks),
            contacts=fields.contacts(self.placed),
            signoff_roles=fields.signoff_roles(self.placed),
            sql_checks=_sql_checks(blocks),
            placeholders=used,
            variables=variables,
            problems=tuple(sorted(self.problems, key=lambda problem: (problem.line, problem.id))),
        )

    # Where things stand

    def _place(self, found: list[Piece]) -> list[Placed]:
        placed: list[Placed] = []
        label = ""
        entries: dict[int, str] = {}
        for piece in found:
            if piece.kind == "heading":
                self.outline.enter(piece)
                label = ""
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
                    parent=entries.get(piece.depth - 1, ""),
                )
            )
            if piece.info == "item":
                entries[piece.depth] = piece.text
            if piece.kind in ("text", "item") and LABEL.match(piece.text):
                label = piece.text
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
        return tuple(
            self._item(placed, self._note(index), metrics.get(placed.piece.line, ""))
            for index, placed in enumerate(self.placed)
            if placed.piece.kind == "item"
        )

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

    def _item(self, placed: Placed, note: annotations.Note, metric: str) -> Item:
        piece = placed.piece
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
            required=items.is_required(piece.text, role=placed.role, label=placed.label),
            role=placed.role,
            key=self._key(placed.path, piece.text),
        )

    def _key(self, path: tuple[str, ...], text: str) -> str:
        """16 hex digits of heading path and normalised text; repeated ones are counted."""
        name = "\n".join([*path, _normalised(text)])
        self.keys[name] += 1
        counted = name if self.keys[name] == 1 else f"{name}\n#{self.keys[name]}"
        return hashlib.sha256(counted.encode()).hexdigest()[:16]

    # Blocks

    def _blocks(self) -> tuple[Block, ...]:
        return tuple(self._block(p, index) for index, p in enumerate(self.placed) if p.piece.kind == "fence")

    def _block(self, placed: Placed, index: int) -> Block:
        piece = placed.piece
        language, attributes = annotations.fence(piece.info)
        context = f"{placed.heading} {placed.label}"
        text = self._readable(piece)
        kind = commands.kind_of(language, text, role=placed.role, context=context)
        script = commands.script_of(language or "bash", piece.text) if kind == "shell" else piece.text
        if kind == "shell":
            self._attributes(piece, attributes)
        return Block(
            language=language,
            text=piece.text,
            kind=kind,
            action=commands.action_of(_cut(script)) if kind == "shell" else "",
            line=piece.line,
            attributes=attributes,
            expects=self._expects(index, text),
            step=placed.step,
            path=placed.path,
            role=placed.role,
            key=self._key(placed.path, piece.text),
            script=script,
        )

    def _attributes(self, piece: Piece, attributes: Mapping[str, str]) -> None:
        """One that asks for care and would not get it holds the release; any other is only named."""
        for name in annotations.not_numbers(attributes):
            self._problem(
                "annotation",
                "error",
                piece.line,
                f"The fence's {name}={attributes[name]} is no number of seconds",
                f"Write {name}=300",
            )
        for name in annotations.unknown_attributes(attributes):
            self._problem(
                "annotation",
                "error" if name in annotations.CAREFUL else "warning",
                piece.line,
                f"The fence's attribute {name}={attributes[name]} would not be heeded",
                f"Known are {', '.join(annotations.ATTRIBUTES)}",
            )

    def _readable(self, piece: Piece) -> str:
        """The fence's text; a line too long to be looked through is cut, which holds the release."""
        rows = piece.text.split("\n")
        long = next((number for number, row in enumerate(rows) if len(row) > MAX_COMMAND), None)
        if long is None:
            return piece.text
        self._problem(
            "long-command",
            "error",
            piece.line + 1 + long,
            f"This line has more than {MAX_COMMAND:,} characters; the rest was not looked through",
            "Break it into lines, or put it into a script of the service.",
        )
        return _cut(piece.text)

    def _expects(self, index: int, text: str) -> str | None:
        """What stands in the line or list after the block, else in its comments."""
        after = self._expects_after(index)
        return after or "; ".join(commands.expectations(text)) or None

    def _expects_after(self, index: int) -> str | None:
        following = [placed.piece for placed in self.placed[index + 1 : index + 12]]
        if not following or following[0].kind != "text":
            return None
        first = commands.expectation_after(following[0].text)
        if first != "":
            return first
        rows: list[str] = []
        for piece in following[1:]:
            if piece.kind != "text" or not piece.group or piece.group != following[1].group:
                break
            rows.append(piece.text)
        return "; ".join(rows) or None

    # Everything else

    def _thresholds(self) -> tuple[Threshold, ...]:
        return tuple(
            found
            for placed in self.placed
            if placed.piece.kind in ("text", "item", "cell") and not self._is_preamble(placed)
            for found in thresholds.find(
                placed.piece.text,
                line=placed.piece.line,
                context=thresholds.Context(
                    role=placed.role,
                    heading=placed.heading,
                    label=placed.label,
                    row=placed.piece.label if placed.piece.level else "",
                    column=placed.piece.column,
                ),
            )
        )

    def _is_preamble(self, placed: Placed) -> bool:
        """A table below the title is about the document; it limits nothing."""
        return placed.piece.kind == "cell" and placed.heading == self.outline.title

    def _methods(self, blocks: tuple[Block, ...]) -> tuple[RollbackMethod, ...]:
        steps = [step for step in self.outline.steps() if step.role == "rollback_procedure"]
        return methods(steps, blocks, stage_of=lambda order: self.outline.stage_of(order).text)

    def _check(self, found: tuple[Item, ...]) -> None:
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
        claimed = [item for item in found if item.checked]
        if claimed:
            self._problem(
                "claims",
                "info",
                claimed[0].line,
                f"{len(claimed)} boxes are ticked in the file",
                "They are the author's claim, not evidence: each is confirmed in the release.",
            )

    def _check_blocks(self, blocks: tuple[Block, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The placeholders and the variables that are used and never set; problems on the way."""
        holes: dict[str, None] = {}
        reads: dict[str, None] = {}
        sets: set[str] = set()
        for block in blocks:
            if block.kind not in ("shell", "sql", "http", "config"):
                continue
            holes.update(dict.fromkeys(self._holes(block)))
            self._dangers(block)
            if block.kind == "shell":
                reads.update(dict.fromkeys(commands.variables_read(_cut(block.script))))
                sets |= commands.variables_set(_cut(block.script))
        return tuple(holes), tuple(name for name in reads if name not in sets)

    def _holes(self, block: Block) -> list[str]:
        found = commands.placeholders(_cut(block.text))
        runs = block.role in RUN_ROLES and block.kind != "config"
        for words, offset in found:
            self._problem(
                "placeholder",
                "error" if runs else "warning",
                block.line + 1 + offset,
                f"{words} stands for something that nobody filled in",
                "Put the value here, or a variable of the environment.",
            )
        return [words for words, _ in found]

    def _dangers(self, block: Block) -> None:
        if block.kind == "config":
            return
        for danger in commands.dangers(_cut(block.text), kind=block.kind):
            self._problem(
                danger.id,
                "warning",
                block.line + 1 + danger.offset,
                f"{danger.words} {danger.why}",
                "A second person should look at it before it runs.",
            )
        if block.kind == "sql" and commands.writes(_cut(block.text)):
            self._problem(
                "sql-writes",
                "error" if block.role in RUN_ROLES else "warning",
                block.line,
                "This SQL changes something",
                "SQL blocks are read-only checks; put a change into a migration or a shell block.",
            )

    def _problem(self, id: str, level: str, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(id=id, level=level, line=line, message=message, hint=hint))


def _sql_checks(blocks: tuple[Block, ...]) -> tuple[SqlCheck, ...]:
    return tuple(
        SqlCheck(sql=block.text, expects=block.expects, line=block.line)
        for block in blocks
        if block.kind == "sql" and not commands.writes(_cut(block.text))
    )


def _cut(text: str) -> str:
    """The text with no line longer than is looked through."""
    return "\n".join(row[:MAX_COMMAND] for row in text.split("\n"))


def _normalised(text: str) -> str:
    """Letters and digits in one case: a change of emphasis or punctuation keeps the identity."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(char if char.isalnum() or char in "<>=%$" else " " for char in plain).split())
