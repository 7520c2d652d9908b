"""Putting variables in the places of placeholders, quoted so that no value is ever run as a command."""

import re
from collections.abc import Iterator, Sequence

from .document import Hole
from .lexing import ASSIGNED, BARE, SINGLE, Command, Place, Script, commands
from .programs import comes_back, is_safe, may_hold
from .texts import bare

SQL_PART = re.compile(r"--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'|\"[^\"]*\"", re.DOTALL)
MARKER = re.compile(r":'([A-Za-z_]\w*)'")
DATE = "DEPLOYMENT_DATE"


def filled(text: str, holes: Sequence[Hole], *, kind: str) -> str:
    """The text with a quoted variable in place of each placeholder's words.

    In a shell "${NAME}", in SQL the marker :'NAME' (see `bound`), in parts of a request $NAME. In a shell the words
    stay wherever it is not certain that a value is an argument and nothing else.
    """
    known = sorted((hole for hole in holes if hole.variable), key=lambda hole: -len(hole.words))
    if not known:
        return text
    return {"sql": _filled_sql, "http": _filled_request}.get(kind, _filled_shell)(text, known)


def left(text: str, holes: Sequence[Hole], *, kind: str = "shell") -> tuple[str, ...]:
    """The words of holes that still stand, outside comments, in a text that was filled."""
    runs = _without_comments(text) if kind == "shell" else bare(text, kind)
    return tuple(hole.words for hole in holes if any(_occurrences(runs, [hole])))


def _without_comments(text: str) -> str:
    """A shell text without its comments; where its quotes are not understood, line by line."""
    script = commands(text, {})
    parts, place = [], 0
    for start, end in script.comments:
        if end <= script.end:
            parts.append(text[place:start])
            place = end
    return "".join([*parts, text[place : script.end], bare(text[script.end :], "shell")])


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


def _filled_shell(text: str, holes: Sequence[Hole]) -> str:
    """Filled are only plain arguments of simple commands that take no code; other words stay as they are."""
    found = dict(_occurrences(text, [hole for hole in holes if not re.search(r"[\"'`$\\\n]", hole.words)]))
    script = commands(text, {start: start + len(hole.words) for start, hole in found.items()})
    fit = sorted(_fit(script, text), key=lambda place: place.start)
    parts, done = [], 0
    for place in fit:
        hole = found[place.start]
        parts += [text[done : place.start], _expansion(place, hole)]
        done = place.start + len(hole.words)
    return "".join([*parts, text[done:]])


def _fit(script: Script, text: str) -> Iterator[Place]:
    """The places in which a value is an argument and nothing else."""
    read_as_code = _read_as_code(script)
    is_whole = script.end == len(text)
    for pipeline in script.pipelines:
        if any(each.is_nested or each.is_fed for each in pipeline) or comes_back(_text(pipeline), text):
            continue
        for command in _safe(pipeline):
            for place in command.places:
                name = _assigned(command, place)
                if name is None or (is_whole and may_hold(name) and name not in read_as_code):
                    yield place


def _safe(pipeline: Sequence[Command]) -> list[Command]:
    """The commands that take no code, and whose output is code to none of those after them."""
    words = [command.words for command in pipeline]
    return [each for number, each in enumerate(pipeline) if is_safe(each.words, into=words[number + 1 :])]


def _assigned(command: Command, place: Place) -> str | None:
    """The name that is given the value there; None in an argument."""
    if place.word < 0:
        return None
    before = command.words[: place.word]
    found = ASSIGNED.match(command.words[place.word])
    is_given = "export" in before or all(map(ASSIGNED.match, before))
    return found[1] if found and is_given else None


def _read_as_code(script: Script) -> set[str]:
    """The names that a command reads which takes code, also by way of other names."""
    unsafe = [_text(line) for line in script.pipelines if _is_code(line)]
    found = set(re.findall(r"\w+", " ".join(unsafe)))
    given = [
        (name[1], set(re.findall(r"\w+", word[name.end() :])))
        for line in script.pipelines
        for command in line
        for word in command.words
        if (name := ASSIGNED.match(word))
    ]
    for _ in given:
        found |= {word for name, words in given if name in found for word in words}
    return found


def _is_code(pipeline: Sequence[Command]) -> bool:
    return len(_safe(pipeline)) < len(pipeline) or any(command.is_fed for command in pipeline)


def _text(pipeline: Sequence[Command]) -> str:
    return "|".join(command.text for command in pipeline)


def _expansion(place: Place, hole: Hole) -> str:
    """The quoted variable for that place; a date written with dashes is cut from the one of eight digits."""
    name = f"${{{hole.variable}}}"
    if hole.variable == DATE and re.fullmatch(r"YYYY-MM-DD|\d{4}-\d\d-\d\d", hole.words):
        name = f"${{{DATE}:0:4}}-${{{DATE}:4:2}}-${{{DATE}:6:2}}"
    return {BARE: f'"{name}"', SINGLE: f"'\"{name}\"'"}.get(place.quotes, name)
