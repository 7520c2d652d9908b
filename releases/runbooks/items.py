"""A box: who ticks it, once a release or once a deployment, whether a release may end without it, and of which one is picked."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Sequence
from itertools import groupby

from .annotations import Note
from .placed import Placed

NOT_REQUIRED = ("rollback_triggers", "troubleshooting", "reference", "maintenance", "contacts")
PER_DEPLOYMENT = (
    "rollback_procedure",
    "deployment_steps",
    "post_deployment",
    "success_criteria",
    "rollback_triggers",
)
OPTIONAL = re.compile(
    r"\((?:optional|nice to have|recommended|(?:if|where|when|as) (?:applicable|needed|required|necessary|appropriate|available|used|any))\b|\boptional\)|^\W*optional\b|\b(?:if|where) applicable\b"
    r"|\(?\b(?:opcional|optionnel|facultatif|si (?:aplica|procede|applicable|nécessaire)|se (?:aplicável|necessário)|falls (?:zutreffend|nötig|vorhanden|erforderlich))\b"
    r"|可选|如适用|（任意）|\(任意\)|該当する場合|необязательно|если применимо|при необходимости",
    re.IGNORECASE,
)
OPTIONAL_PART = re.compile(
    r"^\W*(?:optional|nice[- ]to[- ]have|opcional|optionnel|可选|任意)\b", re.IGNORECASE
)
CHOICE = re.compile(
    r"\b(status|issues( (encountered|found|seen))?|problems( (encountered|found|seen))?|outcome|result|severity|impact|decision|verdict|assessment|risk( level)?|priority"
    r"|(rollback|downtime|approval|restart) (required|needed|performed)|estado|resultado|ergebnis|résultat|statut|状态|结果|結果|статус|результат)\b\W*$",
    re.IGNORECASE,
)
PICK_ONE = re.compile(
    r"\b(select|choose|pick|tick|check|mark) (only |exactly )?one\b|\bone of\b\W*$", re.IGNORECASE
)
ALTERNATIVE = re.compile(
    r"\b(none|minor|major|critical|yes|n/?a|go|no-?go|no(?=\W*(?:$|[(:,–]| - ))|success(ful|ful+y)?|partial(ly)?|fail(ed|ure)?|rolled back|low|medium|high|approved|rejected|pass(ed)?|degraded|healthy|complete|incomplete"
    r"|ninguno|menores|graves|sí|nenhum|sim|não|keine?|ja|nein|aucun|oui|non|erfolgreich|fehlgeschlagen|нет|да|успешно)\b|^\W*(无|成功|失败|なし|失敗)",
    re.IGNORECASE,
)
# These alone, one a box, are a choice wherever they stand.
PLAIN_ALTERNATIVE = re.compile(
    r"\W*(none|minor|major|critical|yes|no|n/?a|go|no[- ]?go|success|partial success|failure|low|medium|high|sí|sim|não|ja|nein|oui|non|да|нет|是|否|はい|いいえ)\W*(\(.*\))?\W*",
    re.IGNORECASE,
)
PREPARED = re.compile(
    r"\b(reviewed|written|tested|tried|documented|prepared|created|approved|estimated|trained|planned|read|committed|merged)\b",
    re.IGNORECASE,
)
STAGING = re.compile(r"\bstaging\b|\bbackup (is |was )?(created|tested)\b", re.IGNORECASE)
OBSERVED = re.compile(
    r"\bbackups?\b|\bbacked up\b|\b(environment )?variables?\b|\.env\b|\bsecrets?\b|\bschemas?\b|\bmigrations? (are |were )?(appl|run|exec)"
    r"|\bappl(y|ied)\b.*\bmigrations?\b|\btables? exist|\bindexes\b|\bstaging\b|\bproduction (is|server|environment)\b|\bdisk\b|\bworkers?\b"
    r"|\bcelery\b|\bredis\b|\bcache\b|\bqueues?\b|\bdatabase (is )?(reachable|connect|up|healthy|ready)|\bconnection pool\b|\bcertificates?\b"
    r"|\bDNS\b|\bhealth checks?\b|\bmonitoring\b.*\b(active|running|on|enabled|configured)\b|\bservers?\b|\bservice is\b|\bmemory\b|\bCPU\b",
    re.IGNORECASE,
)


def scope_of(text: str, *, role: str, note: Note) -> str:
    """release: once for the version (review, tests, documents, training); deployment: seen in one environment."""
    if note.scope:
        return note.scope
    if role not in PER_DEPLOYMENT and not note.by and PREPARED.search(text) and not STAGING.search(text):
        return "release"
    if role in PER_DEPLOYMENT or note.by in ("step", "probe", "threshold"):
        return "deployment"
    return "deployment" if OBSERVED.search(text) else "release"


def is_required(*, role: str, is_optional: bool, choice: str) -> bool:
    """False where a tick fires a trigger or picks one of several, and where the text says it may be left out."""
    return not (role in NOT_REQUIRED or is_optional or choice)


def is_optional(placed: Placed) -> bool:
    """Does the box, or what stands above it, say that it may not apply?"""
    if OPTIONAL.search(placed.piece.text):
        return True
    return any(OPTIONAL_PART.search(words) for words in (placed.label, placed.parent, placed.heading))


def choices(placed: Sequence[Placed]) -> dict[int, str]:
    """The boxes of which one is picked: the places among `placed`, with the words that ask."""
    found: dict[int, str] = {}
    boxes = [number for number, one in enumerate(placed) if one.piece.kind == "item"]
    for _, group in groupby(boxes, key=lambda number: list_of(placed[number])):
        members = list(group)
        asked = next((words for words in _above(placed[members[0]]) if words), "")
        if _is_choice([placed[number].piece.text for number in members], asked):
            found |= dict.fromkeys(members, asked)
    return found


def list_of(one: Placed) -> tuple[object, ...]:
    """What boxes side by side have in common."""
    return one.path, one.label_line, one.piece.group, one.piece.depth, one.parent


def _above(one: Placed) -> tuple[str, ...]:
    return one.parent, one.label, one.heading


def _is_choice(texts: Sequence[str], asked: str) -> bool:
    if len(texts) < 2:
        return False
    if all(PLAIN_ALTERNATIVE.fullmatch(text) for text in texts) or PICK_ONE.search(asked):
        return True
    return bool(CHOICE.search(asked)) and sum(bool(ALTERNATIVE.search(text)) for text in texts) * 2 > len(
        texts
    )
