"""Which environment a box talks about, by its words; pure."""

import re
from collections.abc import Iterable
from dataclasses import replace

from releases.plan.model import PlannedStep

# "Disk checked on the production servers" is about these servers, and stays a matter of whoever deploys there.
THINGS = (
    "access|backups?|certificates?|config\\w*|credentials?|data|databases?|db|disks?|dns|domains?|hosts?|keys?|logs?|machines?"
    "|secrets?|servers?|settings?|traffic|urls?|users?|values?|variables?"
)
DONE_THERE = (
    "approved|build|deploy\\w*|env|environments?|green|ok|passed|passes|qa|release[ds]?|rollout|sign-?off|smoke|system|tested"
    "|testing|tests?|validat\\w+|verif\\w+|works"
)
THERE = r"(?:at|in|into|on|onto|to|via)\s+(?:an?\s+|our\s+|the\s+)?"


def about(text: str, names: Iterable[str]) -> str:
    """The name of the environment in which, by the words of a box, something was done; "" for none of them.

    "Deployed to staging", "Tested in the Staging environment", "Staging tests pass": of several the first in the text.
    """
    found = ((match.start(), name) for name in names if name and (match := _words(name).search(text)))
    return min(found, default=(0, ""))[1]


def let_in(step: PlannedStep, environment: str) -> PlannedStep:
    """A step of what people settle before; a box in it holds nothing in the environment (`SERVICE/NAME`) it tells of.

    "Deployed to staging" can only be ticked when staging is done: there it stays to be ticked.
    """
    name = environment.rpartition("/")[2]
    kept_out = [bool(about(item.text, [name])) for item in step.items]
    pairs = zip(step.items, kept_out, strict=True)
    return replace(step, items=tuple(replace(item, required=False) if out else item for item, out in pairs))


def _words(name: str) -> re.Pattern[str]:
    word = re.sub(r"[-_]", "[-_ ]", re.escape(name).replace("\\-", "-"))
    bare = rf"[`'\"*]*(?<![\w/.-]){word}(?![\w/-]|\.\w)[`'\"*]*"
    there = rf"\b{THERE}{bare}(?!\s+(?:{THINGS})\b)"
    itself = rf"{bare}\s+(?:{DONE_THERE})\b"
    return re.compile(rf"{there}|{itself}", re.IGNORECASE)
