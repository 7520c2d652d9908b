"""A cache, broker or database that is asked whether it lives."""

from releases.actions.shell import Converging
from releases.plan.model import PlannedAction

PONG = "PONG"


class Ping(Converging):
    """The exit code is the answer; of redis-cli PONG, for it ends with 0 even where the server refuses to talk."""

    def expected(self, action: PlannedAction) -> str:
        """What the runbook says, else what the program should answer."""
        return action.expects or (PONG if "redis-cli" in action.text else "")
