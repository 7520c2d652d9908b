"""The release's commit in the environment's folder, exactly, and nothing that is not committed."""

import shlex

from checks.gates.process import Command
from releases import repository
from releases.actions.base import Action, Context, Observation, shell_command
from releases.plan.model import PlannedAction

CHECKOUT = """\
changes=$(git status --porcelain --untracked-files=no)
if [ -n "$changes" ]; then
  git --no-pager diff HEAD
  echo "the folder has changes that are not committed; commit or stash them, nothing was touched" >&2
  exit 1
fi
git {fetch}
git checkout --quiet --detach {commit}
git --no-pager log -1 --oneline"""


class Code(Action):
    """Takes the block's place: whatever branch it names, the approved commit is checked out."""

    patience = 5.0

    def command(self, action: PlannedAction, context: Context) -> Command:
        """Refuse a dirty tree, fetch, check the plan's commit out."""
        text = CHECKOUT.format(fetch=shlex.join(repository.FETCH), commit=context.plan.target_commit)
        return shell_command(text, action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """HEAD is the commit of the plan."""
        tree = repository.look(context.environment.folder)
        seen = f"{context.environment.folder} is at {tree.commit[:10]}"
        return Observation(
            done=tree.commit == context.plan.target_commit, message=seen, evidence={"commit": tree.commit}
        )
