"""What a step can do, one file a kind; loaded on first use."""

from functools import cache
from importlib import import_module

from releases.actions.base import Action
from releases.plan.model import PlannedAction

ACTIONS = {
    "backup": "releases.actions.backup.BackUp",
    "cache": "releases.actions.shell.Shell",
    "code": "releases.actions.code.Code",
    "dependencies": "releases.actions.shell.Shell",
    "drain": "releases.actions.shell.Shell",
    "features": "releases.actions.features.Features",
    "http": "releases.actions.http.Http",
    "inspect": "releases.actions.shell.Shell",
    "logs": "releases.actions.logs.Logs",
    "maintenance": "releases.actions.maintenance.Maintenance",
    "migrate": "releases.actions.shell.Shell",
    "ping": "releases.actions.ping.Ping",
    "preflight": "releases.actions.preflight.Preflight",
    "restart": "releases.actions.restart.Restart",
    "restore": "releases.actions.restore.Restore",
    "revert": "releases.actions.revert.Revert",
    "shell": "releases.actions.shell.Shell",
    "sql": "releases.actions.sql.Sql",
    "tag": "releases.actions.shell.Shell",
    "trigger": "releases.actions.trigger.Trigger",
    "upload": "releases.actions.shell.Shell",
}
# Run again after an interruption without harm: they converge, or only look.
REPEATABLE = frozenset(ACTIONS) - {"http", "restore", "revert", "shell", "tag"}
ONLY_ASKS = ("GET", "HEAD")


def is_repeatable(action: PlannedAction) -> bool:
    """May it simply run again when it was interrupted?"""
    asks = action.kind == "http" and action.options.get("method", "GET").upper() in ONLY_ASKS
    return action.kind in REPEATABLE or asks or action.options.get("idempotent") == "true"


@cache
def action(kind: str) -> Action:
    """The one object that does actions of this kind; raises KeyError for a kind that the table does not name."""
    module, _, name = ACTIONS[kind].rpartition(".")
    return getattr(import_module(module), name)()
