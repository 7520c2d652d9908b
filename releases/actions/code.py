"""The release's commit in the environment's folder, exactly, and nothing that is not committed."""

import re
import shlex

from releases import repository
from releases.actions.base import HOST, Context, Observation, Visible, target_of
from releases.hosts.look import look
from releases.plan.model import Plan, PlannedAction
from releases.runbooks.commands import pipelines
from releases.runbooks.script import lines

CHECKOUT = """\
mark=$(git rev-parse --git-path gantry-checkout)
forced=
if [ "$(cat "$mark" 2>/dev/null)" = {commit} ]; then
  rm -f "$(git rev-parse --git-path index.lock)" # its git died in the middle of this very checkout
  git --no-pager diff HEAD >"$mark.diff"
  echo "an interrupted checkout is finished; how the folder differed is kept in $mark.diff"
  forced=--force
elif [ -n "$(git status --porcelain --untracked-files=no)" ]; then
  git --no-pager diff HEAD
  echo "the folder has changes that are not committed; commit or stash them, nothing was touched" >&2
  exit 1
fi
git {fetch}
printf %s {commit} >"$mark"
git checkout --quiet $forced --detach {commit} || {{ rm -f "$mark"; exit 1; }}
rm -f "$mark"
git --no-pager log -1 --oneline"""

CHANGES_FOLDER = re.compile(r"cd\s+\S")


class Code(Visible):
    """Takes the block's place: whatever branch it names, the approved commit is checked out."""

    patience = 5.0

    def script(self, action: PlannedAction, plan: Plan) -> str:
        """Refuse a dirty tree, fetch, check the plan's commit out."""
        text = CHECKOUT.format(fetch=shlex.join(repository.FETCH), commit=plan.target_commit)
        return _folder_there(action) + text

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """HEAD is the commit of the plan."""
        if HOST in action.options:
            return _look_there(action, context)
        tree = repository.look(context.environment.folder)
        seen = f"{context.environment.folder} is at {tree.commit[:10]}"
        return Observation(
            done=tree.commit == context.plan.target_commit, message=seen, evidence={"commit": tree.commit}
        )


def _folder_there(action: PlannedAction) -> str:
    """On a host the block itself says where the code is."""
    rows = lines(action.text) if HOST in action.options else []
    commands = [piped[0] for row in rows for piped in pipelines(row)]
    return "".join(f"{command}\n" for command in commands if CHANGES_FOLDER.match(command))


def _look_there(action: PlannedAction, context: Context) -> Observation:
    target = target_of(action.options[HOST], context.environment)
    seen = look(target, _folder_there(action) + "git rev-parse HEAD", variables=context.variables)
    host, commit = action.options[HOST], seen.out.strip()
    if seen.code != 0:
        return Observation(
            done=False, message=f"{host} does not tell its commit: {(seen.err or seen.out).strip()}"
        )
    return Observation(
        done=commit == context.plan.target_commit,
        message=f"{host} is at {commit[:10]}",
        evidence={"host": host, "commit": commit},
    )
