"""What stands in lines and lists rather than in steps: metadata, variables, people, rollout phases."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from .document import Block, RolloutPhase
from .markup import Piece
from .placed import Placed
from .script import HEREDOC

FIELD = re.compile(r"^(?:\*\*|__)([^*_:][^*:]{0,60}?)(?::\s*(?:\*\*|__)|(?:\*\*|__)\s*:)\s*(.*)$")
PLAIN_FIELD = re.compile(r"^(\w[\w /&-]{1,40})\s?[:：]\s*(\S.*)$")
YAML_FIELD = re.compile(r"^([A-Za-z][\w -]*):\s*(.*)$")
WELL_KNOWN = re.compile(
    r"(?:overall |deployment |release )?risk(?: level| assessment)?|(?:rollback|downtime|approval) (?:required|needed)|(?:expected|estimated|total|planned) (?:duration|time|downtime)|duration|downtime|pr|pull request|merge request|mr"
    r"|(?:release |target |app(?:lication)? )?version|(?:deployed|released|executed|performed|prepared) by|(?:deployment|release) (?:date|time|window|lead|manager|owner)"
    r"|riesgo|nivel de riesgo|duración(?: estimada)?|tiempo de inactividad|versión|desplegado por|risco|nível de risco|duração(?: estimada)?|indisponibilidade|versão|implantado por|risiko(?:stufe)?|dauer|geschätzte dauer|ausfallzeit|ausgerollt von"
    r"|risque|niveau de risque|durée(?: estimée)?|interruption|déployé par|风险|风险等级|预计时长|停机时间|版本|部署人|リスク|所要時間|停止時間|バージョン|担当者|риск|уровень риска|длительность|простой|версия|выполнил",
    re.IGNORECASE,
)
BLANK = re.compile(r"_{3,}|\.{5,}|…{2,}")

NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b[A-Z]{3,}[A-Z0-9]*\b")
CODE_NAME = re.compile(r"`\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)\}?(?:=[^`]*)?`")
ASSIGNED = re.compile(r"^\s*(?:-\s+|export\s+|set\s+|ENV\s+|-e\s+)?([A-Z][A-Z0-9_]*)\s?=(?!=)")
YAML_NAME = re.compile(r"^\s*(?:-\s+)?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+):\s")
EXPORTED = re.compile(r"\bexport\s+((?:[A-Za-z_]\w*=\S*\s*)+)")
EXPORT_NAME = re.compile(r"([A-Za-z_]\w*)=")
ENV_CONTEXT = re.compile(
    r"\benv(ironment)?\b|\.env\b|\bvariables?\b|\bsecrets?\b|\bconfig vars?\b|\bcredentials\b", re.IGNORECASE
)
CONFIG_SET = re.compile(
    r"\b(?:config:set|secrets set|env set|variable set|env add|--env|-e)\s+((?:[A-Z][A-Z0-9_]*(?:=\S*)?\s*)+)"
)
PRINTED = re.compile(r"\bprintenv\s+([A-Z][A-Z0-9_]*)")

PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s?%")
ROLLOUT = re.compile(
    r"\b(rollout|roll-out|canary|traffic|gradual|phased|ramp|staged|of users|users)\b", re.IGNORECASE
)
CHAIN = re.compile(r"\d{1,3}\s?%?(?:\s?(?:→|->|=>|/|,|–|>)\s?\d{1,3}\s?%?){1,6}")
BAKE = re.compile(
    r"\b(?:monitor|wait|hold|bake|observe|soak|watch|for)\b[^.\d]{0,30}?(\d+(?:\s?[-–]\s?\d+)?\s?(?:minutes?|min|hours?|h|days?|d|weeks?)\b)",
    re.IGNORECASE,
)

LABELLED = re.compile(r"^(?:\*\*|__)?([^:*_`|]{2,40}?)(?:\*\*|__)?\s?:\s?(?:\*\*|__)?\s*(.*)$")
PERSON_VALUE = re.compile(
    r"\[[^\]]+\]|@|\+?\d[\d ()-]{6,}|_{3,}|^[A-Z][\w.'-]+(\s[A-Z][\w.'-]+)*\s*($|[,(–-])|#[\w-]+|^$"
)
SIGNER = re.compile(
    r"^((?:[A-Za-z][\w/&.-]*\s){0,3}?(?:lead|manager|owner|engineer|architect|director|qa|devops|sre|security|dba|product|cto|ceo|ciso|vp"
    r"|officer|admin|administrator|head|developer|tester|analyst|stakeholders?|compliance|operations|ops|support|team|reviewer|approver))\b"
    r"\s*(?:has\s|is\s)?(?:approv|validat|notif|sign|confirm|review|accept|brief|:|\(|[-–—]\s|_{3,}|$)",
    re.IGNORECASE,
)
TEAM_NOT_A_ROLE = frozenset({"team", "the team", "support"})
SIGNED_BY = re.compile(
    r"^(?:\*\*|__)?((?:[A-Z]\w+\s)?(?:Signed Off|Deployed|Approved|Released|Executed|Reviewed|Verified|Authorized|Performed) By)(?:\*\*|__)?\s?:",
    re.I,
)

TO_FILL_IN = re.compile(r"\[[^\]]*\]|<[^>]*>|_{2,}|\b(?:tbd|tba|todo|n/a|x{3,})\b", re.IGNORECASE)


def metadata(placed: Sequence[Placed]) -> Mapping[str, str]:
    """Front matter, the "**Key**: value" lines before the first stage, and the well-known ones wherever they stand."""
    found: dict[str, str] = {}
    for one in placed:
        if one.piece.kind == "front_matter":
            rows = (YAML_FIELD.match(row) for row in one.piece.text.split("\n"))
            found.update((row[1].strip(), row[2].strip(" \"'")) for row in rows if row)
        if one.role != "other":
            break
        if one.piece.kind == "cell" and one.piece.level == 1 and len(one.path) <= 1:
            found.setdefault(_bare(one.piece.label), _value(_bare(one.piece.text)))
        field = FIELD.match(one.piece.text) if one.piece.kind == "text" else None
        if field and len(one.path) <= 2:
            found.setdefault(field[1].strip(), _value(field[2]))
    for name, value in _known_fields(placed):
        found.setdefault(name, value)
    return found


def _known_fields(placed: Sequence[Placed]) -> Iterator[tuple[str, str]]:
    """Risk, downtime, version … in lines, entries and tables of two columns."""
    for one in placed:
        piece = one.piece
        if piece.kind == "cell" and piece.level == 1 and WELL_KNOWN.fullmatch(_bare(piece.label)):
            yield _bare(piece.label), _value(_bare(piece.text))
        field = (FIELD.match(piece.text) or PLAIN_FIELD.match(piece.text)) if piece.kind == "text" else None
        if field and WELL_KNOWN.fullmatch(field[1].strip()):
            yield field[1].strip(), _value(_bare(field[2]))


def env_vars(placed: Sequence[Placed], blocks: Sequence[Block]) -> tuple[str, ...]:
    """Names of the environment variables that the document sets or asks for; a script's own are not among them."""
    found: dict[str, None] = {}
    for one in placed:
        if one.piece.kind == "fence":
            found.update(dict.fromkeys(_names_in_fence(one, blocks)))
        elif one.piece.kind in ("item", "text", "cell") and _speaks_of_env(one):
            found.update(dict.fromkeys(_names_in_prose(one.piece)))
    return tuple(found)


def rollout_phases(placed: Sequence[Placed]) -> tuple[RolloutPhase, ...]:
    """Shares of traffic in headings and chains such as 10% → 50% → 100%, each once, with the bake time after it."""
    found: dict[float, str | None] = {}
    latest: float | None = None
    for one in placed:
        shares = _shares(one)
        for share in shares:
            found.setdefault(share, None)
        if one.piece.kind == "heading":
            latest = shares[-1] if shares else None
        bake = (
            BAKE.search(one.piece.text)
            if latest is not None and one.piece.kind in ("text", "fence")
            else None
        )
        if bake and latest is not None and found[latest] is None:
            found[latest] = bake[1]
    return tuple(RolloutPhase(percent=share, bake=bake) for share, bake in found.items())


def contacts(placed: Sequence[Placed]) -> tuple[str, ...]:
    """Who is named in the contact sections: labels of list entries and first cells of tables."""
    found: dict[str, None] = {}
    for one in placed:
        if one.role != "contacts":
            continue
        if one.piece.kind == "cell" and one.piece.level == 0:
            found[_bare(one.piece.text)] = None
        labelled = LABELLED.match(one.piece.text) if _is_bullet(one.piece) else None
        if labelled and PERSON_VALUE.search(labelled[2]) and "`" not in labelled[2]:
            found[_bare(labelled[1])] = None
    return tuple(name for name in found if name)


def unnamed(placed: Sequence[Placed]) -> dict[str, int]:
    """The contacts for whom the document names nobody, with their lines."""
    found: dict[str, int] = {}
    rows: dict[int, list[str]] = {}
    for one in placed:
        if one.role != "contacts":
            continue
        if one.piece.kind == "cell":
            rows.setdefault(one.piece.line, []).append(one.piece.text)
        labelled = LABELLED.match(one.piece.text) if _is_bullet(one.piece) else None
        if labelled and PERSON_VALUE.search(labelled[2]) and _names_nobody(labelled[2]):
            found[_bare(labelled[1])] = one.piece.line
    for line, cells in rows.items():
        if cells[0].strip() and cells[1:] and all(map(_names_nobody, cells[1:])):
            found[_bare(cells[0])] = line
    return found


def _names_nobody(text: str) -> bool:
    """Is there nothing but blanks, and brackets to be filled in?"""
    return not re.search(r"\w", TO_FILL_IN.sub("", text))


def signoff_roles(placed: Sequence[Placed]) -> tuple[str, ...]:
    """Roles that sign: entries and tables of sign-off sections, and "Deployed By" fields anywhere."""
    found: dict[str, None] = {}
    for one in placed:
        if one.piece.kind not in ("text", "item", "cell"):
            continue
        field = SIGNED_BY.match(one.piece.text)
        if field:
            found[field[1]] = None
        elif one.role == "signoff":
            found.update(dict.fromkeys(_signers(one.piece)))
    return tuple(found)


def _signers(piece: Piece) -> list[str]:
    text = _bare(piece.text)
    if piece.kind == "cell":
        return [text] if piece.level == 0 and text and not text.startswith("[") else []
    if piece.kind == "text" and not piece.group and not BLANK.search(text):
        return []
    signer = SIGNER.match(text)
    if signer and signer[1].lower() not in TEAM_NOT_A_ROLE:
        return [signer[1].strip()]
    labelled = LABELLED.match(text) if BLANK.search(text) else None
    date = labelled and re.search(r"date|status|time|version|notes?|check|verification", labelled[1], re.I)
    return [labelled[1].strip()] if labelled and not date else []


def _value(text: str) -> str:
    return "" if BLANK.fullmatch(text.strip()) else text.strip()


def _bare(text: str) -> str:
    return (
        re.sub(r"\*\*|__(?!_)|`", "", text).strip()
        if "___" not in text
        else re.sub(r"\*\*|`", "", text).strip()
    )


def _is_bullet(piece: Piece) -> bool:
    return piece.kind in ("text", "item") and bool(piece.group) and not piece.ordered


def _shares(one: Placed) -> list[float]:
    piece = one.piece
    if piece.kind == "heading":
        shares = PERCENT.findall(piece.text) if ROLLOUT.search(piece.text) else []
    elif piece.kind in ("text", "item"):
        shares = _chain(piece.text) or _list_share(one)
    else:
        shares = []
    return [float(share) for share in shares if 0 < float(share) <= 100]


def _chain(text: str) -> list[str]:
    found = CHAIN.search(text) if "%" in text and ROLLOUT.search(text) else None
    shares = re.findall(r"\d{1,3}", found[0]) if found else []
    return (
        shares
        if shares == sorted(shares, key=int)
        and len(set(shares)) == len(shares)
        and "%" in (found[0] if found else "")
        else []
    )


def _list_share(one: Placed) -> list[str]:
    """ "1. 10% of traffic for 1 hour" below a heading or label that speaks of a rollout."""
    if not (one.piece.group and ROLLOUT.search(f"{one.heading} {one.label}")):
        return []
    found = re.match(
        r"\W*(?:phase \d+\W+|canary\W+|stage \d+\W+)?(\d{1,3})\s?%(?=\s*(?:\W|of\b|traffic|users|rollout|$))",
        one.piece.text,
        re.I,
    )
    return [found[1]] if found and "<" not in one.piece.text and ">" not in one.piece.text else []


def _speaks_of_env(one: Placed) -> bool:
    context = f"{one.heading} {one.label} {one.parent} {one.piece.text} {one.piece.column}"
    return bool(ENV_CONTEXT.search(context))


def _names_in_prose(piece: Piece) -> list[str]:
    coded = [name for name in CODE_NAME.findall(piece.text) if "_" in name or len(name) > 4]
    if coded or piece.kind != "item":
        return coded
    return [name for name in NAME.findall(piece.text) if "_" in name and f"{name}." not in piece.text]


def _names_in_fence(one: Placed, blocks: Sequence[Block]) -> Iterable[str]:
    block = next((block for block in blocks if block.line == one.piece.line), None)
    if block is None or block.kind in ("sql", "snippet", "message"):
        return
    listing = _is_listing(block, one)
    heredoc = ""
    for row in block.text.split("\n"):
        if heredoc:
            heredoc = "" if row.strip() == heredoc else heredoc
            yield from ASSIGNED.findall(row)
        elif (opened := HEREDOC.search(row)) and re.search(r"\.env|environment|/default/", row):
            heredoc = opened[2]
        elif listing:
            yield from ASSIGNED.findall(row) or YAML_NAME.findall(row)
        yield from _names_in_row(row.partition(" #")[0])


def _names_in_row(row: str) -> Iterable[str]:
    if row.lstrip().startswith("#"):
        return
    for exported in EXPORTED.findall(row):
        yield from EXPORT_NAME.findall(exported)
    for listed in CONFIG_SET.findall(row):
        yield from re.findall(r"([A-Z][A-Z0-9_]+)(?==|\s|$)", listed)
    yield from PRINTED.findall(row)


def _is_listing(block: Block, one: Placed) -> bool:
    """Whether the fence lists variables: nothing but assignments, or a configuration in such a section."""
    rows = [
        row for row in block.text.split("\n") if row.strip() and not row.lstrip().startswith(("#", ";", "//"))
    ]
    if not rows:
        return False
    if block.language in ("env", "dotenv") or (
        block.kind == "config" and block.language in ("yaml", "yml", "ini", "toml", "properties")
    ):
        return True
    plain = [row for row in rows if ASSIGNED.match(row) and "$(" not in row]
    return len(plain) == len(rows) and (
        len(rows) > 1 or bool(ENV_CONTEXT.search(f"{one.heading} {one.label}"))
    )
