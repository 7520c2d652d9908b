"""The optional marks that GitHub does not show: comments on items and attributes of fences."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

PAIR = re.compile(r"\s*([a-z_]+)\s*:\s*(.*?)\s*(?:;|$)")
ATTRIBUTE = re.compile(r"([A-Za-z_][\w-]*)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s}\"']+)")
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
)
# What these may say; a slip in one that asks for care must not pass.
VALUES = {
    "confirm": ("true", "false"),
    "idempotent": ("true", "false"),
    "on_fail": ("rollback", "wait", "continue"),
}
CAREFUL = ("confirm", "on_fail", "probe")
PROBE = re.compile(r"[A-Za-z][\w.-]{0,63}")
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
    """Language and attributes of a fence's info string: ```bash {name=smoke timeout=60}``` or runme's JSON."""
    head, brace, rest = info.partition("{")
    words = head.split()
    language = words[0].lower() if words else ""
    if not brace:
        return language, dict(_unquoted(pair) for pair in ATTRIBUTE.findall(" ".join(words[1:])))
    return language, _json(brace + rest) or dict(_unquoted(pair) for pair in ATTRIBUTE.findall(rest))


def faults(attributes: Mapping[str, str]) -> Iterator[Fault]:
    """What of a fence's attributes is not understood or not heeded; an error where a command would get less care."""
    for name, value in attributes.items():
        if name in SECONDS and not NUMBER.fullmatch(value):
            yield Fault(
                level="error",
                message=f"The fence's {name}={value} is no number of seconds",
                hint=f"Write {name}=300",
            )
        elif value not in VALUES.get(name, (value,)):
            yield Fault(
                level="error",
                message=f"The fence's {name}={value} is not understood",
                hint=f"Write {name}={'|'.join(VALUES[name])}",
            )
        elif name == "probe" and not PROBE.fullmatch(value):
            yield Fault(
                level="error",
                message=f"The fence's probe={value} names no probe",
                hint="Write the name of a probe of the environment: probe=health",
            )
        elif name not in ATTRIBUTES:
            yield _unheeded(name, value)


def _unheeded(name: str, value: str) -> Fault:
    return Fault(
        level="info" if name in RUNME else "warning",
        message=f"The fence's attribute {name}={value} is not heeded",
        hint="It is meant for runme" if name in RUNME else f"Known are {', '.join(ATTRIBUTES)}",
    )


def _is_ticker(by: str, name: str) -> bool:
    if by not in TICKERS or (name and by not in NAMED):
        return False
    return bool(name) or by not in NEEDS_NAME


def _json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return {str(key): _word(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unquoted(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0], pair[1].strip("\"'")
