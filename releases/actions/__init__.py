"""What a step can do, one file a kind; loaded on first use."""

from functools import cache
from importlib import import_module

from releases.actions.base import Action

ACTIONS = {
    "backup": "releases.actions.backup.BackUp",
    "cache": "releases.actions.shell.Converging",
    "code": "releases.actions.code.Code",
    "dependencies": "releases.actions.shell.Converging",
    "drain": "releases.actions.shell.Converging",
    "features": "releases.actions.features.Features",
    "http": "releases.actions.http.Http",
    "inspect": "releases.actions.shell.Converging",
    "logs": "releases.actions.logs.Logs",
    "maintenance": "releases.actions.maintenance.Maintenance",
    "migrate": "releases.actions.migrate.Migrate",
    "ping": "releases.actions.ping.Ping",
    "preflight": "releases.actions.preflight.Preflight",
    "ready": "releases.actions.ready.Ready",
    "restart": "releases.actions.restart.Restart",
    "restore": "releases.actions.restore.Restore",
    "revert": "releases.actions.revert.Revert",
    "shell": "releases.actions.shell.Shell",
    "sql": "releases.actions.sql.Sql",
    "tag": "releases.actions.shell.Shell",
    "trigger": "releases.actions.trigger.Trigger",
    "upload": "releases.actions.shell.Converging",
}


@cache
def action(kind: str) -> Action:
    """The one object that does actions of this kind; raises KeyError for a kind that the table does not name."""
    module, _, name = ACTIONS[kind].rpartition(".")
    return getattr(import_module(module), name)()
