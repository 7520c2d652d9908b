"""What the planner must know of the world; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the planner must know of the world: who runs where now, and what changes between the two commits.

    `has_health`: the service has a page that tells whether it is ready.
    """

    service: str
    environment: str
    version: str
    commit: str
    previous_version: str
    previous_commit: str
    revision: str
    schema_changes: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    has_health: bool = False
    is_protected: bool = False
    time_scale: int = 1
