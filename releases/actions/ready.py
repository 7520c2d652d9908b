"""The look between two batches of hosts: does the service still work?"""

from django.utils import timezone

from checks.sampling import ask_by_name
from checks.verdicts import Verdict
from releases.actions.base import Context, Look, Observation
from releases.actions.restart import TIMES, ask_health
from releases.plan.hosts import HEALTH
from releases.plan.model import PlannedAction


class Ready(Look):
    """Done when the service, or the probe that the fence names, is well three times running; of any version."""

    patience = 60.0

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Three good answers in a row: behind a balancer good and bad hosts answer by turns."""
        name, seen = action.options.get(HEALTH, ""), ""
        for _ in range(TIMES):
            is_well, seen = _probed(name, context) if name else _asked(context)
            if not is_well:
                return Observation(done=None, message=f"not well: {seen}")
        return Observation(done=True, message=f"{seen}, {TIMES} times running", evidence={"health": seen})


def _asked(context: Context) -> tuple[bool, str]:
    health = ask_health(context.environment)
    return health.ready, health.message


def _probed(name: str, context: Context) -> tuple[bool, str]:
    verdict, seen = ask_by_name(context.environment, name, at=timezone.now())
    return verdict is Verdict.PASSED, f"probe {name}: {seen}"
