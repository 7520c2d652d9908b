"""A script as bash will read it, for the eyes: names of variables replaced by what is known of them; pure."""

import re
from collections.abc import Collection, Mapping

LONGEST = 200
NAME = r"\$(?:\{(?P<braced>[A-Za-z_]\w*)\}|(?P<bare>[A-Za-z_]\w*))"
VARIABLE = re.compile(rf"(?P<escaped>\\.)|{NAME}", re.DOTALL)
HEREDOC = re.compile(
    r"<<-?[ \t]*(?P<quote>['\"]?)(?P<mark>[A-Za-z_]\w*)(?P=quote)[^\n]*\n(?:.*?\n)??[ \t]*(?P=mark)[ \t]*(?=\n|\Z)",
    re.DOTALL,
)
TOKEN = re.compile(
    rf"(?P<escaped>\\.|\$\$)|(?P<comment>(?<![^\s;&|(])#[^\n]*)|(?P<single>\$'(?:[^'\\]|\\.)*'|'[^']*')|(?P<quote>\")"
    rf"|(?P<opens>\$?\()|(?P<closes>\))|{NAME}|(?P<plain>.)",
    re.DOTALL,
)
BARE, QUOTED = "", '"'
# What a script sets is another's value from then on.
SETS = re.compile(
    r"(?:^|(?<=[\s;&|({]))(?P<assigned>[A-Za-z_]\w*)\+?=|\bfor\s+(?P<loop>[A-Za-z_]\w*)\s+in\b"
    r"|\b(?:read|unset|mapfile|readarray|getopts)\b(?P<named>[^\n;|&<]*)|\bprintf\s+-v\s*(?P<printed>\w+)"
)
# After these nobody knows what is set.
OPAQUE = re.compile(r"(?:^|[;&|({\n])\s*(?:source|\.|eval|declare|typeset|set\s+-a|set\s+-o\s+allexport)\s")
ALL = frozenset({"*"})
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def names_set(text: str) -> frozenset[str]:
    """The variables that a script may set; ALL where it reads another script."""
    if OPAQUE.search(text):
        return ALL
    found: set[str] = set()
    for match in SETS.finditer(text):
        found |= {each for each in (match["assigned"], match["loop"], match["printed"]) if each}
        found |= set(re.findall(r"[A-Za-z_]\w*", match["named"] or ""))
    return frozenset(found)


def substituted(text: str, values: Mapping[str, str], *, unknown: Collection[str] = ()) -> str:
    """The script with the known values in place of $NAME and ${NAME}, where bash would put them.

    As they are written stay what stands in single quotes, comments and quoted here-documents, names in `unknown`, and
    those whose value is empty or would not be one line.
    """
    if frozenset(unknown) >= ALL:
        return text
    known = {name: value for name, value in values.items() if name not in unknown and _fits(value)}
    parts, stack, place = [], [BARE], 0
    while place < len(text):
        heredoc = HEREDOC.match(text, place) if stack[-1] == BARE else None
        if heredoc:
            parts.append(heredoc[0] if heredoc["quote"] else filled(heredoc[0], known))
            place = heredoc.end()
            continue
        found = TOKEN.match(text, place)
        assert found  # the last alternative is any character
        part, place = _part(found, stack, known)
        parts.append(part)
    return "".join(parts)


def filled(text: str, known: Mapping[str, str]) -> str:
    """The text with the known values in place of $NAME and ${NAME}, quotes or not, as in an address."""
    return VARIABLE.sub(lambda found: found[0] if found["escaped"] else _value(found, known), text)


def _fits(value: str) -> bool:
    return 0 < len(value) <= LONGEST and not CONTROL.search(value)


def _part(found: re.Match[str], stack: list[str], known: Mapping[str, str]) -> tuple[str, int]:
    """What is shown of a token, and where the next begins; the stack tells what quotes mean there."""
    kind, is_quoted = found.lastgroup, stack[-1] == QUOTED
    if is_quoted and kind in ("comment", "single"):
        # Quotes in quotes are characters.
        return found[0][0], found.start() + 1
    if kind == "quote":
        stack.pop() if is_quoted else stack.append(QUOTED)
    elif kind == "opens" and (found[0] == "$(" or not is_quoted):
        stack.append(BARE)
    elif kind == "closes" and not is_quoted and len(stack) > 1:
        stack.pop()
    is_name = kind in ("braced", "bare")
    return _value(found, known) if is_name else found[0], found.end()


def _value(found: re.Match[str], known: Mapping[str, str]) -> str:
    return known.get(found["braced"] or found["bare"], found[0])
