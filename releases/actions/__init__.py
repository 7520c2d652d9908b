"""What a step can do, one file a kind; loaded on first use."""

from functools import cache
from importlib import import_module

from releases.actions.base import Action

ACTIONS = {
    "backup": "releases.actions.backup.BackUp",
    "cache": "releases.actions.shell.Shell",
    "code": "releases.actions.code.Code",
    "drain": "releases.actions.shell.Shell",
    "features": "releases.actions.features.Features",
    "maintenance": "releases.actions.maintenance.Maintenance",
    "migrate": "releases.actions.shell.Shell",
    "preflight": "releases.actions.preflight.Preflight",
    "restart": "releases.actions.restart.Restart",
    "restore": "releases.actions.restore.Restore",
    "shell": "releases.actions.shell.Shell",
    "sql": "releases.actions.sql.Sql",
}
# Run again after an interruption without harm: they converge, or only look.
REPEATABLE = frozenset(ACTIONS) - {"shell", "restore"}


@cache
def action(kind: str) -> Action:
    """The one object that does actions of this kind; raises KeyError for a kind that the table does not name."""
    module, _, name = ACTIONS[kind].rpartition(".")
    return getattr(import_module(module), name)()
