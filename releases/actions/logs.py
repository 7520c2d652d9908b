"""A look at a log that its author would have followed."""

from checks.gates.process import Command
from releases.actions.base import Context, script_command
from releases.actions.shell import Converging
from releases.plan.model import Plan, PlannedAction
from releases.shell.logs import bounded

TIMEOUT = 60.0


class Logs(Converging):
    """Shows the last lines in place of following: a step has to end."""

    def script(self, action: PlannedAction, plan: Plan) -> str:
        """The author's commands without whatever makes them stay."""
        return bounded(action.text)

    def command(self, action: PlannedAction, context: Context) -> Command:
        """A minute at most, unless the fence says more."""
        return script_command(self.script(action, context.plan), action, context, timeout=TIMEOUT)
