"""Words in a command that stand for something that nobody filled in, and the variable that fills each."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from functools import lru_cache

from .document import Hole
from .script import GIVEN as GIVEN
from .script import SHELL_OWN
from .texts import bare

PLACEHOLDER = re.compile(
    r"(?<!<)<[A-Za-z](?:[\w .:/-]{0,39}[\w.:/-])?(?<! \d)>(?![>&(])"
    r"|\{\{\s?(?!end\b|else\b)[A-Za-z][\w.-]{0,40}\s?\}\}"
    r"|\[\[\s?[A-Za-z][\w -]{0,40}\s?\]\]"
    r"|(?<![\w$])(?<!\$\{)(?:YOUR|REPLACE|CHANGE|INSERT|MY)_[A-Z][A-Z0-9_]*\b(?!=)"
    r"|\bCHANGEME\b|\bTODO\b|\bFIXME\b"
    r"|(?<![A-Za-z0-9])YYYY-?MM-?DD(?:[T_-]?HH[-:]?MM(?:[-:]?SS)?)?(?![A-Za-z0-9])"
    r"|\bv?X\.Y(?:\.Z)?\b|(?<![\w.])X{3,}(?![\w])"
    r"|(?<![\w/.-])(?:/[\w.-]+)*/?path/to(?:/[\w.-]+)*"
    r"|(?<![\w.-])(?:[\w-]+\.)*your-?[a-z][a-z-]*(?:\.[a-z]{2,6})+\b"
    r"|(?<![\w.-])your-[a-z][a-z-]*(?![\w.-])"
    r"|(?<![\w.-])(?:[\w-]+\.)*example\.(?:com|org|net)\b"
    r"|_{4,}"
)
# One of these stands in every placeholder, so that most lines are looked through once.
SIGNS = re.compile(
    r"<[A-Za-z]|\{\{|\[\[|(?:YOUR|REPLACE|CHANGE|INSERT|MY)_|CHANGEME|TODO|FIXME|YYYY|X\.Y|XXX|path/to|your|example\.|____"
)
HTML_TAGS = frozenset(
    "a b br div em i img input li p pre span strong table td th tr ul ol html body head script style".split()
)
DATE = r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
TIMED = r"(?:[T_-]?\d\d[-:]?\d\d(?:[-:]?\d\d)?)"
LITERAL_DATE = re.compile(rf"(?<![A-Za-z0-9])(?:{DATE}){TIMED}?(?![A-Za-z0-9])")
# A file name with a date, written out or still to be, that ends as copies of databases do.
DATED_DUMP = re.compile(
    rf"(?<![\w./:-])(?!-)[\w./-]*(?:(?<![A-Za-z0-9])(?:(?:{DATE}){TIMED}?|YYYY-?MM-?DD(?:[T_-]?HH-?MM(?:-?SS)?)?))[\w.-]*"
    r"\.(?:sql|dump|bak|backup|pgdump|sqlite3?|db)(?:\.(?:gz|bz2|xz|zst))?(?![\w])"
)
CHECKED_OUT = re.compile(r"\bgit\s+(?:-C\s+\S+\s+)?(?:checkout|reset|switch)\b")
BEFORE = r"\b(?:prev(?:ious)?|last|old|stable|prior|before|former|good)"
# What the words are about: the variable in a way forward, and in a way back.
ENGINE: tuple[tuple[str, str, str], ...] = (
    (rf"{BEFORE}.*(?:commit|hash|sha)", "PREVIOUS_COMMIT", "PREVIOUS_COMMIT"),
    (rf"{BEFORE}.*(?:version|tag|release)", "PREVIOUS_VERSION", "PREVIOUS_VERSION"),
    (r"\b(?:commit|sha|hash|revision)\b", "RELEASE_COMMIT", "RELEASE_COMMIT"),
    (
        r"^(?:new |release |latest |target |git |app |image )?(?:version|tag|release)(?: (?:number|name|tag))?$|^v?x y(?: z)?$",
        "RELEASE_VERSION",
        "PREVIOUS_VERSION",
    ),
    (
        r"^(?:backup|dump|db backup|database backup)(?: (?:file|path|name|filename))?$",
        "BACKUP_FILE",
        "BACKUP_FILE",
    ),
    (r"^(?:date|deployment date|deploy date|today|yyyy ?mm ?dd)$", "DEPLOYMENT_DATE", "DEPLOYMENT_DATE"),
    (r"^(?:environment|env|stage)$", "ENVIRONMENT", "ENVIRONMENT"),
    (r"^(?:service|service name|app|app name)$", "SERVICE", "SERVICE"),
    (r"^base url$", "BASE_URL", "BASE_URL"),
)
ENGINE_TABLE = tuple((re.compile(words), forward, back) for words, forward, back in ENGINE)


def placeholders(text: str, *, kind: str = "shell") -> list[tuple[str, int]]:
    """Each placeholder outside comments with its line offset, in order, once."""
    return list(_placeholders(text, kind))


@lru_cache(maxsize=64)
def _placeholders(text: str, kind: str) -> tuple[tuple[str, int], ...]:
    seen: dict[str, int] = {}
    for offset, line in enumerate(bare(text, kind).split("\n")):
        for found in PLACEHOLDER.finditer(line) if SIGNS.search(line) else ():
            if found[0].strip("<>/").lower() not in HTML_TAGS:
                seen.setdefault(found[0], offset)
    return tuple(seen.items())


def literal_dates(text: str, *, kind: str) -> list[tuple[str, int]]:
    """Each date written out, with the file name of the dump it names, and its line offset."""
    seen: dict[str, int] = {}
    for offset, line in enumerate(bare(text, kind).split("\n")):
        dumps = [found.span() for found in DATED_DUMP.finditer(line)]
        for found in LITERAL_DATE.finditer(line):
            span = next(((a, b) for a, b in dumps if a <= found.start() < b), found.span())
            seen.setdefault(line[slice(*span)], offset)
    return list(seen.items())


def holes(text: str, *, kind: str, line: int, way_back: bool) -> tuple[Hole, ...]:
    """The placeholders and, in a way back, the written dates; `line` is that of the text's first line."""
    found: dict[str, Hole] = {}
    rows = bare(text, kind).split("\n")
    dumps = {name for row in rows for name in DATED_DUMP.findall(row)} if way_back else set()
    for words, offset in placeholders(text, kind=kind):
        whole = next((name for name in sorted(dumps) if words in name), words)
        variable = variable_of(whole, row=rows[offset], way_back=way_back)
        found.setdefault(whole, Hole(words=whole, line=line + offset, variable=variable))
    for words, offset in literal_dates(text, kind=kind) if way_back else ():
        variable = variable_of(words, row=rows[offset], way_back=True)
        found.setdefault(words, Hole(words=words, line=line + offset, variable=variable))
    return tuple(sorted(found.values(), key=lambda hole: hole.line))


def variable_of(words: str, *, row: str = "", way_back: bool = False) -> str:
    """The variable that fills these words: one that the engine provides where their meaning is known."""
    if way_back and DATED_DUMP.fullmatch(words):
        return "BACKUP_FILE"
    if LITERAL_DATE.fullmatch(words):
        return "DEPLOYMENT_DATE" if re.fullmatch(DATE, words) else "DEPLOYMENT_TIME"
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", " ", words)
    plain = re.sub(r"[^a-z0-9]+", " ", apart.lower()).strip()
    for meaning, forward, back in ENGINE_TABLE:
        if meaning.search(plain):
            name = back if way_back else forward
            is_target = way_back and name == "RELEASE_COMMIT" and CHECKED_OUT.search(row)
            return "PREVIOUS_COMMIT" if is_target else name
    return _named(plain)


def _named(plain: str) -> str:
    """A name made of the words themselves; never one that the shell gives a meaning of its own."""
    name = plain.upper().replace(" ", "_") or "BLANK"
    if name.startswith("YYYY"):
        return "DEPLOYMENT_TIME"
    if name[0].isdigit():
        return f"VALUE_{name}"
    return f"{name}_VALUE" if name in SHELL_OWN else name
