"""Kinds of probes: one file a kind, one line here; loaded on first use."""

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from checks.errors import UnknownKind

if TYPE_CHECKING:
    from checks.probers.base import Prober

PROBERS = {
    "http": "checks.probers.http.HttpProber",
    "tcp": "checks.probers.tcp.TcpProber",
    "sql": "checks.probers.sql.SqlProber",
    "disk": "checks.probers.disk.DiskProber",
    "git": "checks.probers.git.GitProber",
    "environ": "checks.probers.environ.EnvironProber",
    "command": "checks.probers.command.CommandProber",
}


@cache
def prober(kind: str) -> "Prober":
    """The prober of a kind; raises UnknownKind, which lists the kinds there are."""
    if kind not in PROBERS:
        raise UnknownKind(f"unknown kind of probe {kind!r}; there is {', '.join(PROBERS)}")
    module, _, name = PROBERS[kind].rpartition(".")
    found: Prober = getattr(import_module(module), name)()
    return found
