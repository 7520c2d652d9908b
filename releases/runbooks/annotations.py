"""The optional marks that GitHub does not show: comments on items and attributes of fences."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

PAIR = re.compile(r"\s*([a-z_]+)\s*:\s*(.*?)\s*(?:;|$)")
ATTRIBUTE = re.compile(r"([A-Za-z_][\w-]*)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s}\"']+)")
TICKERS = ("person", "step", "confirm", "probe", "threshold")
SCOPES = ("release", "deployment")
SECONDS = ("timeout", "silence", "patience")
NUMBER = re.compile(r"\d{1,6}(?:\.\d{1,3})?")
CAREFUL = ("confirm", "on_fail", "probe")
ATTRIBUTES = ("name", "timeout", "silence", "patience", "idempotent", "database")
NAMED = ("probe", "threshold")
NEEDS_NAME = ("probe",)


@dataclass(frozen=True, kw_only=True)
class Note:
    """What an item's comment says; "" where it says nothing. `faults` names what was not understood."""

    by: str = ""
    by_name: str = ""
    scope: str = ""
    faults: tuple[str, ...] = ()


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


def not_numbers(attributes: Mapping[str, str]) -> list[str]:
    """The attributes that should be seconds and are not."""
    return [name for name in SECONDS if name in attributes and not NUMBER.fullmatch(attributes[name])]


def unknown_attributes(attributes: Mapping[str, str]) -> list[str]:
    """What an author wrote on a fence and nobody would heed."""
    return [name for name in attributes if name not in ATTRIBUTES]


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
