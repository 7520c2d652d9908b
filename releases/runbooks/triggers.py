"""The reasons to go back that a document names: its entries, what each asks for, and whether any or all must hold."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from . import roles
from .document import Threshold
from .metrics import HIGHER_IS_BETTER
from .placed import Placed
from .words import Words

ROLL_BACK, INVESTIGATE = "roll_back", "investigate"

# What a label, a heading or the entry itself asks for; the first that fits wins.
RESPONSES = (
    (
        INVESTIGATE,
        re.compile(
            r"\binvestigat|\bno (?:immediate|automatic)\b|\bfix[- ]forward\b|\b(?:do not|don't|don’t|no need to|never|without) (?:immediately )?roll|\bno roll|\bnot? (?:a )?rollback\b"
            r"|\bconsider\b|\bassess\b|\bmonitor (?:closely|only|and)\b|\bkeep (?:monitoring|watching)\b|\bwarnings?\b"
            r"|\binvestigar|\buntersuch|\benquêter|\binvestiguer|调查|排查|調査|расслед|разобраться",
            re.IGNORECASE,
        ),
    ),
    (
        ROLL_BACK,
        re.compile(
            r"\broll(?:ing)?[- ]?back\b|\brevert\b|\babort\b|\bback out\b|\bimmediate(?:ly)?\b|\brevertir\b|\breverter\b|\bzurück|\bretour arrière\b|回滚|回退|ロールバック|切り戻|откат",
            re.IGNORECASE,
        ),
    ),
)
ENTRY_ASKS = re.compile(
    r"^\W*(?:investigate|consider|assess|discuss)\b|^\W*(?:monitor|watch)\b(?!.*(?:roll ?back|roll-back|revert|abort))",
    re.IGNORECASE,
)
ENTRY_GOES_BACK = re.compile(
    r"\b(?:roll ?back|roll-back|revert|abort) (?:if|when|as soon as)\b", re.IGNORECASE
)
ALL = re.compile(
    r"\b(?:if|when|once)\s+(?:and only if\s+)?all\b|\ball\s(?:of\s)?(?:the\s|these\s)?(?:following|conditions|criteria|triggers|these|below|must|hold|are\s)"
    r"|\btod[ao]s (?:las|os|estas?|estes)\b|\balle (?:der )?(?:folgenden|bedingungen|kriterien|dieser)\b|\btoutes les\b|所有|全部|すべて|\bвсе\s(?:из|услови|следующ)",
    re.IGNORECASE,
)
ANY = re.compile(
    r"\bany\b|\bat least one\b|\bone or more\b|\bone of\b|\beither\b|\bcualquiera\b|\bqualquer\b|\beine[rs]? der\b|\bl'un(?:e)? des\b|任一|任何|いずれか|\bлюб",
    re.IGNORECASE,
)
# Labels of what stands among the reasons and is none: what is done then, and who decides.
NO_REASONS = re.compile(
    r"^\W*(?:(?:roll ?back|rollback|emergency|recovery|immediate) )?(?:steps?|procedures?|process|actions?|commands?|contacts?|decision[- ]?makers?|who decides|who to call|authority|success (?:criteria|metrics)|how to roll ?back|afterwards)\W*$",
    re.IGNORECASE,
)
GLYPH = re.compile(r"^[•◦▪‣●○■□☐☑☒✅✔✓❌✗✘⚠🔴🟠🟡❗🚨🚫⛔]")
EMPHASIS = re.compile(r"\*\*|__")
ENDS_OPEN = re.compile(r"[:：]\W*$")
# What makes a limit hold only together with something else: anywhere, after a limit, or as an entry's first word.
CONDITION = re.compile(
    r"\b(?:but|unless|except|excluding|while|whilst|whereas|provided|as long as|(?:not|only|even|except) (?:when|if|while|during|for|after)|together with|combined with|in combination with"
    r"|pero|excepto|salvo|mientras|mas|exceto|enquanto|sauf|mais|tandis que|pendant que|außer|aber|es sei denn|sofern|solange|но|кроме|если не|пока)\b|除非|但是?|ただし|除く",
    re.IGNORECASE,
)
AND = re.compile(
    r"(?:\b(?:and|as well as|along with|plus|und|sowie|et)\b|(?<!\S)(?:y|e|и|&&?|\+)(?!\S)|且|并且|かつ)\s*(?P<next>.*)",
    re.IGNORECASE | re.DOTALL,
)
# After "and" these tell what is done then, or how long or much; they are no further condition.
DOING = re.compile(
    r"\W*(?:then |immediately |we |you )*(?:roll|revert|abort|back out|notify|page|call|alert|inform|tell|investigate|stop|open|declare|restore|disable|escalate|post|longer|more|above|beyond|higher|over)\b",
    re.IGNORECASE,
)
# Wordings of what should be, not of what is wrong.
SHOULD_HOLD = re.compile(
    r"\b(?:stays?|remains?|keeps?|kept|maintain(?:s|ed)?|must|should|shall|ought|has to|have to|needs? to|no more than|not more than|at most|within|target|goal|expected|acceptable|healthy|never|debe|deben|deve|devem|doit|doivent|muss|müssen|soll|sollte|bleibt|bleiben|permanece|reste)\b",
    re.IGNORECASE,
)
LOWER_IS_BETTER = re.compile(
    r"error|fail|failure|latency|response|lag\b|queue|\bp\d\d|cpu|memory|downtime|complaint|timeout|crash|\bload|duration|bounce|incident|exception|5xx|4xx|fehler|ошиб|错误|エラー",
    re.IGNORECASE,
)
SCARCE = re.compile(r"\b(?:free|available|left|remaining|headroom|idle|spare)\b", re.IGNORECASE)
BELOW, ABOVE = ("<", "<="), (">", ">=")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One reason: its words, where it stands, and its response (roll_back | investigate)."""

    text: str
    placed: Placed
    response: str


def entries(placed: Sequence[Placed], *, measured: Collection[int], words: Words) -> list[Entry]:
    """The reasons in document order; `measured` holds the lines of limits that take a release back."""
    labels = _trigger_labels(placed, words)
    found: dict[int, Entry] = {}
    for line, row in groupby(placed, key=lambda one: one.piece.line):
        members = list(row)
        one = next((each for each in members if each.piece.kind == "item"), members[0])
        if not (line in measured or _is_entry(one, labels)):
            continue
        text = _text(members)
        if text:
            found[line] = Entry(text=text, placed=one, response=_response(text, one))
    groups = _groups(placed, found, measured)
    return [entry for line, entry in found.items() if line not in groups]


def by_hand(found: Sequence[Entry], limits: Iterable[Threshold]) -> dict[int, str]:
    """Lines whose limits must not take a release back by themselves, and why: a person pulls those triggers."""
    own: dict[int, list[Threshold]] = {}
    for limit in limits:
        if limit.role == "rollback_trigger":
            own.setdefault(limit.line, []).append(limit)
    reasons: dict[int, str] = {}
    before = 0
    for entry in found:
        line = entry.placed.piece.line
        why = _not_alone(entry.text, own[line]) if line in own else ""
        if _goes_on(entry.text):
            why = "it goes on the entry before it"
            if before in own:
                reasons.setdefault(before, "the next line goes on with it")
        if why and line in own:
            reasons[line] = why
        before = line
    return reasons


def _not_alone(text: str, limits: Sequence[Threshold]) -> str:
    """Why what is limited here is no reason by itself; "" where it is one."""
    if len(limits) > 1:
        return "it sets more than one limit"
    if CONDITION.search(text) or _and_more(text):
        return "its limit holds only together with something else"
    return "it says what should hold" if _should_hold(text, limits[0]) else ""


def _and_more(text: str) -> bool:
    found = AND.search(text)
    return found is not None and not DOING.match(found["next"])


def _goes_on(text: str) -> bool:
    bare = text.lstrip(" *_-–—(`")
    return bool(CONDITION.match(bare) or AND.match(bare))


def _should_hold(text: str, limit: Threshold) -> bool:
    """ "Error rate stays below 1%", "not more than 1% errors": breached, such a limit means that all is well."""
    if limit.relative_to_baseline:
        return False
    words = f"{limit.metric.replace('_', ' ')} {limit.text}"
    more_is_better = bool(HIGHER_IS_BETTER.search(words) or SCARCE.search(words))
    if more_is_better:
        return limit.op in ABOVE
    if limit.op in BELOW and LOWER_IS_BETTER.search(words):
        return True
    return bool(SHOULD_HOLD.search(text)) and limit.op in BELOW


def rule(placed: Sequence[Placed], found: Sequence[Entry]) -> str:
    """any | all, by the first words above the reasons to go back that say either."""
    back = [entry.placed for entry in found if entry.response == ROLL_BACK]
    own = {entry.placed.piece.line for entry in found}
    labels = {one.label_line for one in back} | {
        one.piece.line for one in placed if one.role == "rollback_triggers"
    }
    for one in placed:
        if (
            one.piece.line in own
            or one.piece.line not in labels
            or one.piece.kind not in ("heading", "text", "item")
        ):
            continue
        words = EMPHASIS.sub("", one.piece.text)
        said = _first_said(words) if _response_of(words) != INVESTIGATE else ""
        if said:
            return said
    return "any"


def _first_said(words: str) -> str:
    said = [
        (found.start(), name)
        for name, found in (("all", ALL.search(words)), ("any", ANY.search(words)))
        if found
    ]
    return min(said)[1] if said else ""


def _text(members: Sequence[Placed]) -> str:
    """The words of a line: the box or passage, or the cells of a table's row."""
    first = next((one for one in members if one.piece.kind == "item"), members[0])
    if first.piece.kind in ("text", "item", "heading"):
        return first.piece.text.lstrip("•◦▪‣●○■□ ")
    cells = [one.piece.text for one in members if one.piece.kind == "cell" and one.piece.text]
    return " | ".join(cells)


def _is_entry(one: Placed, labels: Collection[str]) -> bool:
    if one.role != "rollback_triggers" and not (one.piece.group and one.label in labels):
        return False
    if NO_REASONS.search(one.label) or NO_REASONS.search(one.parent):
        return False
    return one.piece.kind in ("item", "cell") or _is_listed(one)


def _trigger_labels(placed: Sequence[Placed], words: Words) -> set[str]:
    """Bold lines that act as headings: "**Roll back if:**"."""
    labels = {one.label for one in placed if one.label}
    return {label for label in labels if roles.role_of(EMPHASIS.sub("", label), words) == "rollback_triggers"}


def _is_listed(one: Placed) -> bool:
    return one.piece.info == "item" or bool(one.piece.kind == "text" and GLYPH.match(one.piece.text))


def _groups(placed: Sequence[Placed], found: Collection[int], measured: Collection[int]) -> set[int]:
    """Lines that are no reasons by themselves: labels of nested entries, and the details of an entry."""
    listed = [one for one in placed if one.piece.line in found and one.piece.kind in ("text", "item")]
    gone: set[int] = set()
    for number, one in enumerate(listed):
        children = list(_children(listed, number))
        if not children or one.piece.line in gone:
            continue
        if ENDS_OPEN.search(one.piece.text) or any(child.piece.line in measured for child in children):
            gone.add(one.piece.line)
        else:
            gone.update(child.piece.line for child in children if child.piece.kind != "item")
    return gone - set(measured)


def _children(listed: Sequence[Placed], number: int) -> Iterator[Placed]:
    own = listed[number]
    for one in listed[number + 1 :]:
        if one.piece.depth <= own.piece.depth or one.path != own.path:
            return
        yield one


def _response(text: str, one: Placed) -> str:
    """By the entry's own first word, else by what stands nearest above it."""
    if ENTRY_ASKS.match(text):
        return INVESTIGATE
    if one.piece.kind == "cell" and _response_of(text):
        return _response_of(text)
    if ENTRY_GOES_BACK.search(text):
        return ROLL_BACK
    above = (one.parent, one.label, *reversed(one.path))
    return next((asked for words in above if (asked := _response_of(words))), ROLL_BACK)


def _response_of(words: str) -> str:
    return next((name for name, wording in RESPONSES if wording.search(words)), "")
