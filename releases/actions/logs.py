"""A look at a log that its author would have followed."""

from checks.gates.process import Command
from releases.actions.base import Context, script_command
from releases.actions.shell import Shell
from releases.plan.model import PlannedAction
from releases.shell.logs import bounded

TIMEOUT = 60.0


class Logs(Shell):
    """Shows the last lines in place of following: a step has to end."""

    def command(self, action: PlannedAction, context: Context) -> Command:
        """The author's commands without whatever makes them stay; a minute at most, unless the fence says more."""
        return script_command(bounded(action.text), action, context, timeout=TIMEOUT)
