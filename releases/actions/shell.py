"""A script of the author's: its exit code is the answer, and its output where the runbook says what that should be."""

from datetime import datetime

from checks.conditions import Judged
from checks.outputs import judge_output
from checks.tail import MOST, end_of
from checks.verdicts import Verdict
from releases.actions.base import HOST, Action, Context, Observation, as_judged
from releases.plan.model import PlannedAction


class Shell(Action):
    """Runs the block as it stands; also the kinds that need no look at the world afterwards."""

    def expected(self, action: PlannedAction) -> str:
        """What the output should be; "" where that is not said."""
        return action.expects

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Done when the output is as expected; one that only a person can compare is handed to a person."""
        wanted = self.expected(action)
        if not wanted:
            return Observation(done=True)
        judged = _judged(wanted, context)
        return as_judged(judged.verdict, judged.message, {"expected": wanted})

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Nobody knows how far a script came; on a host, which starts none twice, it may be asked for again."""
        return False if HOST in action.options else None


class Converging(Shell):
    """A kind of command that comes to the same however often it runs, or only looks."""

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """It may run again."""
        return False


def _judged(wanted: str, context: Context) -> Judged:
    """Of a long output only the end is compared, which says nothing of the rest: that is a person's to do."""
    text, size = _said(context)
    judged = judge_output(wanted, text, _seconds(context))
    if size <= MOST:
        return judged
    rest = f"only the last {MOST:,} of {size:,} bytes were compared: a person must look at the others"
    return Judged(Verdict.INCONCLUSIVE, f"{judged.message}; {rest}")


def _said(context: Context) -> tuple[str, int]:
    """The end of the output, and the size of all of it in bytes."""
    try:
        return end_of(context.output)
    except FileNotFoundError:
        return "", 0


def _seconds(context: Context) -> float:
    """From the intent to the script's end, when it wrote its variables: never less than it took."""
    try:
        ended = context.handed_on.stat().st_mtime
    except FileNotFoundError:
        ended = datetime.now().timestamp()
    return max(0.0, ended - context.opened_at.timestamp())
