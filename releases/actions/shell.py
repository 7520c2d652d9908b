"""A script of the author's: its exit code is the answer, and its output where the runbook says what that should be."""

from datetime import datetime

from checks.outputs import judge_output
from releases.actions.base import Action, Context, Observation, as_judged
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
        judged = judge_output(wanted, _said(context), _seconds(context))
        return as_judged(judged.verdict, judged.message, {"expected": wanted})


def _said(context: Context) -> str:
    try:
        return context.output.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def _seconds(context: Context) -> float:
    """From the intent to the script's end, when it wrote its variables: never less than it took."""
    try:
        ended = context.handed_on.stat().st_mtime
    except FileNotFoundError:
        ended = datetime.now().timestamp()
    return max(0.0, ended - context.opened_at.timestamp())
