"""Letting `git push` take nothing but the approved commit; pure. A branch name is not an approved commit."""

import re
import shlex

PUSH = re.compile(r"^\s*git(?P<where>\s+-C\s+\S+)?\s+push(?P<rest>(?:\s[^|;&]*)?)$")
# These push no branch, or not one only.
OTHERS = frozenset("--delete -d --tags --mirror --all --prune --dry-run -n".split())
WITH_VALUE = frozenset("-o --push-option --repo --receive-pack --exec".split())
SOURCE = re.compile(r"[\w./$@{}-]+")
CHECK = """\
__gantry_pushed=$(git{where} rev-parse --verify --quiet "{source}^{{commit}}") || :
[ "$__gantry_pushed" = {commit} ] || {{
  echo "{source} is at ${{__gantry_pushed:-no commit known here}}, and {commit} is approved; it was not pushed" >&2
  exit 1
}}"""


def guarded(text: str, *, commit: str) -> str:
    """`text` with a check before each push: what would be pushed is that commit, or the script ends there."""
    lines = re.sub(r"\\\n", " ", text).split("\n")
    return "\n".join(part for line in lines for part in (*_checks(line, commit), line))


def pushes(text: str) -> bool:
    """Is a push among the commands?"""
    return any(PUSH.match(line) for line in re.sub(r"\\\n", " ", text).split("\n"))


def _checks(line: str, commit: str) -> list[str]:
    found = PUSH.match(line)
    if not found:
        return []
    where = found["where"] or ""
    return [CHECK.format(where=where, source=source, commit=commit) for source in _sources(found["rest"])]


def _sources(rest: str) -> list[str]:
    """What a push would take: the left sides of its refs, the current commit where it names none."""
    try:
        words = shlex.split(rest, comments=True)
    except ValueError:
        return []
    if OTHERS & set(words):
        return []
    places, skips = [], False
    for word in words:
        if not skips and not word.startswith("-"):
            places.append(word)
        skips = word in WITH_VALUE
    refs = [ref.lstrip("+").partition(":")[0] for ref in places[1:] or ["HEAD"]]
    return [ref for ref in refs if SOURCE.fullmatch(ref)]
