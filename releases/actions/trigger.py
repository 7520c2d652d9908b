"""A deployment that is done elsewhere: started from here, seen from outside."""

from releases.actions.base import Context, Observation
from releases.actions.restart import CLOCK_TOLERANCE, TIMES, Health, ask_health, is_commit, same_version
from releases.actions.shell import Shell
from releases.plan.model import Plan, PlannedAction
from releases.shell.push import guarded, pushes

CANNOT_BE_SEEN = (
    "it cannot be seen whether the new version runs: {service} declares no page that tells; "
    "add ready = '/PATH' below [service.health]"
)


class Trigger(Shell):
    """Runs the author's command, then waits until the service shows the version or the commit of the plan."""

    patience = 600.0

    def script(self, action: PlannedAction, plan: Plan) -> str:
        """The author's command; what it pushes is the commit of the plan, or it ends there."""
        return guarded(action.text, commit=plan.target_commit)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Three good answers of the ready page in a row: behind a balancer old and new answer by turns."""
        service = context.environment.service
        if not service.health.get("ready"):
            return Observation(done=False, message=CANNOT_BE_SEEN.format(service=service))
        for _ in range(TIMES):
            health = ask_health(context.environment)
            problem = f"not ready: {health.message}" if not health.ready else self.problem(health, context)
            if problem:
                return Observation(done=None, message=problem)
        evidence = {"version": health.version, "commit": health.commit, "started_at": health.started}
        return Observation(
            done=True, message=f"{_shown(health)} is ready, {TIMES} times running", evidence=evidence
        )

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Done when the service shows it; a push may be made again, of what else was started nobody knows."""
        if self.confirm(action, context).done:
            return True
        return False if pushes(action.text) else super().probe(action, context)

    def problem(self, health: Health, context: Context) -> str:
        """What speaks against it; "" when the version or commit is the plan's."""
        plan = context.plan
        if not shows(health, plan.target_version, plan.target_commit):
            return f"{_shown(health)} answers, {plan.target_version} ({plan.target_commit[:10]}) should"
        # Where the commit stays, the process that ran before shows it, too.
        return is_old(health, context) if _stays(plan) else ""


def shows(health: Health, version: str, commit: str) -> bool:
    """Does the answer name this version or, in either field, this commit?"""
    named = bool(version) and same_version(health.version, version)
    return named or is_commit(health.version, commit) or is_commit(health.commit, commit)


def is_old(health: Health, context: Context) -> str:
    """What to say of a process that started before this step; "" for a younger one, or one that does not tell."""
    if not health.started or health.started >= context.opened_at.timestamp() - CLOCK_TOLERANCE:
        return ""
    return "the OLD process still answers: it started before this step began"


def _stays(plan: Plan) -> bool:
    return plan.commit == plan.previous_commit


def _shown(health: Health) -> str:
    return " ".join(filter(None, (health.version, health.commit[:10]))) or "a version that is not told"
