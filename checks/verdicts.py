"""What a check says, and which of several sayings counts."""

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """`failed`: the world said no. `error`: we could not find out. `inconclusive`: too little to judge by."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    ERROR = "error"


# Best first. A known no outranks what could not be found out: it is what a rollback acts on.
ORDER = (Verdict.PASSED, Verdict.INCONCLUSIVE, Verdict.ERROR, Verdict.FAILED)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them (passed < inconclusive < error < failed); of none: inconclusive, nothing was seen."""
    return max(verdicts, key=ORDER.index, default=Verdict.INCONCLUSIVE)
