"""Several ways of which exactly one is taken: "# OR" in a fence, "Option A / Option B", "(choose one)"."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Iterator, Sequence
from itertools import takewhile

from .document import RUNNABLE, Block, Choice, Option
from .keys import Keys, digest, exact
from .markup import Piece
from .placed import Placed
from .script import HEREDOC
from .texts import rows as rows_of

# Loud in any company ("# OR restore the backup"); quiet ("# or") only alone or before the means.
MARK = re.compile(
    r"\s*(?:#|--|//)[\s-]*(?:(?:OR|ODER|OU|ALTERNATIVELY|ИЛИ|或者?|または)(?!\w)"
    r"|(?:[Oo]r|[Aa]lternatively|[Oo]der|[Oo]u|[Oo] bien)(?=\s*[:,]?\s*$|\s*:|,?\s+(?:via|with|using|use|by|through|in|on|from)\s))[\s:,-]*(?P<said>.*)$"
)
COMMENT = re.compile(r"\s*(?:#|--|//)")
NAMED = re.compile(
    r"^\W*(?P<word>option|alternative|variante?|variant|choice|method|approach|opción|opção|вариант|选项|方案|オプション)\s*(?P<letter>[A-Z]|\d{1,2}|I{1,3}V?)\b.*$",
    re.IGNORECASE,
)
ONE_OF = re.compile(
    r"\b(?:choose|pick|select|use|do)\s(?:only\s|exactly\s|any\s)?one\b(?! (?:minute|hour|day|by))|\bone of the following\b|\beither of\b|\belige un[ao]\b|\bescolha uma?\b|\beine? (?:davon )?(?:aus)?wählen\b",
    re.IGNORECASE,
)
# What goes from the line that asks: emphasis, "(choose one)", the colon.
ASKED = re.compile(r"[*_]{2}|\s*\((?:choose|pick|select)[^)]*\)|:\W*$", re.IGNORECASE)
BOLD_LINE = re.compile(
    r"^(?:\d+[.)]\s*)?(?:\*\*(.{1,120}?)\*\*|__(.{1,120}?)__)[\s:.)]*(?:\([^)]*\)[\s:]*)?$"
)
# A line that asks, or that heads something else, by how it ends; bounded, for a passage may be long.
HEADS = re.compile(r":\W{0,9}$")
ASKING_LINE = re.compile(r"^\W{0,9}\*\*|:\W{0,9}$|\([^()]{0,99}\)\W{0,9}$")
# What opens and closes a compound command, where a command may begin.
AT_COMMAND = r"(?:^|[;&|({]|\b(?:then|do|else)\b)\s*"
OPENS = re.compile(rf"{AT_COMMAND}(?:if|for|while|until|case|select)\b|(?:^|[\s;)])[{{(](?=\s|$)")
CLOSES = re.compile(r"(?:^|[;&|])\s*(?:fi|done|esac)\b|(?:^|[\s;])[})](?=[\s;&|<>]|$)")
# Ways back are methods, of which the class of the release picks one.
NOT_IN = ("rollback_procedure", "rollback_triggers", "signoff", "contacts", "communications")


def choices(
    placed: Sequence[Placed], blocks: Sequence[Block], keys: Keys, *, last: int
) -> tuple[Choice, ...]:
    """The choices of a document with `last` lines, in the order of their lines."""
    found = [choice for block in blocks for choice in _in_fence(block, keys)]
    found += _in_prose(placed, keys, last)
    return tuple(sorted(found, key=lambda choice: choice.line))


# --- in a fence -------------------------------------------------------------------------------------------


def _in_fence(block: Block, keys: Keys) -> Iterator[Choice]:
    if block.kind not in RUNNABLE or ("#" not in block.text and "--" not in block.text):
        return
    given = block.text.split("\n")
    inside = _inside(block) if block.kind == "shell" else frozenset()
    # What stands within a command is part of it, whatever it looks like.
    rows = [": part of a command" if number in inside else row for number, row in enumerate(given)]
    marks = [number for number, row in enumerate(rows) if MARK.match(row)]
    groups: list[list[tuple[int, int]]] = []
    for mark in marks:
        way = (mark, _last_of(rows, mark))
        first = _first_of_the_one_before(rows, mark)
        while first in inside:  # a way begins with a whole command
            first -= 1
        if groups and not any(row.strip() for row in rows[groups[-1][-1][1] + 1 : mark]):
            groups[-1].append(way)
        elif first is not None:
            groups.append([(first, mark - 1), way])
    for ways in groups:
        yield _choice_of_fence(block, given, ways, keys)


def _inside(block: Block) -> frozenset[int]:
    """The rows within a compound command, a here-document or a quoted text."""
    found: set[int] = set()
    depth, until, number = 0, "", 0
    for row in rows_of(block.text):
        following = range(number + 1, number + 1 + row.count("\n"))
        if until or depth:
            found.add(number)
        found.update(following)
        if until:
            until = "" if row.strip() == until else until
        else:
            depth = max(depth + len(OPENS.findall(row)) - len(CLOSES.findall(row)), 0)
            opened = HEREDOC.search(row)
            until = opened[2] if opened else ""
        number = following.stop
    # A bracket that is never closed was none.
    return frozenset() if depth or until else frozenset(found)


def _is_command(row: str) -> bool:
    return bool(row.strip()) and not COMMENT.match(row)


def _last_of(rows: list[str], mark: int) -> int:
    """The last line of the way that begins there: up to the next mark, a comment after commands, or a blank line."""
    end, has_commands = mark, False
    for number in range(mark + 1, len(rows)):
        row = rows[number]
        if MARK.match(row) or (has_commands and not _is_command(row)):
            break
        if not row.strip() and (end > mark or _said(rows[mark])):
            break
        has_commands = has_commands or _is_command(row)
        end = number if row.strip() else end
    return end


def _first_of_the_one_before(rows: list[str], mark: int) -> int | None:
    """Where the way before a mark begins: a paragraph, or what its own comment heads.

    Where neither sets it apart, the way has as many commands as the other one.
    """
    last = mark - 1
    while last >= 0 and not rows[last].strip():
        last -= 1
    first = last
    while first >= 0 and _is_command(rows[first]):
        first -= 1
    if first == last:
        return None
    if last < mark - 1 or (first >= 0 and COMMENT.match(rows[first])):
        return first + 1
    others = sum(map(_is_command, rows[mark : _last_of(rows, mark) + 1]))
    return max(first + 1, last + 1 - others) if others else first + 1


def _said(row: str) -> str:
    found = MARK.match(row)
    return found["said"].strip() if found else ""


def _choice_of_fence(block: Block, rows: list[str], ranges: Sequence[tuple[int, int]], keys: Keys) -> Choice:
    named = [(_label_of(rows, start, end), start, end) for start, end in ranges]
    title = _comment_above(rows, ranges[0][0]) or (block.path[-1] if block.path else block.language)
    return _choice(
        title,
        [(label, block.line + 1 + start, block.line + 1 + end) for label, start, end in named],
        role=block.role,
        path=block.path,
        keys=keys,
        does=["\n".join(rows[start : end + 1]) for start, end in ranges],
    )


def _label_of(rows: list[str], start: int, end: int) -> str:
    own = rows[start : end + 1]
    said = _said(rows[start])
    command = next((row.strip() for row in own if _is_command(row)), "")
    return (said or command or next((row.strip("#-/ ") for row in own[1:]), "") or "another way")[:80]


def _comment_above(rows: list[str], first: int) -> str:
    number = first - 1
    while number >= 0 and COMMENT.match(rows[number]):
        number -= 1
    above = rows[number + 1] if number + 1 < first else ""
    return above.strip().lstrip("#-/ ")


# --- in the prose -----------------------------------------------------------------------------------------


def _in_prose(placed: Sequence[Placed], keys: Keys, last: int) -> list[Choice]:
    groups = [group for group in _groups(placed) if len(group) > 1]
    found = [_choice_of_prose(placed, group, keys, last) for group in groups]
    taken = {option.line for choice in found for option in choice.options}
    return [*found, *_chosen_from(placed, keys, last, taken)]


def _groups(placed: Sequence[Placed]) -> list[list[int]]:
    """The places of options that belong together; a letter that comes again begins anew."""
    groups: list[list[int]] = []
    current: dict[tuple[object, ...], tuple[list[int], set[str]]] = {}
    for number, one in enumerate(placed):
        named = _named(one) if one.role not in NOT_IN else None
        if not named:
            continue
        family, letter = _family(one, named), named["letter"]
        if family not in current or letter in current[family][1]:
            groups.append([])
            current[family] = (groups[-1], set())
        current[family][0].append(number)
        current[family][1].add(letter)
    return groups


def _named(one: Placed) -> re.Match[str] | None:
    """ "Option A: Plesk" of a heading or a bold line."""
    text = _title_of(one)
    found = NAMED.match(text) if text else None
    return found if found and (found["letter"].isdigit() or found["letter"].isupper()) else None


def _title_of(one: Placed) -> str:
    if one.piece.kind == "heading":
        return one.piece.text.strip("*_ ")
    bold = BOLD_LINE.match(one.piece.text) if one.piece.kind == "text" else None
    return (bold[1] or bold[2]).strip(": ") if bold else ""


def _family(one: Placed, named: re.Match[str]) -> tuple[object, ...]:
    """Equal for the options of one choice: the same kind of line below the same heading, of the same word."""
    word = (named["word"].lower(), named["letter"].isdigit())
    if one.piece.kind == "heading":
        return ("heading", one.piece.level, one.path[:-1], word)
    return ("text", one.path, word)


def _choice_of_prose(placed: Sequence[Placed], numbers: list[int], keys: Keys, last: int) -> Choice:
    first = placed[numbers[0]]
    ends = [placed[following].piece.line - 1 for following in numbers[1:]]
    ends.append(_end_of(placed, numbers, last))
    options = [
        (_title_of(placed[number]), placed[number].piece.line, end)
        for number, end in zip(numbers, ends, strict=True)
    ]
    path = first.path[:-1] if first.piece.kind == "heading" else first.path
    does = _commands(placed[numbers[0] :], options[-1][2])
    title = _title(placed, numbers[0], path)
    return _choice(title, options, role=first.role, path=path, keys=keys, does=does)


def _commands(placed: Sequence[Placed], end: int) -> list[str]:
    """What is run up to that line: fences, and the code in boxes."""
    inside = takewhile(lambda one: one.piece.line <= end, placed)
    return [
        one.piece.text
        for one in inside
        if one.piece.kind == "fence" or (one.piece.kind == "item" and "`" in one.piece.text)
    ]


def _title(placed: Sequence[Placed], number: int, path: tuple[str, ...]) -> str:
    """The label that asks to choose, else the heading above."""
    label = placed[number].label if placed[number].piece.kind == "text" else ""
    asked = label if ONE_OF.search(label) or not path else path[-1]
    return ASKED.sub("", asked).strip()


def _end_of(placed: Sequence[Placed], numbers: list[int], last: int) -> int:
    """The last line of the last option."""
    start = placed[numbers[-1]]
    has_boxes = any(one.piece.kind == "item" for one in placed[numbers[0] : numbers[-1]])
    end = start.piece.end
    for one in placed[numbers[-1] + 1 :]:
        piece = one.piece
        if piece.kind == "heading" and (start.piece.kind != "heading" or piece.level <= start.piece.level):
            return end
        if start.piece.kind != "heading" and _ends_bold(one, has_boxes=has_boxes):
            return end
        end = piece.end
    return min(end, last) if placed else last


def _ends_bold(one: Placed, *, has_boxes: bool) -> bool:
    if one.piece.kind == "rule" or (one.piece.kind == "item" and not has_boxes):
        return True
    return one.piece.depth == 0 and bool(_title_of(one))


def _chosen_from(placed: Sequence[Placed], keys: Keys, last: int, taken: set[int]) -> Iterator[Choice]:
    """Below "(choose one)": the bold lines or the headings that follow, whatever they are called."""
    asking = [one.role not in NOT_IN and _asks(one) for one in placed]
    for number, asks in enumerate(asking):
        members = _options_below(placed, number, asking) if asks else []
        if len(members) > 1 and placed[members[0]].piece.line not in taken:
            yield _choice_of_prose(placed, members, keys, last)


def _options_below(placed: Sequence[Placed], number: int, asking: Sequence[bool]) -> list[int]:
    """Down to what ends them: a rule, a heading above, or below a line that asks the next one that does."""
    asker = placed[number].piece
    found: list[int] = []
    for place in range(number + 1, len(placed)):
        piece = placed[place].piece
        if asking[place] and asker.kind == "text" == piece.kind:
            break
        if piece.kind == "rule" or _is_beyond(piece, asker) or (piece.kind == "item" and not found):
            break
        first = placed[found[0]].piece if found else piece
        if (piece.kind, piece.level) == (first.kind, first.level) and _is_option(placed[place], asker):
            found.append(place)
    return found


def _is_beyond(piece: Piece, asker: Piece) -> bool:
    return piece.kind == "heading" and (asker.kind != "heading" or piece.level <= asker.level)


def _is_option(one: Placed, asker: Piece) -> bool:
    """A heading below the one that asks, or a bold line that is no label of something else."""
    if one.piece.kind == "heading":
        return asker.kind == "heading"
    return bool(_title_of(one)) and not HEADS.search(one.piece.text)


def _asks(one: Placed) -> bool:
    piece = one.piece
    is_label = piece.kind == "heading" or bool(ASKING_LINE.search(piece.text))
    return piece.kind in ("heading", "text") and is_label and bool(ONE_OF.search(piece.text))


def _choice(
    title: str,
    options: list[tuple[str, int, int]],
    *,
    role: str,
    path: tuple[str, ...],
    keys: Keys,
    does: Sequence[str],
) -> Choice:
    """`does` holds the commands of the options: the key names them, so that a pick falls when they change."""
    labels = " / ".join(label for label, _, _ in options)
    key = keys.of(path, f"choice {labels} {digest(exact(*does))}")
    found = tuple(
        Option(key=keys.of((*path, key), label), label=label, line=line, end=end)
        for label, line, end in options
    )
    return Choice(key=key, title=title, line=found[0].line, options=found, role=role)
