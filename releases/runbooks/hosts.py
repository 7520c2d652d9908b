"""Where the lines of a shell block run: a bare `ssh user@host` means that the following ones run there."""

import re
from dataclasses import dataclass

from .script import HEREDOC
from .texts import uncommented

SSH = re.compile(r"\s*ssh\s+(.+?)\s*$")
LEAVE = re.compile(r"\s*(?:exit|logout)\s*$")
WITH_VALUE = frozenset("-i -p -o -l -J -F -L -R -D -b -c -E -m -S -W -w".split())
HOST = re.compile(r"(?:(?:[\w.$\{\}-]|<[\w .-]+>)+@)?(?:[\w.:$\{\}-]|<[\w .-]+>)+$")
LOCAL = re.compile(r"\w+://(?:localhost|127\.|0\.0\.0\.0|\[::1?\]|10\.|192\.168\.|[\w-]+(?=[:/]|$))")


@dataclass(frozen=True, kw_only=True)
class Located:
    """A script without the lines that change the host; `after` is the host that following blocks run on.

    `is_mixed`: some lines run there and some elsewhere, which one block cannot.
    """

    script: str
    host: str
    after: str
    is_mixed: bool


def located(script: str, *, host: str) -> Located:
    """The script's own host; `host` is the one that an earlier block went to, "" for here."""
    if not host and "ssh" not in script:
        return Located(script=script, host="", after="", is_mixed=False)
    kept, used, seen, until, current = [], [], host, "", host
    for row in script.split("\n"):
        bare = uncommented(row)
        target = "" if until else _target(bare)
        if target or (current and not until and LEAVE.match(bare)):
            current, seen = target, target or seen
            continue
        kept.append(row)
        if bare.strip():
            used.append(current)
        opened = HEREDOC.search(bare)
        until = ("" if row.strip() == until else until) if until else (opened[2] if opened else "")
    own = next((each for each in used if each), seen if not used else "")
    return Located(script="\n".join(kept), host=own, after=current, is_mixed=len(set(used)) > 1)


def is_local(url: str) -> bool:
    """Does the address name the machine that asks, or its own network?"""
    return bool(LOCAL.match(url))


def _target(row: str) -> str:
    """The user@host of a bare ssh line; "" of any other, an ssh with a command among them."""
    found = SSH.match(row)
    if not found:
        return ""
    words, hosts = iter(found[1].split()), []
    for word in words:
        if word in WITH_VALUE:
            next(words, "")
        elif not word.startswith("-"):
            hosts.append(word)
    return hosts[0] if len(hosts) == 1 and HOST.match(hosts[0]) else ""
