"""The optional marks that GitHub does not show: comments on items and attributes of fences."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PAIR = re.compile(r"\s*([a-z_]+)\s*:\s*(.*?)\s*(?:;|$)")
ATTRIBUTE = re.compile(
    r"""["']?(?P<name>[A-Za-z_][\w-]*)["']?(?:(?P<is>\s*[=:])\s*(?P<value>"[^"]*"|'[^']*'|[^\s,{}"']*))?(?=[\s,{}]|$)"""
    r"|(?P<other>[^\s,{}]+)"
)
TICKERS = ("person", "step", "confirm", "probe", "threshold")
SCOPES = ("release", "deployment")
SECONDS = ("timeout", "silence", "patience")
NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
ATTRIBUTES = (
    "name",
    "timeout",
    "silence",
    "patience",
    "idempotent",
    "database",
    "confirm",
    "on_fail",
    "probe",
    "host",
    "hosts",
    "batch",
    "health",
)
# What these may say; a slip in one that asks for care must not pass.
VALUES = {
    "confirm": ("true", "false"),
    "idempotent": ("true", "false"),
    "on_fail": ("rollback", "wait", "continue"),
}
CAREFUL = re.compile(r"confirm|on[\W_]*fail|probe|hosts?\b|batch", re.IGNORECASE)
PROBES = {"probe": "health", "health": "ready"}  # attributes that name one, and an example
PROBE = re.compile(r"[A-Za-z][\w.-]{0,63}")
BATCH = re.compile(r"[1-9]\d{0,3}|(?:[1-9]\d?|100)%")
# A list without quotes ends where the next attribute begins.
LIST = re.compile(
    r"""(?P<is>(?<![\w-])hosts\s*[=:]\s*)(?P<list>[^\s,{}"'=]+(?:,(?!\s)(?![A-Za-z_][\w-]*\s*[=:])[^\s,{}"'=]+)+)""",
    re.IGNORECASE,
)
# Keys of runme's fences. They say how its notebook shows a block, not how it is run here.
RUNME = frozenset(
    "id background category closeTerminalOnSuccess cwd excludeFromRunAll interactive interpreter mimeType"
    " openTerminalOnRun promptEnv tag terminalRows sourceLineEnd sourceLineStart ignore tangle transform".split()
)
NAMED = ("probe", "threshold")
NEEDS_NAME = ("probe",)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What an item's comment says; "" where it says nothing. `faults` names what was not understood."""

    by: str = ""
    by_name: str = ""
    scope: str = ""
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with an attribute of a fence."""

    level: str
    message: str
    hint: str


def note(comment: str) -> Note:
    """The pairs of `by: probe:health; scope: release`; a comment without a known key is none of ours."""
    pairs = dict(PAIR.findall(comment))
    if not {"by", "scope"} & pairs.keys():
        return Note()
    by, _, name = (part.strip() for part in pairs.get("by", "").partition(":"))
    scope = pairs.get("scope", "")
    faults = [f"by: {pairs['by']}"] if "by" in pairs and not _is_ticker(by, name) else []
    if scope and scope not in SCOPES:
        faults.append(f"scope: {scope}")
    return Note(
        by="" if faults else by,
        by_name=name,
        scope=scope if scope in SCOPES else "",
        faults=tuple(faults),
    )


def fence(info: str) -> tuple[str, dict[str, str]]:
    """Language and attributes of a fence's info string: ```bash {name=smoke timeout=60}``` or runme's JSON.

    What is no attribute is among them as a name without a value; one said twice has both values.
    """
    head, brace, rest = info.partition("{")
    language, words = [*re.split(r"[\s,]+", head.strip(), maxsplit=1), ""][:2]
    found: dict[str, str] = {}
    for name, value in [*_pairs(words), *(_json(brace + rest) or _pairs(rest))]:
        found[name] = value if found.get(name, value) == value else f"{found[name]}, {value}"
    return language.lower(), found


def _pairs(text: str) -> list[tuple[str, str]]:
    """`name=value`, `name: value` and bare names; `confirm` alone asks for it."""
    found = []
    for each in ATTRIBUTE.finditer(LIST.sub(_quoted, text)):
        name = _canonical(each["name"] or each["other"])
        alone = "true" if name == "confirm" else ""
        found.append((name, each["value"].strip("\"'") if each["is"] else alone))
    return found


def _quoted(found: re.Match[str]) -> str:
    """A list of hosts as one value; `confirm` alone at its end is no host."""
    names = found["list"].split(",")
    kept = [name for name in names if name.lower() not in ATTRIBUTES]
    rest = [name for name in names if name.lower() in ATTRIBUTES]
    return " ".join([f'{found["is"]}"{",".join(kept)}"', *rest])


def _canonical(name: str) -> str:
    """Gantry's own attributes in their own spelling, others as they are."""
    own = name.lower().replace("-", "_")
    return own if own in ATTRIBUTES else name


def faults(attributes: Mapping[str, str]) -> Iterator[Fault]:
    """What of a fence's attributes is not understood or not heeded; an error where a command would get less care."""
    for name, value in attributes.items():
        wrong = _wrong(name, value)
        if wrong:
            yield Fault(level="error", message=f"The fence's {wrong[0]}", hint=wrong[1])
        elif name not in ATTRIBUTES:
            yield _unheeded(name, value, is_on_hosts="hosts" in attributes)
    yield from _of_several(attributes)


def _wrong(name: str, value: str) -> tuple[str, str] | None:
    """What is wrong with the value of an attribute, and what to write; None when it can be heeded."""
    if name in SECONDS and not _is_time(name, value):
        return f"{name}={value} is no number of seconds that it could take", f"Write {name}=300"
    if value not in VALUES.get(name, (value,)):
        return f"{name}={value} is not understood", f"Write {name}={'|'.join(VALUES[name])}"
    if name in PROBES and not PROBE.fullmatch(value):
        way = f"Write the name of a probe of the environment: {name}={PROBES[name]}"
        return f"{name}={value} names no probe", way
    if name in ("host", "hosts") and not value:
        return f"{name} names no host", "Write hosts=web1,web2 or hosts=web*"
    return None


def _of_several(attributes: Mapping[str, str]) -> Iterator[Fault]:
    """What is wrong with hosts, batch and health together: each alone would leave hosts out, or unlooked at."""
    batch, hosts = attributes.get("batch"), "hosts" in attributes
    if batch is not None and not BATCH.fullmatch(batch):
        yield Fault(
            level="error",
            message=f"The fence's batch={batch} is no number of hosts and no share of them",
            hint="Write batch=2 or batch=25%",
        )
    if batch is not None and not hosts:
        yield Fault(
            level="error",
            message="The fence has a batch and names no hosts",
            hint="Write hosts=web1,web2 or hosts=web*",
        )
    if "health" in attributes and batch is None:
        yield Fault(
            level="error",
            message="The fence's health is asked between batches, and it has no batch",
            hint="Write batch=1, or probe=NAME for a look after the block",
        )
    if hosts and "host" in attributes:
        yield Fault(level="error", message="The fence has both host and hosts", hint="Write one of them")


def _unheeded(name: str, value: str, *, is_on_hosts: bool) -> Fault:
    said = f"{name}={value}" if value else name
    if name in RUNME:
        return Fault(
            level="info", message=f"The fence's attribute {said} is not heeded", hint="It is meant for runme"
        )
    if is_on_hosts and not value:
        return Fault(
            level="error",
            message=f"It cannot be told whether {name} is one of the hosts",
            hint='Write the list without blanks, or in quotes: hosts="web1, web2"',
        )
    return Fault(
        level="error" if CAREFUL.search(said) else "warning",
        message=f"The fence's attribute {said} is not heeded",
        hint=f"Known are {', '.join(ATTRIBUTES)}",
    )


def _is_time(name: str, value: str) -> bool:
    return bool(NUMBER.fullmatch(value)) and (name != "timeout" or float(value) > 0)


def _is_ticker(by: str, name: str) -> bool:
    if by not in TICKERS or (name and by not in NAMED):
        return False
    return bool(name) or by not in NEEDS_NAME


def _json(text: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return []
    return [(_canonical(name), _word(value)) for name, value in found]


def _word(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
