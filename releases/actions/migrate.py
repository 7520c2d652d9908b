"""Changing the schema by the tool that the runbook names, which keeps a table of what it did."""

import re

from checks.gates.process import capture
from releases.actions.base import HOST, Context
from releases.actions.shell import Shell
from releases.plan.model import PlannedAction

# One command alone: with others beside it the tool's answer would say nothing of them.
DJANGO = re.compile(r"^\s*(?P<command>(?:\S+\s+)*\S*manage\.py\s+migrate\b[^|;&\n]*?)\s*$")


class Migrate(Shell):
    """What is in the tool's table is not done twice, so it may always run again."""

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Done when Django says that nothing is pending; of another tool: it may run again."""
        found = DJANGO.match(action.text)
        if not found or HOST in action.options:
            return False
        question = ("bash", "-c", f"{found['command']} --check")
        answer = capture(question, cwd=context.environment.folder, env=context.variables, timeout=60.0)
        return answer.code == 0
