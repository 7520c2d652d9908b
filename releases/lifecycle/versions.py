"""Versions of all that a plan relies on and that stands outside of the runbook: they tell that it changed, not what."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.conf import settings

from checks.models import Environment


def versions_of(environment: Environment) -> dict[str, str]:
    """Name to version of the variables and secrets, hosts, databases, probes and features of an environment.

    And of its folder and address, and what its service declares. Names of variables have no space in them, all others
    do. No estimate and no time is among them.
    """
    return {name: _digest(name, value) for name, value in sorted(_relied_on(environment))}


def _relied_on(environment: Environment) -> Iterator[tuple[str, Any]]:
    yield from ((variable.name, variable.value) for variable in environment.variables.all())
    # Another machine, database or probe of the same name is another plan.
    for host in environment.hosts.all():
        yield f"host {host}", f"{host.address}:{host.port}"
    for database in environment.databases.all():
        yield f"database {database.name}", database.url
    for probe in environment.probes.all():
        yield (
            f"probe {probe.name}",
            [probe.kind, probe.target, probe.options, probe.conditions, probe.readings],
        )
    for feature in environment.features.all():
        yield f"feature {feature.key}", feature.is_on
    yield "the folder", environment.folder
    yield "the address", environment.base_url
    yield "the service", [environment.service.commands, environment.service.health]


def _digest(name: str, value: Any) -> str:
    """Keyed, so that nobody guesses a secret from its version."""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    return hashlib.sha256(f"{settings.SECRET_KEY}:{name}:{text}".encode()).hexdigest()[:12]
