"""Markdown to a flat run of pieces, each with its line: the only module that knows markdown-it."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, blockquote
from markdown_it.token import Token
from mdit_py_plugins.front_matter import front_matter_plugin

MAX_PROSE = 4_000  # characters of one passage
MAX_NESTING = 160  # tokens: 80 nested lists or 160 quotes, well within the recursion limit
BOX = re.compile(r"\[( |x|X|)\](?![(\[:])[ \t]*")
# Bounded, for an open tag without an end must not be looked for again and again.
HTML_BOX = re.compile(r"<input\b[^<>]{0,200}?\btype\s*=\s*[\"']?checkbox\b[^<>]{0,200}>", re.IGNORECASE)
LEADING_TAGS = (
    r"(?:</?(?:ul|ol|li|p|div|span|label|table|tbody|tr|td|th|details|fieldset)\b[^<>]{0,200}>\s{0,9}){0,9}"
)
HTML_BOX_FIRST = re.compile(LEADING_TAGS + HTML_BOX.pattern, re.IGNORECASE)
HTML_HEADING = re.compile(
    r"(?:<(?:summary|div|center|details)\b[^<>]{0,200}>\s{0,9}){0,3}<h([1-6])\b[^<>]{0,200}>(.{1,400}?)</h\1\s{0,3}>",
    re.IGNORECASE,
)
TAG = re.compile(r"</?[a-z][a-z0-9]{0,15}\b[^<>]{0,300}>", re.IGNORECASE)
LIMIT_LINE = re.compile(
    r">=?\s?\d[\d.,]{0,12}\s?(?:%|(?:ms|s|secs?|seconds?|min|minutes|hours?|x|[KMGT]i?B|errors?)\b)"
)
OPAQUE = re.compile(r"<(!--|pre\b|script\b|style\b|textarea\b)", re.IGNORECASE)
PROSE = ("heading", "text", "cell", "head", "item")
BREAK = re.compile(r"(?: {2}|\\|<br\s?/?>)$", re.IGNORECASE)
TAG_AT_END = re.compile(r"</(?:summary|h[1-6]|li|tr)>$", re.IGNORECASE)
# Lines of one paragraph that begin something of their own; in prose a line such as "Risk: low" does, too.
IN_LIST = re.compile(
    r"\*\*|__|<(?:summary|h[1-6]|li|tr|SUMMARY|H[1-6]|LI|TR)\b|[•◦▪‣●○■□☐☑☒✅✔✓❌✗✘⚠🔴🟠🟡🟢❗🚨🚫⛔]"
)
IN_PROSE = re.compile(
    rf"{IN_LIST.pattern}|(?=[^\W\d_])[A-ZÀ-ÞА-Я][\w/&-]{{0,30}}(?: [\w/&-]{{1,30}}){{0,3}}:\s+\S"
)


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One thing of the document, in order.

    kind: heading | item | text | head | cell | fence | code | html | comment | rule |
    front_matter | lost (nested too deep to be read). `line` counts from 1,
    `end` is the last line. `group` numbers the list or table that it stands in (0: none), `depth` the
    nesting of lists; `label` and `column` are a table cell's row and column heads.
    """

    kind: str
    text: str
    line: int
    end: int
    level: int = 0
    group: int = 0
    depth: int = 0
    ordered: bool = False
    checked: bool = False
    note: str = ""
    info: str = ""
    label: str = ""
    column: str = ""
    closed: bool = True
    cut: bool = False


def pieces(text: str) -> list[Piece]:
    """The document's pieces in order; `text` has no carriage returns."""
    walk = _Walk(text)
    found = list(walk.run())
    deepest = max(walk.tokens, key=lambda token: token.level, default=None)
    if deepest and deepest.level >= MAX_NESTING - 1:
        line = (deepest.map or [0])[0] + 1
        found.append(Piece(kind="lost", text="", line=line, end=line))
    return found


def _opaque_html(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A block rule: comments, <pre>, <script> and <style> are one piece; one left open is ordinary text."""
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    found = OPAQUE.match(first)
    if not found or state.is_code_block(start):
        return False
    closing = "-->" if found[1] == "!--" else f"</{found[1].lower()}"
    last = _line_with(state, closing, start, end)
    if last is None:
        return False
    if not silent:
        state.line = last + 1
        token = state.push("html_block", "", 0)
        token.map = [start, state.line]
        token.content = state.getLines(start, state.line, state.blkIndent, True)
    return True


def _line_with(state: StateBlock, wanted: str, start: int, end: int) -> int | None:
    """The line with the closing mark; what was lowered and what is missing is remembered, to stay linear."""
    lowered = state.env.setdefault("lowered", state.src.lower() if "lowered" not in state.env else "")
    if state.bMarks[start] > state.env.get(wanted, len(lowered)):
        return None
    stop = lowered.find(wanted, state.bMarks[start])
    if stop < 0:
        state.env[wanted] = state.bMarks[start] - 1
        return None
    line = bisect_left(state.eMarks, stop, start, end)
    return line if line < end else None


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A quote, unless the line is a limit: "- >99% of requests" is meant as it reads."""
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    return not LIMIT_LINE.match(line) and blockquote(state, start, end, silent)


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable("table")
    front_matter_plugin(parser)
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.block.ruler.at("html_block", _opaque_html, {"alt": ["paragraph", "blockquote"]})
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.disable(["reference"])
    return parser


PARSER = _parser()


@dataclass
class _Row:
    line: int
    cells: list[str] = field(default_factory=list)


class _Walk:
    """One pass over the tokens, keeping the open lists and the open table."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.tokens = PARSER.parse(text)
        self.lists: list[tuple[int, bool]] = []
        self.groups = 0
        self.first_in_item = False
        self.heads: list[str] = []
        self.row: _Row | None = None

    def run(self) -> Iterator[Piece]:
        for index, token in enumerate(self.tokens):
            handler = HANDLERS.get(token.type)
            if handler:
                yield from handler(self, token, index)

    def open_list(self, token: Token, index: int) -> Iterator[Piece]:
        self.groups += 1
        self.lists.append((self.groups, token.type == "ordered_list_open"))
        return iter(())

    def close_list(self, token: Token, index: int) -> Iterator[Piece]:
        self.lists.pop()
        return iter(())

    def open_item(self, token: Token, index: int) -> Iterator[Piece]:
        self.first_in_item = True
        return iter(())

    def fence(self, token: Token, index: int) -> Iterator[Piece]:
        self.first_in_item = False
        start, end = token.map or (0, 0)
        closed = end - 1 > start and _closes(self.lines[end - 1], token.markup)
        yield self._piece("fence", token.content, start, end, info=token.info.strip(), closed=closed)

    def code(self, token: Token, index: int) -> Iterator[Piece]:
        self.first_in_item = False
        start, end = token.map or (0, 0)
        yield self._piece("code", token.content, start, end)

    def html(self, token: Token, index: int) -> Iterator[Piece]:
        start, end = token.map or (0, 0)
        comment = token.content.lstrip().startswith("<!--")
        yield self._piece("comment" if comment else "html", token.content, start, end)

    def rule(self, token: Token, index: int) -> Iterator[Piece]:
        start, end = token.map or (0, 0)
        yield self._piece("rule", "", start, end)

    def front_matter(self, token: Token, index: int) -> Iterator[Piece]:
        start, end = token.map or (0, 0)
        yield self._piece("front_matter", token.content, start, end)

    def open_table(self, token: Token, index: int) -> Iterator[Piece]:
        self.groups += 1
        self.heads = []
        return iter(())

    def open_row(self, token: Token, index: int) -> Iterator[Piece]:
        self.row = _Row(line=(token.map or [0])[0])
        return iter(())

    def close_row(self, token: Token, index: int) -> Iterator[Piece]:
        row, self.row = self.row, None
        if row is None:
            return
        if not self.heads:
            self.heads = row.cells
        yield from self._row_pieces(row)

    def inline(self, token: Token, index: int) -> Iterator[Piece]:
        if self.row is not None:
            self.row.cells.append(_without_comments(token.content)[0])
            return
        opener = self.tokens[index - 1]
        start, end = token.map or opener.map or (0, 0)
        if opener.type == "heading_open":
            yield self._heading(token.content, opener, start)
            return
        first, self.first_in_item = self.first_in_item, False
        yield from self._paragraph(token.content, start, end, in_item=first)

    def _heading(self, content: str, opener: Token, start: int) -> Piece:
        self.first_in_item = False
        text, _ = _without_comments(content)
        end = (opener.map or (start, start + 1))[1]
        return self._piece("heading", " ".join(text.split()), start, end, level=int(opener.tag[1:]))

    def _paragraph(self, content: str, start: int, end: int, *, in_item: bool) -> Iterator[Piece]:
        for offset, lines in _split(content.split("\n"), IN_LIST if self.lists else IN_PROSE):
            text, note = _without_comments("\n".join(lines))
            piece = self._piece("text", " ".join(text.split()), start + offset, start + offset + len(lines))
            piece = replace(piece, note=note, info="item" if in_item and not offset else "")
            yield from _as_heading(piece) or _as_items(piece) or (piece,)

    def _row_pieces(self, row: _Row) -> Iterator[Piece]:
        is_head = row.cells is self.heads
        for checked, text in [] if is_head else _boxes_of_row(row.cells, self.heads):
            yield self._piece("item", text, row.line, row.line + 1, checked=checked, info="row")
        for number, cell in enumerate(row.cells):
            column = self.heads[number] if number < len(self.heads) else ""
            kind = "head" if is_head else "cell"
            yield self._piece(
                kind, cell, row.line, row.line + 1, label=row.cells[0], column=column, level=number
            )

    def _piece(self, kind: str, text: str, start: int, end: int, **more: Any) -> Piece:
        group, ordered = self.lists[-1] if self.lists else (0, False)
        if kind in ("cell", "head") or more.get("info") == "row":
            group = self.groups
        depth = len(self.lists)
        if kind in PROSE and len(text) > MAX_PROSE:
            text, more["cut"] = text[:MAX_PROSE] + "…", True
        return Piece(
            kind=kind,
            text=text,
            line=start + 1,
            end=max(end, start + 1),
            group=group,
            depth=depth,
            ordered=ordered,
            **more,
        )


HANDLERS = {
    "bullet_list_open": _Walk.open_list,
    "ordered_list_open": _Walk.open_list,
    "bullet_list_close": _Walk.close_list,
    "ordered_list_close": _Walk.close_list,
    "list_item_open": _Walk.open_item,
    "fence": _Walk.fence,
    "code_block": _Walk.code,
    "html_block": _Walk.html,
    "hr": _Walk.rule,
    "front_matter": _Walk.front_matter,
    "table_open": _Walk.open_table,
    "tr_open": _Walk.open_row,
    "tr_close": _Walk.close_row,
    "inline": _Walk.inline,
}


def _closes(line: str, markup: str) -> bool:
    bare = line.strip(" \t>")
    return len(bare) >= len(markup) and not bare.strip(markup[0])


def _split(lines: list[str], starts: re.Pattern[str]) -> Iterator[tuple[int, list[str]]]:
    """A paragraph's lines in runs that belong together, each with its offset."""
    run: list[str] = []
    offset = 0
    for number, line in enumerate(lines):
        bare = line.strip()
        anew = BOX.match(bare) or starts.match(bare) or HTML_BOX_FIRST.match(bare)
        if run and (anew or _ends_passage(run[-1])):
            yield offset, run
            run, offset = [], number
        run.append(line)
    if run:
        yield offset, run


def _ends_passage(line: str) -> bool:
    bare = line.rstrip()
    return bool(BREAK.search(line) or TAG_AT_END.search(bare)) or bare.endswith(":")


def _without_comments(text: str) -> tuple[str, str]:
    """The text without HTML comments, and what the comments say."""
    kept, said, place = [], [], 0
    while (start := text.find("<!--", place)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[place:start])
        said.append(text[start + 4 : end].strip())
        place = end + 3
    return "".join([*kept, text[place:]]).strip() if said else text, " ".join(said)


def _as_heading(piece: Piece) -> tuple[Piece, ...]:
    """A heading written in HTML, and what follows it in the same passage."""
    found = HTML_HEADING.match(piece.text)
    if not found or piece.group:
        return ()
    title = " ".join(TAG.sub(" ", found[2]).split())
    heading = replace(piece, kind="heading", text=title, level=int(found[1]), info="")
    rest = TAG.sub(" ", piece.text[found.end() :]).strip()
    return (heading, replace(piece, text=rest)) if rest else (heading,)


def _as_items(piece: Piece) -> tuple[Piece, ...]:
    """The boxes at the start of the passage; in HTML each <input> is one, wherever it stands."""
    if HTML_BOX_FIRST.match(piece.text):
        boxes = _html_boxes(piece.text)
        return tuple(
            replace(piece, kind="item", checked=box[0], text=box[1], cut=piece.cut and box is boxes[-1])
            for box in boxes
        )
    found = _box(piece.text)
    return (replace(piece, kind="item", checked=found[0], text=found[1]),) if found else ()


def _html_boxes(text: str) -> list[tuple[bool, str]]:
    """Whether each box is ticked, and its text: up to the next one, without tags."""
    found = list(HTML_BOX.finditer(text))
    ends = [*(box.start() for box in found[1:]), len(text)]
    boxes = [
        (
            "checked" in box[0].lower().replace("checkbox", ""),
            " ".join(TAG.sub(" ", text[box.end() : end]).split()),
        )
        for box, end in zip(found, ends, strict=True)
    ]
    return [box for box in boxes if box[1]]


def _box(text: str) -> tuple[bool, str] | None:
    """Whether the box at the start of the text is ticked, and what follows it."""
    html = HTML_BOX_FIRST.match(text)
    if html:
        return next(iter(_html_boxes(text)), None)
    box = BOX.match(text)
    if not box or not text[box.end() :].strip():
        return None
    return box[1] in ("x", "X"), text[box.end() :].strip()


TASK_COLUMN = re.compile(
    r"\b(tasks?|items?|steps?|checks?|actions?|descriptions?|activit(?:y|ies)|what|verification|tarea|aufgabe|tâche|tarefa)\b|任务|検査|作業|задача",
    re.IGNORECASE,
)


def _boxes_of_row(cells: list[str], heads: list[str]) -> list[tuple[bool, str]]:
    """The boxes of a table's row, each with its text: its own, else that of the cell that tells the task."""
    boxes = [(number, box) for number, cell in enumerate(cells) if (box := _box_of_cell(cell))]
    task = _task_of_row(cells, heads, {number for number, _ in boxes})
    if len(boxes) == 1 or any(box[1] for _, box in boxes):
        return [(box[0], box[1] or task) for _, box in boxes if box[1] or task]
    return [
        (box[0], f"{task}: {heads[number] if number < len(heads) else ''}") for number, box in boxes if task
    ]


def _box_of_cell(cell: str) -> tuple[bool, str] | None:
    """A cell's box; its text is "" where the cell holds nothing else, or several boxes to choose from."""
    found = _box(cell)
    if found and (BOX.search(found[1]) or HTML_BOX.search(found[1])):
        return False, ""
    if not found and (BOX.fullmatch(cell) or HTML_BOX.fullmatch(cell)):
        return "checked" in cell.lower().replace("checkbox", "") or "x" in cell[:3].lower(), ""
    return found


def _task_of_row(cells: list[str], heads: list[str], taken: set[int]) -> str:
    others = [number for number in range(len(cells)) if number not in taken and cells[number]]
    named = [number for number in others if number < len(heads) and TASK_COLUMN.search(heads[number])]
    longest = max(named or others, key=lambda number: len(cells[number]), default=None)
    return "" if longest is None else cells[longest]
