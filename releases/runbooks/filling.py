"""Putting variables in the places of placeholders, quoted so that no value is ever run as a command."""

# ruff: noqa: E501 (the names of programs stay one line)

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .document import Hole
from .texts import bare

BARE, DOUBLE, SINGLE, BODY, CLOSED = "bare", "double", "single", "body", "closed"
SEPARATORS = frozenset("\n;&|()")
HEREDOC = re.compile(r"<<(-?)[ \t]*(['\"\\]?)(\w+)['\"]?")
SH = r"(?:ba|z|k|da|a)?sh"
# What these are given is read by a shell once more.
SHELL_AGAIN = re.compile(
    rf"(?:^|\s)(?:eval|trap|watch|ssh|su|{SH}\s+(?:\S+\s+)*-\w*[cs])\s|(?:^|\s){SH}\s*(?:-\w+\s*)*<<"
)
# What these are given in quotes is a program of another language.
INTERPRETERS = r"(?:python[\d.]*|perl|ruby|node|php|awk|gawk|sed|jq|psql|mysql|mariadb|sqlite3|mongosh?|redis-cli|manage\.py|rails)"
PROGRAM = re.compile(rf"(?:^|[\s/]){INTERPRETERS}\s")
CODE_OPTION = re.compile(r"\s(?:-\w*[cer]|--(?:command|execute|eval))[\s=]*[\"']?$")
SAYS = re.compile(r"^\s*(?:echo|printf)\s")
SAID_TO = re.compile(rf"\|\s*(?:sudo\s+)?(?:\S*/)?(?:{SH}|ssh|xargs|parallel|{INTERPRETERS})\b")
# Bash reads what these are given as arithmetic or as a name, and runs what stands in its brackets.
EVALUATES = re.compile(
    r"(?:^|\s)(?:let|\[\[|unset|read|mapfile|readarray|getopts|printf\s+-v|test\s+-v|\[\s+-v|(?:declare|typeset|local)\s+-\w*i\w*)\s"
)
DECLARES = re.compile(r"(?:^|\s)(?:declare|typeset|local|export|readonly)\s")
VALUE_OF_NAME = re.compile(r"(?:^|\s)\w+=\S*$")
SQL_PART = re.compile(r"--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|\"[^\"]*\"", re.DOTALL)
MARKER = re.compile(r":'([A-Za-z_]\w*)'")
DATE = "DEPLOYMENT_DATE"


def filled(text: str, holes: Sequence[Hole], *, kind: str) -> str:
    """The text with a quoted variable in place of each placeholder's words.

    In a shell "${NAME}", in SQL the marker :'NAME' (see `bound`), in parts of a request $NAME. Words in a place
    where a value could be read as code (arithmetic, a program in another language) stay as they are.
    """
    known = sorted((hole for hole in holes if hole.variable), key=lambda hole: -len(hole.words))
    if not known:
        return text
    return {"sql": _filled_sql, "http": _filled_request}.get(kind, _filled_shell)(text, known)


def left(text: str, holes: Sequence[Hole], *, kind: str = "shell") -> tuple[str, ...]:
    """The words of holes that still stand, outside comments, in a text that was filled."""
    runs = bare(text, kind)
    return tuple(hole.words for hole in holes if any(_occurrences(runs, [hole])))


def bound(sql: str, values: dict[str, str]) -> str:
    """The query with a literal in place of each marker :'NAME'; raises KeyError for a name without a value."""
    parts, place = [], 0
    for found in SQL_PART.finditer(sql):
        name = MARKER.fullmatch(f":{found[0]}")
        is_marker = bool(name) and sql[max(found.start() - 1, 0) : found.start()] == ":"
        if name and is_marker and sql[max(found.start() - 2, 0) : found.start() - 1] != ":":
            parts += [sql[place : found.start() - 1], _literal(values[name[1]])]
            place = found.end()
    return "".join([*parts, sql[place:]])


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _occurrences(text: str, holes: Sequence[Hole]) -> Iterator[tuple[int, Hole]]:
    """Where words of holes stand, from left to right, the longest first, none within a longer name."""
    if not holes:
        return
    words = re.compile("|".join(_bounded(hole.words) for hole in holes))
    by_words = {hole.words: hole for hole in reversed(holes)}
    for found in words.finditer(text):
        yield found.start(), by_words[found[0]]


def _bounded(words: str) -> str:
    before = r"(?<![A-Za-z0-9$])(?<!\$\{)" if words[0].isalnum() else r"(?<!\$)(?<!\$\{)"
    return before + re.escape(words) + (r"(?![A-Za-z0-9])" if words[-1].isalnum() else "")


# --- requests -----------------------------------------------------------------------------------------


def _filled_request(text: str, holes: Sequence[Hole]) -> str:
    parts, place = [], 0
    for start, hole in _occurrences(text, holes):
        after = text[start + len(hole.words) :][:1]
        name = f"${{{hole.variable}}}" if after.isalnum() or after == "_" else f"${hole.variable}"
        parts += [text[place:start], name]
        place = start + len(hole.words)
    return "".join([*parts, text[place:]])


# --- SQL ------------------------------------------------------------------------------------------------


def _filled_sql(text: str, holes: Sequence[Hole]) -> str:
    parts, place = [], 0
    for found in SQL_PART.finditer(text):
        parts += [_markers(text[place : found.start()], holes), _composed(found[0], holes)]
        place = found.end()
    return "".join([*parts, _markers(text[place:], holes)])


def _markers(text: str, holes: Sequence[Hole]) -> str:
    parts, place = [], 0
    for start, hole in _occurrences(text, holes):
        parts += [text[place:start], f":'{hole.variable}'"]
        place = start + len(hole.words)
    return "".join([*parts, text[place:]])


def _composed(part: str, holes: Sequence[Hole]) -> str:
    """A literal with words in it as the parts put together; comments, names and bodies of functions as they are."""
    found = list(_occurrences(part, holes)) if part.startswith("'") else []
    if not found:
        return part
    pieces, place = [], 1
    for start, hole in found:
        pieces += [f"'{part[place:start]}'", f":'{hole.variable}'"]
        place = start + len(hole.words)
    pieces = [piece for piece in (*pieces, f"'{part[place:-1]}'") if piece != "''"]
    return pieces[0] if len(pieces) == 1 else f"({' || '.join(pieces)})"


# --- shell ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Region:
    """A stretch of a script that is quoted in one way.

    `opened` is where its quotes begin, `command` what stands before them in the command, `began` where that begins.
    """

    context: str
    start: int
    opened: int
    began: int
    command: str


def _filled_shell(text: str, holes: Sequence[Hole]) -> str:
    regions = _Scan(text).regions()
    starts = [region.start for region in regions]
    parts, place = [], 0
    for start, hole in _occurrences(text, holes):
        region = regions[bisect_right(starts, start) - 1]
        if _could_be_code(text, region, start):
            continue
        value = _expansion(text, region, start, hole)
        if value:
            parts += [text[place:start], value]
            place = start + len(hole.words)
    return "".join([*parts, text[place:]])


def _could_be_code(text: str, region: _Region, start: int) -> bool:
    """Would bash itself, or a program that the command feeds, take a value in this place for code?"""
    before = text[region.opened : start]
    command = region.command + (before if region.context == BARE else "")
    if region.context == CLOSED:
        return True
    if region.context == BODY:
        return bool(SAID_TO.search(command) or _is_for_a_program(command))
    if _is_evaluated(command, before) or (SAYS.search(command) and SAID_TO.search(_rest(text, start))):
        return True
    if region.context == BARE or not _is_for_a_program(command):
        return False
    return any(map(str.isspace, before)) or bool(CODE_OPTION.search(command))


def _is_evaluated(command: str, before: str) -> bool:
    if EVALUATES.search(f"{command} ") or re.search(r"\w\[$", command):
        return True
    return bool(DECLARES.search(f"{command} ")) and not VALUE_OF_NAME.search(command + before)


def _is_for_a_program(command: str) -> bool:
    return bool(PROGRAM.search(f"{command} ")) and not SHELL_AGAIN.search(f"{command} ")


def _rest(text: str, start: int) -> str:
    """What follows on the line."""
    stop = text.find("\n", start)
    return text[start : stop if stop >= 0 else len(text)]


def _expansion(text: str, region: _Region, start: int, hole: Hole) -> str | None:
    """The quoted variable for that place; None within quotes that another shell reads."""
    before = text[region.opened : start]
    name = _name(hole)
    if SHELL_AGAIN.search(f"{region.command}{before if region.context == BARE else ''} "):
        if (region.context != BARE and _is_open(before)) or name.count("$") > 1:
            return None
        name = f"${{{hole.variable}@Q}}"
    return {BARE: f'"{name}"', SINGLE: f"'\"{name}\"'"}.get(region.context, name)


def _name(hole: Hole) -> str:
    """The expansion; a date written with dashes is cut from the one of eight digits."""
    if hole.variable == DATE and re.fullmatch(r"YYYY-MM-DD|\d{4}-\d\d-\d\d", hole.words):
        return f"${{{DATE}:0:4}}-${{{DATE}:4:2}}-${{{DATE}:6:2}}"
    return f"${{{hole.variable}}}"


def _is_open(before: str) -> bool:
    """Do quotes begin in what the inner shell reads, and not end before the place?"""
    inner = before[1:] if before[:1] in ("'", '"') else before
    return inner.count("'") % 2 == 1 or inner.count('"') % 2 == 1 or "`" in inner


class _Scan:
    """One pass over a script that tells how each stretch of it is quoted."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0
        self.began = 0  # where the current command begins
        self.found: list[_Region] = []
        self.depth: list[_Region] = []
        self.bodies: list[tuple[str, bool, int]] = []

    def regions(self) -> list[_Region]:
        self._enter(BARE, skip=0)
        while self.place < len(self.text):
            step = self._quoted if self.depth[-1].context in (SINGLE, DOUBLE) else self._bare
            step(self.text[self.place])
        return self.found

    def _bare(self, char: str) -> None:
        ahead = self.text[self.place : self.place + 3]
        heredoc = HEREDOC.match(self.text, self.place) if ahead[:2] == "<<" and ahead != "<<<" else None
        if heredoc:
            self.bodies.append((heredoc[3], bool(heredoc[2]), self.began))
            self.place = heredoc.end()
        elif ahead.startswith("$'"):
            self._skip("'", 2)
        elif char == "#" and self.text[self.place - 1 : self.place] in ("", " ", "\t", "\n", ";"):
            self._skip("\n", 0)
        elif char in "'\"":
            self._enter(SINGLE if char == "'" else DOUBLE, skip=1)
        elif not self._closed(ahead):
            self._plain(char)

    def _closed(self, ahead: str) -> bool:
        """Arithmetic, expansions with braces and backquotes: nothing is filled in them."""
        ends = (("\\", "", 2), ("$((", "))", 3), ("((", "))", 2), ("${", "}", 2), ("`", "`", 1))
        found = next(((end, width) for mark, end, width in ends if ahead.startswith(mark)), None)
        if found:
            self._skip(*found)
        return bool(found)

    def _plain(self, char: str) -> None:
        self.place += 1
        if char == "(":
            self._enter(BARE, skip=0)
        elif char == ")" and len(self.depth) > 1:
            self._leave()
            return
        elif char == "\n" and self.bodies:
            self._read_bodies()
        if char in SEPARATORS:
            self.began = self.place
            self.depth[-1] = self._region(BARE)
            self.found.append(self.depth[-1])

    def _quoted(self, char: str) -> None:
        context = self.depth[-1].context
        ahead = self.text[self.place : self.place + 3]
        if char == ("'" if context == SINGLE else '"'):
            self.place += 1
            self._leave()
        elif context == DOUBLE and ahead.startswith("$(") and ahead != "$((":
            self.place += 2
            self._enter(BARE, skip=0)
            self.began = self.place
            self.depth[-1] = self._region(BARE)
            self.found.append(self.depth[-1])
        elif context == SINGLE or ahead.startswith("((") or not self._closed(ahead):
            self.place += 1

    def _region(self, context: str) -> _Region:
        command = self.text[self.began : self.place]
        return _Region(
            context=context, start=self.place, opened=self.place, began=self.began, command=command
        )

    def _enter(self, context: str, *, skip: int) -> None:
        self.depth.append(self._region(context))
        self.found.append(self.depth[-1])
        self.place += skip

    def _leave(self) -> None:
        """Back to what stood around it: the same quotes, the same command."""
        self.depth.pop()
        self._resume()

    def _resume(self) -> None:
        outer = self.depth[-1]
        self.began = outer.began
        if outer.context == BARE:
            outer = self.depth[-1] = self._region(BARE)
        self.found.append(replace(outer, start=self.place))

    def _skip(self, end: str, width: int) -> None:
        """Over a stretch, to and with its end; nothing is filled in it. A comment leaves its newline."""
        self.found.append(self._region(CLOSED))
        stop = self.text.find(end, self.place + width) if end else self.place + width
        self.place = len(self.text) if stop < 0 else stop + (0 if end == "\n" else len(end))
        self._resume()

    def _read_bodies(self) -> None:
        """The here-documents that were announced on the line that ends here."""
        for word, is_quoted, began in self.bodies:
            region = replace(self._region(CLOSED if is_quoted else BODY), command=self._line(began))
            self.found.append(region)
            end = re.compile(rf"^[ \t]*{word}[ \t]*$", re.MULTILINE).search(self.text, self.place)
            self.place = end.end() if end else len(self.text)
        self.bodies = []

    def _line(self, began: int) -> str:
        return self.text[began : self.text.find("\n", began)]
