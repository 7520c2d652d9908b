"""Measurable limits in prose, items and table cells; what only looks like one is none."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from .document import Threshold
from .metrics import HIGHER_IS_BETTER, metric_name

SILENT_ROLES = ("contacts", "signoff", "communications")

SYMBOLS = {
    "<": "<",
    "<=": "<=",
    "=<": "<=",
    "≤": "<=",
    "⩽": "<=",
    ">": ">",
    ">=": ">=",
    "≥": ">=",
    "⩾": ">=",
    "==": "==",
    "=": "==",
}
WORDS = {
    "<": "under|below|beneath|less than|fewer than|lower than|smaller than|shorter than|faster than|quicker than"
    "|menos de|menor que|menor a|inferior a|por debajo de|abaixo de|moins de|inférieur à|inférieure à|unter|weniger als"
    "|kleiner als|менее|меньше|ниже",
    "<=": "at most|no more than|not more than|no longer than|no higher than|not exceed|not exceeding|never exceed"
    "|never exceeds|up to|maximum|maximum of|max|max.|como máximo|no máximo|au plus|höchstens|maximal|не более",
    ">": "over|above|more than|greater than|higher than|larger than|longer than|slower than|exceed|exceeds|exceeded"
    "|exceeding|beyond|surpasses|más de|mayor que|mayor a|mayor de|superior a|por encima de|mais de|maior que|acima de"
    "|plus de|supérieur à|supérieure à|über|mehr als|größer als|более|больше|выше|превышает",
    ">=": "at least|no less than|not less than|no fewer than|minimum|minimum of|min|min.|al menos|pelo menos|ao menos"
    "|au moins|mindestens|не менее",
}
GLUED_WORDS = {
    "<": "低于|小于|少于|未満",
    "<=": "不超过|最大",
    ">": "超过|高于|大于|超え",
    ">=": "至少|不低于|最低",
}
WORD_OPS = {
    word: op for table in (WORDS, GLUED_WORDS) for op, words in table.items() for word in words.split("|")
}

NUMBER = r"(?:\d{1,3}(?:[, ]\d{3})+(?:\.\d{1,6})?|\d{1,9}(?:[.,]\d{1,6})?)"
TIME_UNITS = r"ms|msecs?|millis(?:econds?)?|milliseconds?|secs?|seconds?|s|mins?|minutes?|m|hrs?|hours?|h|days?|d|weeks?"
TIME_UNITS += r"|segundos?|minutos?|horas?|sekunden|minuten|stunden?|secondes?|heures?|секунд\w*|минут\w*|мс|сек|мин|毫秒|秒|分钟|分|小时"
SIZE_UNITS = r"[KMGT]i?B|[KMGT]i|[kmgt]b|bytes?"
UNITS = (
    r"%(?!ile)|percentage points?|per ?cent|pct|por ciento|por cento|prozent|pour ?cent|процент\w*"
    rf"|(?:{SIZE_UNITS})(?:\s?(?:/|per)\s?(?:hour|hr|h|day|d|minute|min|second|sec|s))?"
    r"|(?:req(?:uest)?s?|queries|transactions|messages|msgs?|jobs|events)\s?(?:/|per)\s?(?:seconds?|secs?|s|minutes?|mins?|m|hours?|hr|h)|rps|qps|tps"
    rf"|x|×|times|σ|sigmas?|standard deviations?|std ?dev|{TIME_UNITS}|/\s?\d{{1,3}}|LOC"
)
SYMBOL = r"(?<![-=<>~|/])(?:<=|>=|=<|≤|≥|⩽|⩾|<|>)(?![<>=-])|(?<=\s)==?(?=\s)"
SPACED = "|".join(
    re.escape(word) for words in WORDS.values() for word in sorted(words.split("|"), key=len, reverse=True)
)
WORD = rf"(?<!\w)(?:{SPACED})(?=\s|\d)|" + "|".join(GLUED_WORDS.values())
LIMIT = re.compile(
    rf"(?P<op>{SYMBOL}|{WORD})\s*(?:a |an |~|\$|€|£)?\s?(?P<value>{NUMBER})(?P<kilo>[kK](?![a-zA-Z]))?(?!\.\d)(?:\s?(?P<unit>{UNITS})(?!\w))?(?![\w[])",
    re.IGNORECASE,
)
POSTFIX = re.compile(
    rf"(?P<value>{NUMBER})\s?(?P<unit>{UNITS})?\s?(?:\bor\s(?P<word>more|higher|above|greater|better|less|fewer|lower|below|under)\b|(?P<cjk>以上|以下|以内))",
    re.IGNORECASE,
)
TARGET = re.compile(
    rf"\b(?:targets?|goal|slo|sla|objetivo|objectif|ziel)\b\s?(?:is|of|are)?\s?[:=]?\s*~?\s?(?P<value>{NUMBER})\s?(?P<unit>{UNITS})(?!\w)(?!\s?[→-]\s?\d)",
    re.IGNORECASE,
)
BETWEEN = re.compile(
    rf"\bbetween\s(?P<low>{NUMBER})\s?(?:{UNITS})?\s(?:and|to)\s(?P<value>{NUMBER})\s?(?P<unit>%|ms|s|seconds?|{SIZE_UNITS}|x|req/s|rps)(?!\w)",
    re.IGNORECASE,
)
BARE_CELL = re.compile(rf"^~?\s?(?P<value>{NUMBER})\s?(?P<unit>{UNITS})\+?$", re.IGNORECASE)
CELL_COLUMNS = (
    (re.compile(r"\bmax(imum)?\b|\blimit\b|\bbudget\b|\bupper\b", re.IGNORECASE), "<="),
    (re.compile(r"\bmin(imum)?\b|\blower\b", re.IGNORECASE), ">="),
    (re.compile(r"\btargets?\b|\bgoal\b|\bslo\b|\bsla\b|\bobjetivo\b|\bziel\b", re.IGNORECASE), ""),
)

SUSTAINED = re.compile(
    rf"\b(?:sustained|for|lasting|during|durante|während|pendant|в течение)\s(?:sustained\s)?(?:(?:more than|at least|longer than|over|a|más de|mais de|mehr als|plus de)\s|>=?\s?|≥\s?)?"
    rf"(?P<number>\d{{1,4}}(?:\.\d)?)\+?\s?(?:consecutive\s|straight\s)?(?P<unit>{TIME_UNITS})(?!\w)"
    rf"|\bsustained\s(?:for\s|over\s)?[(>]?\s?(?P<number2>\d{{1,4}})\s?(?P<unit2>{TIME_UNITS})(?!\w)",
    re.IGNORECASE,
)
WINDOW = re.compile(
    rf"\b(?:in|within|over|during|per|across)\s(?:(?:a|an|any|the|one)\s)?(?:(?:first|last|past|previous|rolling)\s)?(?P<number>\d{{1,4}}(?:\.\d)?)?[\s-]?(?P<unit>{TIME_UNITS})(?!\w)"
    rf"|\(?(?P<number2>\d{{1,4}})[\s-]?(?P<unit2>{TIME_UNITS})\s(?:rolling\s)?(?:window|average|avg|interval)\b",
    re.IGNORECASE,
)
WATCHING = re.compile(
    r"\b(monitor\w*|watch\w*|observ\w+|wait\w*|continue\w*|run|keep|bake|soak)\b", re.IGNORECASE
)
ONLY_A_DURATION = re.compile(
    r"\b(for|wait|waiting|monitor|watch|observe|retain(?:ed)?|keep|kept|every|after|last|past|sleep|allow|schedule[d]?|plan|give|run|hold|pause|within|in the)\s*(?:for\s*)?(?:the\s*)?$",
    re.IGNORECASE,
)
NOT_A_LIMIT_AFTER = re.compile(
    r"^\s?(?:before|prior|in advance|ago|old|earlier|later|ahead|notice)\b|^\s?(?:vs\.?|versus)\b",
    re.IGNORECASE,
)

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
MENU = re.compile(r"\w\s>\s\w")  # "Settings > Users > 3"
CLAUSE = re.compile(
    r"[;|•]|\.\s+(?=[A-Z])|\s[-–—]\s|→|\bbut\b|,\s(?=\D)|\b(?:and|or|und|y|ou|et)\b(?=[^<>≤≥]*[<>≤≥])"
)
CODE = re.compile(r"(`+)(.+?)\1")
PLAIN_CODE = re.compile(r"[\w./ -]+")
URL = re.compile(r"https?://\S+")
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
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
    """Where a passage stands: its heading, the label above it, and a table cell's row and column heads."""

    role: str
    heading: str = ""
    label: str = ""
    row: str = ""
    column: str = ""


@dataclass(frozen=True, kw_only=True)
class _Found:
    op: str
    value: str
    unit: str
    start: int
    end: int
    word: str = ""


def find(text: str, *, line: int, context: Context) -> list[Threshold]:
    """The thresholds of one passage, in order."""
    if context.role in SILENT_ROLES or not any(char.isdigit() for char in text):
        return []
    plain = _plain(text)
    found = sorted([*_limits(plain), *_others(plain, context)], key=lambda one: one.start)
    kept = [one for one in _without_overlaps(found) if _is_limit(plain, one)]
    kept = [one for number, one in enumerate(kept) if not _is_window(plain, one, kept[:number])]
    return [_threshold(plain, kept, number, line=line, context=context) for number in range(len(kept))]


def _plain(text: str) -> str:
    """The passage without Markdown; of inline code only what cannot be mistaken for a limit."""
    if "`" in text:
        text = CODE.sub(
            lambda code: code[2] if PLAIN_CODE.fullmatch(code[2]) else re.sub(r"[<>=≤≥\d]", " ", code[2]),
            text,
        )
    for entity, char in ENTITIES:
        text = text.replace(entity, char)
    text = URL.sub(" ", LINK.sub(r"\1", text))
    return EMPHASIS.sub("", text)


def _limits(plain: str) -> Iterator[_Found]:
    for match in LIMIT.finditer(plain):
        op = match["op"].lower()
        value = _number(match["value"]) + ("e3" if match["kilo"] else "")
        yield _Found(
            op=SYMBOLS.get(op) or WORD_OPS[op],
            value=value,
            unit=match["unit"] or "",
            start=match.start(),
            end=match.end(),
            word="" if op in SYMBOLS else op,
        )


def _others(plain: str, context: Context) -> Iterator[_Found]:
    """Limits without an operator before the number: "5% or more", "target: 99.9%", "between 2 and 4%"."""
    for match in POSTFIX.finditer(plain):
        less = (match["word"] or "").lower() in ("less", "fewer", "lower", "below", "under") or match[
            "cjk"
        ] in ("以下", "以内")
        yield _other(match, "<=" if less else ">=")
    for match in TARGET.finditer(plain):
        yield _other(match, _implied(f"{plain} {context.row}"))
    for match in BETWEEN.finditer(plain):
        yield _Found(
            op=">=",
            value=_number(match["low"]),
            unit=match["unit"],
            start=match.start(),
            end=match.start("value"),
        )
        yield _Found(
            op="<=",
            value=_number(match["value"]),
            unit=match["unit"],
            start=match.start("value"),
            end=match.end(),
        )
    cell = BARE_CELL.match(plain.strip()) if context.row and context.column else None
    op = next((op for column, op in CELL_COLUMNS if column.search(context.column)), None)
    if cell and op is not None:
        yield _other(cell, op or _implied(context.row))


def _other(match: re.Match[str], op: str) -> _Found:
    return _Found(
        op=op, value=_number(match["value"]), unit=match["unit"] or "", start=match.start(), end=match.end()
    )


def _implied(words: str) -> str:
    return ">=" if HIGHER_IS_BETTER.search(words) else "<="


def _without_overlaps(found: list[_Found]) -> list[_Found]:
    kept: list[_Found] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _is_limit(plain: str, one: _Found) -> bool:
    before, after = plain[: one.start], plain[one.end : one.end + 40]
    timed = bool(one.unit) and _unit(one.unit)[0] in ("ms", "s", "minutes", "hours", "days")
    if NOT_A_LIMIT_AFTER.match(after):
        return False
    if timed and ONLY_A_DURATION.search(before):
        return False
    if one.word in ("up to", "over", "max", "max.", "min", "min.") and not one.unit:
        return False
    if not one.unit and (one.op == "==" or MENU.search(before)):
        return False
    return bool(one.unit or before.strip(" -*:") or after.strip())


def _is_window(plain: str, one: _Found, earlier: list[_Found]) -> bool:
    """ "> 5% over 10 minutes": the second is the window of the first."""
    timed = _unit(one.unit)[0] in ("s", "minutes", "hours", "days") if one.unit else False
    return (
        bool(earlier) and one.word == "over" and timed and not plain[earlier[-1].end : one.start].strip(" (,")
    )


def _threshold(plain: str, kept: list[_Found], number: int, *, line: int, context: Context) -> Threshold:
    one = kept[number]
    start = _clause_start(plain, kept[number - 1].end if number else 0, one.start)
    stop = _clause_end(plain, one.end, kept[number + 1].start if number + 1 < len(kept) else len(plain))
    before, after = plain[start : one.start], plain[one.end : stop]
    unit, factor = _unit(one.unit)
    metric = metric_name(
        before, after, whole=plain, row=context.row, label=context.label, heading=context.heading
    )
    return Threshold(
        text=" ".join(plain[start:stop].split()).strip(" ,:("),
        metric=metric,
        op=one.op,
        value=Decimal(one.value) * factor,
        unit=unit if one.unit else _unit_of_count(metric),
        for_minutes=_sustained(after) or _sustained_by_context(context),
        window_minutes=_window(after),
        relative_to_baseline=_is_relative(before, after, one),
        role=role_of(plain, context),
        line=line,
    )


def _clause_start(plain: str, low: int, high: int) -> int:
    starts = [match.end() for match in CLAUSE.finditer(plain, low, high)]
    return starts[-1] if starts and plain[starts[-1] : high].strip(" (:") else low


def _clause_end(plain: str, low: int, high: int) -> int:
    end = re.compile(r";|\.\s|,\s(?!sustained)").search(plain, low, high)
    return end.start() if end else high


def _number(text: str) -> str:
    """Thousands separators go; a comma before one or two digits is a decimal comma."""
    if re.fullmatch(r"\d{1,3}(?:[, ]\d{3})+(?:\.\d+)?", text):
        return text.replace(",", "").replace(" ", "")
    return text.replace(",", ".")


def _unit(unit: str) -> tuple[str, int]:
    """The unit's name and the factor that the value is multiplied with."""
    bare = unit.lower().replace(" ", "")
    if not bare or bare == "loc":
        return "count", 1
    if bare[0] == "%" or bare.startswith(("per", "pct", "por", "proz", "pour", "процент")):
        return "percent", 1
    if bare[0] == "/":
        return "score", 1
    if bare in ("x", "×", "times"):
        return "x", 1
    if bare.startswith(("σ", "sigma", "std", "standard")):
        return "sigma", 1
    return _size(unit.replace(" ", "")) or _rate(bare) or _time(bare)


def _size(unit: str) -> tuple[str, int] | None:
    found = re.fullmatch(r"([KMGT])i?b?(?:(?:/|per)(\w+))?|(bytes?)", unit, re.IGNORECASE)
    if not found or (len(unit) == 1):
        return None
    name = "bytes" if found[3] else f"{found[1].upper()}B"
    per = {
        "h": "hour",
        "hr": "hour",
        "d": "day",
        "m": "minute",
        "min": "minute",
        "s": "s",
        "sec": "s",
        "second": "s",
    }
    return (f"{name}/{per.get(found[2].lower(), found[2].lower())}" if found[2] else name), 1


def _rate(unit: str) -> tuple[str, int] | None:
    if unit in ("rps", "qps", "tps"):
        return "req/s", 1
    found = re.fullmatch(r"([a-z]+)(?:/|per)(\w)\w*", unit)
    if not found:
        return None
    what = "req" if found[1].startswith("req") else found[1]
    return f"{what}/{ {'s': 's', 'm': 'min', 'h': 'hour'}[found[2]] }", 1


def _time(unit: str) -> tuple[str, int]:
    for prefix, name, factor in (("ms", "ms", 1), ("milli", "ms", 1), ("мс", "ms", 1), ("毫", "ms", 1)):
        if unit.startswith(prefix):
            return name, factor
    firsts = {"s": ("s", 1), "m": ("minutes", 1), "h": ("hours", 1), "d": ("days", 1), "w": ("days", 7)}
    others = {
        "сек": ("s", 1),
        "秒": ("s", 1),
        "мин": ("minutes", 1),
        "分": ("minutes", 1),
        "小": ("hours", 1),
    }
    if unit.startswith("stund"):
        return "hours", 1
    return next((name for start, name in (firsts | others).items() if unit.startswith(start)), (unit, 1))


def _unit_of_count(metric: str) -> str:
    return (
        "version"
        if re.search(r"^(python|node|npm|postgres|django|ruby|java|php|redis|docker)|version", metric)
        else "count"
    )


def _minutes(match: re.Match[str] | None) -> float | None:
    if not match:
        return None
    unit, factor = _unit(match["unit"] or match["unit2"])
    per = {"ms": 1 / 60000, "s": 1 / 60, "minutes": 1, "hours": 60, "days": 1440}.get(unit, 1)
    return float(match["number"] or match["number2"] or 1) * per * factor


def _sustained(after: str) -> float | None:
    return _minutes(SUSTAINED.search(after))


def _sustained_by_context(context: Context) -> float | None:
    """Given once for a whole list, in the line or heading above it."""
    for words in (context.label, context.heading):
        if SUSTAINED.search(words) and not WATCHING.search(words):
            return _sustained(words)
    return None


def _window(after: str) -> float | None:
    return _minutes(WINDOW.search(SUSTAINED.sub("", after)))


def _is_relative(before: str, after: str, one: _Found) -> bool:
    if _unit(one.unit)[0] == "x" and re.search(
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
