"""Where a passage sets a limit: operator, value and unit; what only looks like a limit is none."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .metrics import HIGHER_IS_BETTER
from .quantities import NUMBER, SIZE_UNITS, UNIT_ENDS, UNITS, is_time, number, unit_of

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
    "<": "under|below|beneath|less than|fewer than|lower than|smaller than|shorter than|faster than|quicker than|better than|younger than"
    "|menos de|menor que|menor a|inferior a|inferior al|por debajo de|por debajo del|abaixo de|abaixo dos|menos que|moins de|inférieur à|inférieure à|en dessous de|sous"
    "|unter|unterhalb von|weniger als|kleiner als|niedriger als|schneller als|менее|меньше|ниже|менее чем|быстрее",
    "<=": "at most|no more than|not more than|no longer than|no higher than|no greater than|not greater than|no slower than|not exceed|not exceeding|never exceed|never exceeds|less than or equal to|lower than or equal to"
    "|equal to or less than|capped at|limited to|within|up to|maximum|maximum of|max|max.|como máximo|máximo|máximo de|no más de|no máximo|até|não mais de|não mais que|au plus|au maximum|pas plus de|höchstens|maximal|nicht mehr als|bis zu|не более|не более чем|не больше|не выше|максимум",
    ">": "over|above|more than|greater than|higher than|larger than|longer than|slower than|worse than|exceed|exceeds|exceeded"
    "|exceeding|beyond|surpasses|surpass|más de|mayor que|mayor a|mayor de|superior a|superior al|por encima de|por encima del|supera el|supera los|supera|superan|excede|excede el|excede de|mais de|mais que|maior que|acima de|acima dos|ultrapassa|ultrapassar"
    "|plus de|supérieur à|supérieure à|au-dessus de|dépasse|dépassent|über|oberhalb von|mehr als|größer als|höher als|länger als|langsamer als|überschreitet|übersteigt|более|больше|выше|превышает|превысит|более чем",
    ">=": "at least|no less than|not less than|no fewer than|no lower than|not lower than|greater than or equal to|more than or equal to|higher than or equal to|equal to or greater than|minimum|minimum of|min|min.|reaches|reach|hits"
    "|al menos|como mínimo|mínimo|mínimo de|pelo menos|ao menos|no mínimo|au moins|au minimum|mindestens|wenigstens|не менее|не менее чем|не ниже|минимум|как минимум",
}
# Chinese and Japanese words stand without a space, some of them after the number.
GLUED_WORDS = {
    "<": "低于|小于|少于|不到|不足|短于",
    "<=": "小于等于|不超过|不高于|不大于|不多于|最大|最多|至多|最高",
    ">": "超过|高于|大于|多于|超出|长于",
    ">=": "大于等于|至少|不低于|不少于|不小于|最低|达到|最少",
}
GLUED_AFTER = {
    "を超え": ">",
    "超え": ">",
    "を上回": ">",
    "より大き": ">",
    "より高": ">",
    "より多": ">",
    "より長": ">",
    "を下回": "<",
    "未満": "<",
    "より小さ": "<",
    "より低": "<",
    "以上": ">=",
    "以下": "<=",
    "以内": "<=",
}
WORD_OPS = {
    word: op for table in (WORDS, GLUED_WORDS) for op, words in table.items() for word in words.split("|")
}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "=="}
NEVER = re.compile(
    r"\b(?:not|never|no|cannot|doesn't|don't|isn't|mustn't|shouldn't|nicht|nie|nunca|jamais|не|никогда)(?:\s[a-z]{1,9}){0,2}\s$",
    re.IGNORECASE,
)

SYMBOL = r"(?<![-=<>~|/])(?:<=|>=|=<|≤|≥|⩽|⩾|<|>)(?![<>=-])|(?<=\s)==?(?=\s)"
SPACED = "|".join(
    re.escape(word) for words in WORDS.values() for word in sorted(words.split("|"), key=len, reverse=True)
)
GLUED = "|".join(sorted("|".join(GLUED_WORDS.values()).split("|"), key=len, reverse=True))
WORD = rf"(?<!\w)(?:{SPACED})(?=\s|\d)|{GLUED}"
LIMIT = re.compile(
    rf"(?P<op>{SYMBOL}|{WORD})\s*(?:a |an |~|\$|€|£)?\s?(?P<value>{NUMBER})(?P<kilo>[kK](?![a-zA-Z]))?(?!\.\d)(?:\s?(?P<unit>{UNITS}){UNIT_ENDS})?(?!(?:(?![\u3040-\u30ff\u4e00-\u9fff])\w)|\[)",
    re.IGNORECASE,
)
POSTFIX = re.compile(
    rf"(?P<value>{NUMBER})\s?(?P<unit>{UNITS})?\s?(?:\bor\s(?P<word>more|higher|above|greater|better|less|fewer|lower|below|under)\b|(?P<cjk>{'|'.join(GLUED_AFTER)}))",
    re.IGNORECASE,
)
TARGET = re.compile(
    rf"\b(?:targets?|goal|slo|sla|objetivo|objectif|ziel|meta|цель)\b\s?(?:is|of|are|de)?\s?[:=]?\s*~?\s?(?P<value>{NUMBER})\s?(?P<unit>{UNITS})(?!\w)(?!\s?[→-]\s?\d)"
    rf"|(?:目标|目標)\s?[:：为は]?\s?(?P<value2>{NUMBER})\s?(?P<unit2>{UNITS})",
    re.IGNORECASE,
)
# "Max response time: 2s"
MOST_OR_LEAST = re.compile(
    rf"\b(?:(?P<most>max(?:imum)?)|(?P<least>min(?:imum)?))\b\.?\s(?:[a-z]+\s){{0,4}}?[a-z]+\s?[:=]\s*~?(?P<value>{NUMBER})\s?(?P<unit>{UNITS})(?!\w)",
    re.IGNORECASE,
)
RANGE_UNIT = rf"(?P<unit>%|ms|s|seconds?|{SIZE_UNITS}|x|req/s|rps)(?!\w)"
BETWEEN = re.compile(
    rf"\b(?:between|entre|zwischen)\s(?P<low>{NUMBER})\s?(?:{UNITS})?\s(?:and|to|y|e|et|und)\s(?P<value>{NUMBER})\s?{RANGE_UNIT}"
    rf"|\b(?:within|in|inside)\s(?:the\s|a\s)?range\s?(?:of\s|:\s?)?(?P<low2>{NUMBER})\s?(?:{UNITS})?\s?(?:-|–|—|to)\s?(?P<value2>{NUMBER})\s?{RANGE_UNIT.replace('unit', 'unit2')}"
    rf"|\b(?:stays?|remains?|normal(?:ly)?|acceptable|healthy|should be|range)\s?[:(]?\s?(?:within\s|between\s|from\s|is\s)?(?P<low3>{NUMBER})\s?(?:{UNITS})?\s?(?:-|–|—|to)\s?(?P<value3>{NUMBER})\s?{RANGE_UNIT.replace('unit', 'unit3')}",
    re.IGNORECASE,
)
BASELINE = r"(?:the\s|our\s|its\s|pre-\w+\s|current\s|previous\s)*(?:baseline|normal|usual|average|previous(?!\w)|pre-deploy\w*|before)"
# Limits against a baseline that need no operator.
AGAINST_BASELINE = (
    (
        re.compile(
            rf"\bwithin\s(?:±|\+/-|~)?\s?(?P<value>{NUMBER})\s?(?P<unit>%|x)\s(?:of|from)\s{BASELINE}",
            re.IGNORECASE,
        ),
        "<=",
    ),
    (
        re.compile(
            rf"(?<![\w.])(?P<value>{NUMBER})\s?(?P<unit>x|×|times)\s(?:of\s|above\s|over\s|higher than\s)?{BASELINE}\b",
            re.IGNORECASE,
        ),
        ">",
    ),
    (
        re.compile(
            rf"\b(?:exceeds?|above|over|(?:higher|slower|worse|more) than)\s{BASELINE}\sby\s(?:more than\s|over\s|>\s?|at least\s)?(?P<value>{NUMBER})\s?(?P<unit>%|x)",
            re.IGNORECASE,
        ),
        ">",
    ),
    (
        re.compile(
            rf"\b(?:below|under|(?:lower|less|worse) than)\s{BASELINE}\sby\s(?:more than\s|over\s|>\s?|at least\s)?(?P<value>{NUMBER})\s?(?P<unit>%|x)",
            re.IGNORECASE,
        ),
        ">",
    ),
    (
        re.compile(
            rf"(?:>|above|over|exceeds?)\s?{BASELINE}\s?(?:\+|plus)\s?(?P<value>{NUMBER})\s?(?P<unit>%|σ|sigma|ms|s)(?!\w)",
            re.IGNORECASE,
        ),
        ">",
    ),
    (
        re.compile(
            rf"(?<![\w.,<>≤≥=])(?<![<>≤≥=]\s)(?<!than\s)(?<!most\s)(?<!least\s)(?<!over\s)(?<!by\s)(?<!within\s)[+±]?(?P<value>{NUMBER})\s?(?P<unit>%)\s(?:above|below|over|under|(?:higher|lower|slower|worse|more|less) than|vs\.?)\s{BASELINE}\b",
            re.IGNORECASE,
        ),
        ">",
    ),
)
# "5+ errors", "85%+"
PLUS = re.compile(
    rf"(?<![\w.+-])(?P<value>{NUMBER})\s?(?:(?P<unit>%|{SIZE_UNITS})\+(?=\s|$|[.,;)])|\+\s?(?P<unit2>req(?:uest)?s?\s?(?:/|per)\s?s(?:ec(?:ond)?s?)?|rps|qps)(?!\w)|\+(?=\s[a-z]|$|[.,;)]))",
    re.IGNORECASE,
)
PLUS_ROLES = ("rollback_triggers", "success_criteria")
LEVEL = re.compile(
    rf"\b(?:warn(?:ing)?|critical|crit|alert|page)s?\s?(?:at|@)\s(?P<value>{NUMBER})\s?(?P<unit>%|ms|s|{SIZE_UNITS})(?!\w)",
    re.IGNORECASE,
)
BARE_CELL = re.compile(rf"^~?\s?(?P<value>{NUMBER})\s?(?P<unit>{UNITS})\+?$", re.IGNORECASE)
GOOD, BAD = "good", "bad"
# What the column's head says about a bare value: an operator, or the side that is meant.
CELL_COLUMNS = (
    (re.compile(r"\bmax(imum)?\b|\blimit\b|\bbudget\b|\bupper\b|máximo|höchst", re.IGNORECASE), "<="),
    (re.compile(r"\bmin(imum)?\b|\blower\b|mínimo|mindest", re.IGNORECASE), ">="),
    (
        re.compile(
            r"\btargets?\b|\bgoal\b|\bslo\b|\bsla\b|\bobjetivo\b|\bobjectif\b|\bziel\b|目标|目標|цель",
            re.IGNORECASE,
        ),
        GOOD,
    ),
    (
        re.compile(
            r"\broll ?back\b|\babort\b|\btrigger\b|\balert\b|\bcritical\b|\bwarning\b|\bthreshold\b",
            re.IGNORECASE,
        ),
        BAD,
    ),
)
OPERATOR_CELL = re.compile(r"\s*(<=|>=|=<|≤|≥|<|>|&lt;=?|&gt;=?)\s*")

ONLY_A_DURATION = re.compile(
    r"\b(for|wait|waiting|monitor|watch|observe|retain(?:ed)?|keep|kept|every|after|last|past|sleep|allow|schedule[d]?|plan|give|run|hold|pause|within|in the|lasting|since"
    r"|durante|por|esperar|während|seit|warten|pendant|depuis|attendre|в течение|ждать|持续)\s*(?:for\s*)?(?:the\s*)?$",
    re.IGNORECASE,
)
VALID_FOR = re.compile(r"\b(?:valid|expires?|expiry|expiration|uptime|age)\b[\w\s]{0,20}$", re.IGNORECASE)
LASTS = re.compile(
    r"\b(?:is|are|was|takes?|took|lasts?|time|times|duration|latency|delay|lag|age|downtime|p\d\d|response|responses|load|wait)\W*$",
    re.IGNORECASE,
)
MAY_TAKE = re.compile(
    r"\b(?:takes?|taking|wait|last|need|needs|require|requires|propagat\w+|for)\s(?:\w+\s)?$", re.IGNORECASE
)
NOT_A_LIMIT_AFTER = re.compile(
    r"^\s?(?:before|prior|in advance|ago|earlier|later|ahead|notice)\b|^\s?(?:vs\.?|versus)\s?[\d<>~]|^\s?\)\s?[{;]",
    re.IGNORECASE,
)
# Words that without a unit count something else: "up to 3 people", "over 100 shops".
NEEDS_UNIT = frozenset(
    {
        "up to",
        "over",
        "max",
        "max.",
        "min",
        "min.",
        "reaches",
        "reach",
        "hits",
        "sous",
        "até",
        "bis zu",
        "maximal",
    }
)
SIZE = re.compile(SIZE_UNITS, re.IGNORECASE)
IS_OLD = re.compile(r"^\s?old\b", re.IGNORECASE)
TEMPLATE_END = re.compile(r"^\s?>(?!\s?\d)")
SHARED_OUT = re.compile(r"\b(?:traffic|rollout|canary|users)\b", re.IGNORECASE)
MENU = re.compile(r"\w\s>\s\w")  # "Settings > Users > 3"


NEAR = 120  # characters looked at before a limit
MOST = 40  # limits of a passage; one with more of them is data


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit in a passage; `word` is the operator where it is spelled out, `phrase` the whole of a range."""

    op: str
    value: str
    unit: str
    start: int
    end: int
    word: str = ""
    is_relative: bool = False
    phrase: tuple[int, int] | None = None


def find(plain: str, *, role: str, row: str, column: str) -> list[Limit]:
    """The limits of a passage without Markdown, in order; row and column head a table's cell."""
    found = [
        *_with_operator(plain),
        *_without_operator(plain, role=role, row=row),
        *_in_cell(plain, row, column),
    ]
    apart = _without_overlaps(sorted(found, key=lambda one: (one.start, not one.is_relative)))[:MOST]
    kept = [one for one in apart if _is_limit(plain, one)]
    return [
        one for number, one in enumerate(kept) if not (number and _is_time_of(plain, kept[number - 1], one))
    ]


def _with_operator(plain: str) -> Iterator[Limit]:
    for match in LIMIT.finditer(plain):
        word = match["op"].lower()
        op = SYMBOLS.get(word) or WORD_OPS[word]
        if word not in SYMBOLS and NEVER.search(plain[max(match.start() - NEAR, 0) : match.start()]):
            op = OPPOSITE[op]
        unit = match["unit"] or ""
        value = number(match["value"], unit=unit) + ("e3" if match["kilo"] else "")
        spelled = "" if word in SYMBOLS else word
        yield Limit(op=op, value=value, unit=unit, start=match.start(), end=match.end(), word=spelled)


def _without_operator(plain: str, *, role: str, row: str) -> Iterator[Limit]:
    """ "5% or more", "target: 99.9%", "between 2 and 4%", "5x baseline"."""
    for match in POSTFIX.finditer(plain):
        less = (match["word"] or "").lower() in ("less", "fewer", "lower", "below", "under")
        yield _limit(match, GLUED_AFTER.get(match["cjk"] or "") or ("<=" if less else ">="))
    for match in TARGET.finditer(plain):
        yield _limit(match, _good_side(f"{plain} {row}"), *(("2",) if match["value2"] else ()))
    for match in MOST_OR_LEAST.finditer(plain):
        yield _limit(match, "<=" if match["most"] else ">=")
    for match in LEVEL.finditer(plain):
        yield _limit(match, "<=" if HIGHER_IS_BETTER.search(f"{plain} {row}") else ">=")
    for match in BETWEEN.finditer(plain):
        yield from _both_ends(match)
    for pattern, op in AGAINST_BASELINE:
        for match in pattern.finditer(plain):
            yield _limit(match, op, is_relative=True)
    if role in PLUS_ROLES:
        yield from (_limit(match, ">=", "2" if match["unit2"] else "") for match in PLUS.finditer(plain))


def _both_ends(match: re.Match[str]) -> Iterator[Limit]:
    """A range is two limits; the first ends where the second begins."""
    number_of = next(suffix for suffix in ("", "2", "3") if match[f"value{suffix}"])
    value, unit, middle = (
        match[f"value{number_of}"],
        match[f"unit{number_of}"],
        match.start(f"value{number_of}"),
    )
    phrase = match.span()
    yield Limit(
        op=">=",
        value=number(match[f"low{number_of}"]),
        unit=unit,
        start=match.start(),
        end=middle,
        phrase=phrase,
    )
    yield Limit(op="<=", value=number(value), unit=unit, start=middle, end=match.end(), phrase=phrase)


def _in_cell(plain: str, row: str, column: str) -> Iterator[Limit]:
    """A table's bare value, by what its column's head says."""
    cell = BARE_CELL.match(plain.strip()) if row and column else None
    side = next((side for head, side in CELL_COLUMNS if head.search(column)), "")
    if cell and side:
        yield _limit(cell, {GOOD: _good_side(row), BAD: OPPOSITE[_good_side(row)]}.get(side, side))


def _limit(match: re.Match[str], op: str, suffix: str = "", *, is_relative: bool = False) -> Limit:
    unit = match[f"unit{suffix}"] or ""
    value = number(match.groupdict().get(f"value{suffix}") or match["value"], unit=unit)
    return Limit(op=op, value=value, unit=unit, start=match.start(), end=match.end(), is_relative=is_relative)


def _good_side(words: str) -> str:
    return ">=" if HIGHER_IS_BETTER.search(words) else "<="


def _without_overlaps(found: list[Limit]) -> list[Limit]:
    kept: list[Limit] = []
    for one in found:
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def _is_limit(plain: str, one: Limit) -> bool:
    before, after = plain[max(one.start - NEAR, 0) : one.start], plain[one.end : one.end + 40]
    if NOT_A_LIMIT_AFTER.match(after) or (one.op == "<" and TEMPLATE_END.match(after)):
        return False
    if one.word == "within" and not SIZE.fullmatch(one.unit):
        return False
    if is_time(one.unit) and not _is_limit_of_time(one, before, after):
        return False
    if one.word in NEEDS_UNIT and not one.unit:
        return False
    if one.word in ("reaches", "reach", "hits") and SHARED_OUT.search(before):
        return False
    if not one.unit and (one.op == "==" or MENU.search(before)):
        return False
    return bool(one.unit or before.strip(" -*:") or after.strip())


def _is_limit_of_time(one: Limit, before: str, after: str) -> bool:
    """A time is a limit unless something is to be done that long, or is that old."""
    if IS_OLD.match(after) and one.op not in ("<", "<="):
        return False
    if one.word in ("over", "beyond") and not LASTS.search(before):
        return False
    if one.word in ("up to", "reaches", "hits") and (MAY_TAKE.search(before) or one.word != "up to"):
        return False
    return not ONLY_A_DURATION.search(before) or bool(VALID_FOR.search(before))


def _is_time_of(plain: str, earlier: Limit, one: Limit) -> bool:
    """ "> 5% over 10 minutes", "> 5% (> 10 min)": the second is how long the first has to hold."""
    if (
        not is_time(one.unit)
        or unit_of(one.unit)[0] == "ms"
        or (is_time(earlier.unit) and one.word != "over")
    ):
        return False
    between = plain[earlier.end : one.start]
    return one.op in (">", ">=") and not re.sub(
        r"\b(?:for|sustained|persist\w*|lasting)\b", "", between
    ).strip(" (,")
