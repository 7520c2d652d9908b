"""What a threshold measures, as a snake_case name."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

HIGHER_IS_BETTER = re.compile(
    r"\b(uptime|availability|success|hit (rate|ratio)|coverage|throughput|conversion|completion|satisfaction|apdex|adoption|score|pass(ing)? rate|rps|nps)\b",
    re.IGNORECASE,
)
CLOSED = re.compile(r"\s*\([^()]{0,60}\)\s*$")  # "Error rate (5m)": the remark names nothing
LONGEST = 6  # words of a name

# Words of a phrase, in order, that settle the name; the first that fits the whole phrase wins.
WELL_KNOWN: tuple[tuple[str, str], ...] = (
    (
        "error_rate",
        r"(http |api |server |application |app |overall |5xx |request )?error( rate| ratio| percentage|s rate)?|5xx( error)?( rate)?|failure rate|failed requests|(la )?tasa de error(es)?|(a )?taxa de erros?|fehlerrate|(le )?taux d.erreurs?|错误率|エラー率|доля ошибок|уровень ошибок",
    ),
    (
        "response_time",
        r"(average |avg |mean |overall |http |api |server |request |page )?(response time|latency|response|load time|request duration)|(el )?tiempo de respuesta|(o )?tempo de resposta|antwortzeit|(le )?temps de réponse|响应时间|応答時間|レスポンス時間|レスポンスタイム|время ответа",
    ),
    ("p{0}_response_time", r"p ?(\d\d) ?(response time|latency)?|(?:response time|latency) p ?(\d\d)"),
    ("cpu_usage", r"cpu( usage| load| utili[sz]ation)?"),
    ("memory_usage", r"(memory|ram)( usage| utili[sz]ation| consumption)?"),
    ("disk_usage", r"disk( space)?( usage| utili[sz]ation)?"),
    (
        "uptime",
        r"(system |service )?(uptime|availability)|disponibilidade?|verfügbarkeit|disponibilité|可用性|稼働率|доступность",
    ),
    ("queue_length", r"(celery |job |task )?queue( length| depth| size)"),
    ("cache_hit_rate", r"cache hit (rate|ratio)"),
    ("throughput", r"throughput|requests? per second"),
)
TABLE = tuple((name, re.compile(words)) for name, words in WELL_KNOWN)
PERCENTILE = re.compile(r"\bp\s?(50|75|90|95|99)\b|\b(50|75|90|95|99)(?:th|%ile| percentile)", re.IGNORECASE)
QUALIFIER = re.compile(r"^\s*\(([A-Za-z]\w{1,30}(?: (?!than\b)\w+)?)\)")
NOISE_AT_END = re.compile(
    r"(?:[がはをのも为是，、]|[\s:,(\[–—-]|\b(?:is|are|was|be|been|stays?|remains?|should|must|will|to|at|of|by|in|on|for|a|an|the|if|when|whenever|than|it|has|have|not|does|and|or"
    r"|targets?|expect(?:ed|s)?|goal|acceptable|normal|stable|high|low|good|healthy|within|range|rate of|meets? threshold|threshold|drops?|falls?|rises?|goes|climbs?|exceed(?:s|ing)?"
    r"|increas(?:es|ed|ing)|decreas(?:es|ed|ing)|degrad(?:es|ed)|returns?|completes?|takes?|consistently|maintained|warning|critical|alert|count is|still|never|not|cannot|es|está|é|está|liegt|ist|bleibt|est|reste|debe|deve|muss|должн\w+|slo|sla|max|maximum|min|minimum)\b)+$",
    re.IGNORECASE,
)
NOISE_AT_START = re.compile(
    r"^(?:[\W_]|\b(?:the|a|an|and|or|if|when|any|all|keep|normal|usual|baseline|doesn't|never|not|warn|crit|check|verify|ensure|confirm|monitor|expected?|trigger|target|alert|that|with|roll ?back|immediately|test \d+|multiple|our|still|warning|critical)\b)+",
    re.IGNORECASE,
)


def metric_name(
    before: str, after: str, *, whole: str, lead: str, row: str, label: str, heading: str, unit: str
) -> str:
    """The name of what is limited: from the words before the limit, else after it, else from where it stands.

    `lead` is what stands before the first limit of the passage: "p95 < 1 s, < 2 s on phones" is of one thing.
    """
    qualifier = QUALIFIER.match(after)
    percentile = PERCENTILE.search(f"{before} {after}")
    own = PERCENTILE.sub("", before) if percentile else before
    phrase = _phrase(CLOSED.sub("", own) or own)
    if percentile and qualifier and not PERCENTILE.search(qualifier[1]):
        return f"{_snake(qualifier[1])}_p{percentile[1] or percentile[2]}"
    if not phrase:
        near = (_start(PERCENTILE.sub("", after)), row, _head(whole), lead)
        candidates = near if percentile else (*near, label, heading)
        phrase = next((found for words in candidates if (found := _phrase(PERCENTILE.sub("", words)))), "")
    name = _known(phrase, unit) or _snake(phrase) or "value"
    if not percentile or PERCENTILE.search(name.replace("_", " ")):
        return name
    rank = f"p{percentile[1] or percentile[2]}"
    return f"{rank}_response_time" if name in ("response_time", "value") else f"{name}_{rank}"


def _phrase(text: str) -> str:
    """The phrase that ends there, without lead-ins and without the words that only join it to the number."""
    bare = NOISE_AT_END.sub("", text)
    for part in reversed(re.split(r":\s|\(|：", bare)):
        cleaned = NOISE_AT_START.sub("", NOISE_AT_END.sub("", part))
        if any(char.isalpha() for char in cleaned):
            return " ".join(cleaned.split()[-LONGEST:])
    return ""


def _head(whole: str) -> str:
    """What stands before the passage's first colon."""
    head, colon, _ = whole.partition(":")
    return head if colon else ""


def _start(after: str) -> str:
    return re.split(r"[,;()./]|\b(?:for|in|during|over|per)\b", after.strip(" )"), maxsplit=1)[0]


def _known(phrase: str, unit: str) -> str:
    plain = re.sub(r"(rate|time|error|response)s\b", r"\1", phrase.lower().strip())
    for name, words in TABLE:
        found = words.fullmatch(plain)
        if name == "error_rate" and unit != "percent" and "rate" not in plain:
            continue
        if found:
            return name.format(next((group for group in found.groups() if group and group.isdigit()), ""))
    return ""


def _snake(phrase: str) -> str:
    return "_".join(re.findall(r"[^\W_]+", phrase.lower()))
