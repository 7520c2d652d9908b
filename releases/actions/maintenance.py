"""The maintenance fence: the author's command, then proof from outside."""

from checks.errors import Unreachable
from checks.gates.net import get
from releases.actions.base import Context, Observation, Visible, others_follow
from releases.plan.model import PlannedAction
from releases.recorder import Change


class Maintenance(Visible):
    """Done when a page answers 503 with Retry-After (on), or no longer 503 (off), asked from outside."""

    patience = 30.0

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """One request to the service's public page; unreachable is not yet. Of several hosts after the last one."""
        if others_follow(action):
            return Observation(done=True, message="looked at after the last host")
        wanted = action.options["state"]
        url = context.environment.url(context.environment.service.health.get("public", "/"))
        try:
            answer = get(url, timeout=5.0)
        except Unreachable as error:
            return Observation(done=None, message=str(error))
        retry_after = answer.headers.get("retry-after", "")
        is_on = answer.status == 503 and bool(retry_after)
        seen = f"{url} answers {answer.status}" + (f" with Retry-After {retry_after}" if retry_after else "")
        if is_on != (wanted == "on"):
            return Observation(done=None, message=f"{seen}, and maintenance should be {wanted}")
        problem = _liveness_problem(context)
        if problem:
            return Observation(done=None, message=problem)
        return Observation(
            done=True,
            message=seen,
            evidence={"url": url, "status": answer.status, "retry_after": retry_after},
            changes=(Change(context.environment, {"is_fenced": is_on}, verb=f"maintenance {wanted}"),),
        )


def _liveness_problem(context: Context) -> str:
    """Liveness stays 200 in maintenance, or whoever watches the processes would end them."""
    path = context.environment.service.health.get("live")
    if not path:
        return ""
    url = context.environment.url(path)
    try:
        status = get(url, timeout=5.0).status
    except Unreachable as error:
        return str(error)
    return "" if status == 200 else f"{url} answers {status}; liveness must stay 200 in maintenance"
