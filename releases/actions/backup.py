"""A verified copy of every database of the environment, in place of whatever dump command the block holds."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from checks.gates.process import Command
from checks.models import Database
from releases.actions.base import SILENCE, Context, Observation, Visible
from releases.backups.copy import sha256_of
from releases.backups.standalone import order_of
from releases.models import Backup
from releases.plan.model import PlannedAction
from releases.recorder import Add
from releases.runbooks.typed import dump_variables
from releases.statuses import BackupStatus

COPIES_TIMEOUT = 7200.0


class BackUp(Visible):
    """Done when every copy was read back whole; sets BACKUP_FILE for the blocks that follow."""

    def command(self, action: PlannedAction, context: Context) -> Command:
        """One process that copies all databases; what to copy goes by its environment."""
        databases = order_of(context.environment, _begun(context), variables=dict(context.variables))
        order = {"databases": databases, "results": str(context.handed_on)}
        return module_command("releases.backups.copy", "GANTRY_COPY", order, action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Rows for the copies, from what the process wrote at its end."""
        results = read_results(context.handed_on)
        databases = {each.name: each for each in context.environment.databases.all()}
        if not databases:
            nothing = "the environment declares no database"
            return Observation(done=True, message=nothing, evidence={"databases": 0})
        if not results:
            return Observation(done=False, message="no copy was made")
        shown = ", ".join(f"{each['name']} {each['size']} bytes in {each['seconds']} s" for each in results)
        return Observation(
            done=True,
            message=f"copied and read back: {shown}",
            evidence={"copies": results},
            changes=tuple(Add(_row(each, databases[each["name"]], context)) for each in results),
            # The variables that the block's own command would have written to, too: later lines read them.
            variables=dict.fromkeys(("BACKUP_FILE", *dump_variables(action.text)), results[0]["path"]),
        )

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Done when every copy that the process told of is as it was made."""
        return super().probe(action, context) and all(map(_is_whole, read_results(context.handed_on)))


def _row(result: dict[str, Any], database: Database, context: Context) -> Backup:
    return Backup(
        database=database,
        deployment=context.deployment,
        path=result["path"],
        sha256=result["sha256"],
        size=result["size"],
        commit=context.plan.previous_commit,
        under_fence=context.environment.is_fenced,
        status=BackupStatus.VERIFIED,
        evidence=result["evidence"],
        started_at=context.opened_at,
        ended_at=datetime.now(UTC),
    )


def _begun(context: Context) -> datetime:
    """When it was tried first: what an interrupted attempt left half-written is written over."""
    tries = context.deployment.attempts.filter(idempotency_key=context.key).order_by("pk")
    first = tries.first() if context.key else None
    return first.opened_at if first else context.opened_at


def _is_whole(result: dict[str, Any]) -> bool:
    path = Path(result["path"])
    return path.exists() and sha256_of(path) == result["sha256"]


def module_command(module: str, name: str, order: object, action: PlannedAction, context: Context) -> Command:
    """A module of Gantry as a process of its own, told what to do by one variable of its environment."""
    return Command(
        argv=(sys.executable, "-m", module),
        env={**context.variables, "PYTHONPATH": str(settings.BASE_DIR), name: json.dumps(order)},
        cwd=str(settings.BASE_DIR),
        timeout=action.number("timeout", COPIES_TIMEOUT),
        silence=action.number("silence", SILENCE * 6),
    )


def read_results(path: Path) -> list[dict[str, Any]]:
    """What a module wrote at its end; empty when it did not come so far."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return []
