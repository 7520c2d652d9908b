"""The databases as they were before the deployment that is taken back; the replaced ones are kept."""

import json
import shlex
import sys
from pathlib import Path

from django.conf import settings

from checks.gates.process import Command
from releases.actions.backup import COPIES_TIMEOUT, read_results
from releases.actions.base import Context, Observation, Visible, shell_command
from releases.backups.standalone import url_of
from releases.models import Backup
from releases.plan.model import PlannedAction
from releases.statuses import BackupStatus

STOP_THEN = "{stop}\ncd {base}\nPYTHONPATH={base} {python} -m releases.backups.put_back"


class Restore(Visible):
    """Stops the service by its own command, then puts the newest copy made by that deployment in place.

    Run again it finishes what was begun: the replaced database bears a name of this deployment.
    """

    def command(self, action: PlannedAction, context: Context) -> Command:
        """One script: the declared stop, then the module that puts the copies back."""
        base = shlex.quote(str(settings.BASE_DIR))
        stop = context.environment.service.commands.get("stop", "true")
        text = STOP_THEN.format(stop=stop, base=base, python=shlex.quote(sys.executable))
        command = shell_command(text, action, context)
        order = {
            "databases": [_order(backup, context) for backup in copies(context)],
            "stamp": f"{context.deployment.planned_at:%Y%m%d%H%M%S}",
        }
        results = {"results": str(restored_file(context))}
        env = {**command.env, "GANTRY_PUT_BACK": json.dumps({**order, **results})}
        limit = action.number("timeout", COPIES_TIMEOUT)
        return Command(argv=command.argv, env=env, cwd=command.cwd, timeout=limit, silence=limit)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Every database that has a copy was put back."""
        results = read_results(restored_file(context))
        if not results:
            return Observation(done=False, message="nothing was restored")
        shown = ", ".join(f"{each['name']} (the replaced one is kept as {each['kept']})" for each in results)
        return Observation(done=True, message=f"restored {shown}", evidence={"restored": results})


def restored_file(context: Context) -> Path:
    """Where the module writes what it put back: the script around it hands on variables of its own."""
    return context.handed_on.with_suffix(".restored")


def copies(context: Context) -> list[Backup]:
    """The newest verified copy of each database, made by the deployment that is undone; the fenced one wins."""
    undone = context.deployment.undoes_id or context.deployment.pk
    newest: dict[int, Backup] = {}
    for backup in Backup.objects.filter(deployment=undone, status=BackupStatus.VERIFIED).order_by(
        "started_at"
    ):
        newest[backup.database_id] = backup
    return list(newest.values())


def _order(backup: Backup, context: Context) -> dict[str, str]:
    return {
        "name": backup.database.name,
        "url": url_of(backup.database, context.variables),
        "path": backup.path,
        "sha256": backup.sha256,
    }
