"""The release's commit in the environment's folder, exactly, and nothing that is not committed."""

import re
import shlex

from checks.gates.process import Command, capture
from releases import repository
from releases.actions.base import HOST, Action, Context, Observation, host_argv, script_command
from releases.plan.model import PlannedAction
from releases.runbooks.commands import pipelines
from releases.runbooks.script import lines

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

CHANGES_FOLDER = re.compile(r"cd\s+\S")


class Code(Action):
    """Takes the block's place: whatever branch it names, the approved commit is checked out."""

    patience = 5.0

    def command(self, action: PlannedAction, context: Context) -> Command:
        """Refuse a dirty tree, fetch, check the plan's commit out."""
        text = CHECKOUT.format(fetch=shlex.join(repository.FETCH), commit=context.plan.target_commit)
        return script_command(_folder_there(action) + text, action, context)

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
    scratch = context.handed_on.with_suffix(".look")
    text = _folder_there(action) + "git rev-parse HEAD"
    seen = capture(
        host_argv(text, action, context, scratch), cwd=context.environment.folder, env=context.variables
    )
    scratch.unlink(missing_ok=True)
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
