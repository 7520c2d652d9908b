"""Taking a version back by a new commit that undoes it."""

import re

from releases.actions.base import Context, Observation
from releases.actions.restart import Health
from releases.actions.trigger import Trigger, is_old, shows
from releases.plan.model import Plan, PlannedAction

PUSH = re.compile(r"^\s*git\s+(?:-C\s+\S+\s+)?push\b(?!.*\bHEAD:)", re.MULTILINE)
# `git push origin main` pushes the branch: without one the new commit would stay here, and git would say nothing.
NO_EDITOR = "export GIT_EDITOR=true\n"
ON_A_BRANCH = """\
git symbolic-ref --quiet HEAD >/dev/null || {
  echo "the folder stands on no branch, so the revert would not be pushed; check the branch out, nothing was done" >&2
  exit 1
}
"""


class Revert(Trigger):
    """A new commit is nobody's known version: done when the bad one is gone, and ready is a younger process."""

    def script(self, action: PlannedAction, plan: Plan) -> str:
        """The author's commands; git must not open an editor, and a push needs a branch."""
        return NO_EDITOR + (ON_A_BRANCH if PUSH.search(action.text) else "") + action.text

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Done when the bad version is gone; a second revert would undo the first."""
        return (_is_pushed(action) and bool(self.confirm(action, context).done)) or None

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Nothing to see where nothing is pushed: what restarts the service comes after it."""
        if not _is_pushed(action):
            return Observation(done=True)
        return super().confirm(action, context)

    def problem(self, health: Health, context: Context) -> str:
        """What speaks against it; "" when another version answers."""
        plan = context.plan
        if not (health.version or health.commit):
            return "the ready page names no version and no commit"
        if shows(health, plan.version, plan.commit):
            return f"{plan.version} ({plan.commit[:10]}) still answers"
        return is_old(health, context)


def _is_pushed(action: PlannedAction) -> bool:
    return bool(re.search(r"\bgit\b.*\bpush\b", action.text))
