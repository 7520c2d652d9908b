"""Measurable limits in prose, items and table cells: what is limited, for how long, against what, and to which end."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from dataclasses import dataclass
from decimal import Decimal

from . import limits, sustained
from .document import Threshold
from .limits import Limit
from .metrics import metric_name
from .quantities import unit_of

SILENT_ROLES = ("contacts", "signoff", "communications")

CHANGE_AFTER = re.compile(
    r"^\s?(?:relative\s|point\s)?(?:increase|decrease|rise|drop|reduction|decline|degradation|regression|growth(?! rate)|slower|faster|higher|lower|worse|better|more|less|slowdown|change|deviation|variation|improvement"
    r"|(?:above|over|below|of|from|than|vs\.?|under)\s(?:the\s|our\s|pre-\w+\s|previous\s|current\s|normal\s|its\s)*(?:baseline|normal|average|previous|before|usual|pre-deploy\w*)|(?:the\s)?baseline|compared|relative)\b",
    re.IGNORECASE,
)
CHANGE_BEFORE = re.compile(
    r"\b(?:increas(?:e[sd]?|ing)|decreas(?:e[sd]?|ing)|degrad(?:e[sd]?|ing|ation)|dropp?(?:s|ed|ing)?|ris(?:e|es|en|ing)|rose|reduced?|reduction|declin(?:e[sd]?|ing)|variation|deviat(?:e[sd]?|ion)|"
    r"chang(?:e[sd]?|ing)|regression|regress(?:es|ed)?|improv(?:e[sd]?|ement)|slowdown|spikes?|grows?|grew|fell|falls?|worsen(?:s|ed)?|deteriorat\w+)\b(?:\s\w+){0,1}?\s?(?:by|of|is|:)?\s?\(?$|\b(?:drop|rise|increase|decrease|reduction|decline|change) in\s[\w ]{1,60}$",
    re.IGNORECASE,
)
ABSOLUTE_WORDS = frozenset("above below over under beyond beneath exceeds exceed".split())
CLAUSE = re.compile(
    r"[;|•]|\.\s+(?=[A-Z])|\s[-–—]\s|→|\bbut\b|,\s(?=\D)|\b(?:and|or|und|y|ou|et)\b(?=[^<>≤≥]*[<>≤≥])"
)
CLAUSE_END = re.compile(r";|\.\s|,\s(?!sustained|for\b)|，(?!持续)|。")
NEXT_CLAUSE = re.compile(r"\s(?:and|or|und|oder|y|e|o|ou|et|и|или)\s|\s[/|]\s|(?<=\))\s?,", re.IGNORECASE)
REMARK = re.compile(r"\s*\([^()]*\)\s*,?\s*")
CODE = re.compile(r"(`+)(.+?)\1")
PLAIN_CODE = re.compile(r"[\w./ -]+|\s*(?:[<>≤≥]=?|=[<>]?)\s?\d[\d.,]{0,12}\s?(?:%|[a-zA-Z]{1,8})?\s*")
URL = re.compile(r"https?://\S+")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
TAG = re.compile(
    r"</?(?:br|b|i|em|strong|span|p|li|ul|ol|td|tr|th|sub|sup|small|details|summary|div|a|img|input|kbd|u|s|mark|font|label)\b[^<>]{0,200}>",
    re.IGNORECASE,
)
ESCAPED = re.compile(r"\\(?=[<>~*_])")
EMPHASIS = re.compile(r"\*\*|__|~~|(?<!\w)[*_](?=\w)|(?<=[\w%])[*_](?!\w)")
ENTITIES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&le;", "≤"),
    ("&ge;", "≥"),
    ("&nbsp;", " "),
    ("\u00a0", " "),
    ("\u202f", " "),
    ("＜", "<"),
    ("＞", ">"),
)

ROLE_WORDS = (
    ("alert", re.compile(r"\binvestigate\b|\bno immediate\b|\bwarn(ing)?s?\b", re.IGNORECASE)),
    (
        "rollback_trigger",
        re.compile(
            r"\b(roll ?back|roll-back|revert|abort)\b(?!\s(required|needed|plan|rate|success|time|tested))",
            re.IGNORECASE,
        ),
    ),
    ("success", re.compile(r"\bsuccess(ful)?\b(?! rate)|\bacceptance\b|\bcriteria\b", re.IGNORECASE)),
    ("alert", re.compile(r"\balert(s|ing)?\b|\btriggers?\b|\bpage\b|\bcritical:", re.IGNORECASE)),
)
SECTION_ROLES = {
    "rollback_triggers": "rollback_trigger",
    "success_criteria": "success",
    "pre_deployment": "success",
    "deployment_steps": "success",
    "rollback_procedure": "success",
    "troubleshooting": "alert",
}


@dataclass(frozen=True, kw_only=True)
class Context:
    """Where a passage stands: its heading, the label above it, a table cell's row and column heads, and an operator in the cell before."""

    role: str
    heading: str = ""
    label: str = ""
    row: str = ""
    column: str = ""
    operator: str = ""


def find(text: str, *, line: int, context: Context) -> list[Threshold]:
    """The thresholds of one passage, in order."""
    if context.role in SILENT_ROLES or not any(char.isdigit() for char in text):
        return []
    plain = _plain(f"{context.operator} {text}" if context.operator else text)
    found = limits.find(plain, role=context.role, row=context.row, column=context.column)
    if not found:
        return []
    role = role_of(plain, context)
    return [
        _threshold(plain, found, number, role=role, line=line, context=context)
        for number in range(len(found))
    ]


def _plain(text: str) -> str:
    """The passage without Markdown; of inline code only what cannot be mistaken for a limit, and what is nothing else."""
    if "`" in text:
        text = CODE.sub(
            lambda code: code[2] if PLAIN_CODE.fullmatch(code[2]) else re.sub(r"[<>=≤≥\d]", " ", code[2]),
            text,
        )
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    text = URL.sub(" ", LINK.sub(r"\1", text))
    if "<" in text:
        text = TAG.sub(" ", text)
    return EMPHASIS.sub("", ESCAPED.sub("", text))


def _threshold(
    plain: str, found: list[Limit], number: int, *, role: str, line: int, context: Context
) -> Threshold:
    one = found[number]
    start = _clause_start(plain, found[number - 1].end if number else 0, one.start)
    following = found[number + 1].start if number + 1 < len(found) else None
    stop = _clause_end(plain, one.end, following)
    before, after = plain[start : one.start], plain[one.end : stop]
    unit, factor = unit_of(one.unit)
    above = {"row": context.row, "label": context.label, "heading": context.heading}
    metric = metric_name(before, after, whole=plain, lead=plain[: found[0].start], unit=unit, **above)
    if one.phrase:
        start, stop = min(start, one.phrase[0]), max(stop, one.phrase[1])
    return Threshold(
        text=" ".join(plain[start:stop].split()).strip(" ,:("),
        metric=metric,
        op=one.op,
        value=Decimal(one.value) * factor,
        unit=unit if one.unit else _unit_of_count(metric),
        for_minutes=sustained.minutes(after) or sustained.minutes_of_list(context.label, context.heading),
        window_minutes=sustained.window(before, after),
        relative_to_baseline=one.is_relative or _is_relative(before, after, one),
        role=role,
        line=line,
    )


def _clause_start(plain: str, low: int, high: int) -> int:
    """Where the words about a limit begin: at its clause, which of a second limit may be empty."""
    patterns = (CLAUSE, NEXT_CLAUSE) if low else (CLAUSE,)
    starts = sorted(match.end() for pattern in patterns for match in pattern.finditer(plain, low, high))
    if starts and (low or plain[starts[-1] : high].strip(" (:")):
        return starts[-1]
    return high if low and REMARK.fullmatch(plain, low, high) else low


def _clause_end(plain: str, low: int, following: int | None) -> int:
    """Where what is said of a limit ends: at the clause's end, or where the words of the next limit begin."""
    high = len(plain) if following is None else following
    ends = [
        CLAUSE_END.search(plain, low, high),
        NEXT_CLAUSE.search(plain, low, high) if following is not None else None,
    ]
    return min((end.start() for end in ends if end), default=high)


def _unit_of_count(metric: str) -> str:
    return (
        "version"
        if re.search(r"^(python|node|npm|postgres|django|ruby|java|php|redis|docker)|version", metric)
        else "count"
    )


def _is_relative(before: str, after: str, one: Limit) -> bool:
    if unit_of(one.unit)[0] == "x" and re.search(
        r"\b(baseline|normal|average|usual|previous)\b", after, re.IGNORECASE
    ):
        return True
    if CHANGE_AFTER.match(after):
        return True
    changed = CHANGE_BEFORE.search(before)
    return bool(changed) and one.word not in ABSOLUTE_WORDS and "/" not in one.unit


def role_of(plain: str, context: Context) -> str:
    """rollback_trigger | success | alert | monitor: by the label, then the section, then the heading."""
    for words in (context.column, context.label, plain):
        for role, wording in ROLE_WORDS:
            if words and wording.search(words) and not (words is plain and role == "success"):
                return role
    if re.search(r"\balerts?\b|\balerting\b", context.heading, re.IGNORECASE):
        return "alert"
    if context.role == "deployment_steps" and re.search(
        r"\bmonitor", f"{context.heading} {context.label}", re.IGNORECASE
    ):
        return "monitor"
    if context.role in SECTION_ROLES:
        return SECTION_ROLES[context.role]
    return "success" if re.search(r"\bsuccess\b", context.heading, re.IGNORECASE) else "monitor"
