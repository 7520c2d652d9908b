"""Making plans: what they are made from, and whether one that stands would come out the same today."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path

from django.conf import settings

from checks.models import Environment
from releases import repository
from releases.lifecycle.versions import versions_of
from releases.models import Deployment, Release
from releases.plan.facts import Facts
from releases.plan.model import Plan, plan_hash

READERS = ("runbooks", "plan", "shell")


def make(release: Release, environment: Environment, facts: Facts | None = None) -> Plan:
    """The plan of a release for an environment as the world is now."""
    # Loaded on use: reading costs 0.2 s of start-up, and a plan that still holds is not made again.
    from releases.plan.make import make_plan

    return make_plan(release.revision.reviewed, facts or facts_of(release, environment))


def still_holds(deployment: Deployment, facts: Facts) -> bool:
    """Would its plan come out the same? Made from the same it does; else it is made again and compared."""
    if deployment.made_from == origin(deployment.release, facts):
        return True
    return plan_hash(make(deployment.release, deployment.environment, facts)) == deployment.plan_hash


def origin(release: Release, facts: Facts) -> str:
    """The sha256 (hex) of all that a plan is made from: text, decisions, facts, and the code that makes it."""
    revision = release.revision
    whole = [revision.sha256, sorted(map(list, revision.decided.items())), asdict(facts), _code()]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()


@cache
def _code() -> list[tuple[str, int, int]]:
    """Name, size and age of every file that has a part in making plans."""
    base = Path(__file__).parents[1]
    files = [path for folder in READERS for path in sorted((base / folder).iterdir()) if path.is_file()]
    words = [Path(settings.RUNBOOK_WORDS)] if settings.RUNBOOK_WORDS else []
    return [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in [*files, *words]]


def facts_of(release: Release, environment: Environment) -> Facts:
    """All that a plan is made from beside the reviewed text; changes nothing but git's object store."""
    folder = environment.folder
    tree = repository.look(folder)
    if not repository.has_commit(folder, release.commit):
        repository.fetch(folder)
    return Facts(
        service=release.service.name,
        environment=str(environment),
        version=release.version,
        commit=release.commit,
        previous_version=_name_of(release, tree),
        previous_commit=tree.commit,
        revision=release.revision.sha256,
        schema_changes=_schema_changes(release, environment, tree.commit),
        databases=tuple(environment.databases.values_list("name", flat=True)),
        metrics=dict(environment.metrics.values_list("name", "unit")),
        variables=versions_of(environment),
        hosts=tuple(environment.hosts.values_list("name", flat=True)),
        probes=tuple(environment.probes.values_list("name", flat=True)),
        has_health=bool(release.service.health.get("ready")),
        is_protected=environment.is_protected,
        time_scale=environment.time_scale,
    )


def _name_of(release: Release, tree: repository.WorkTree) -> str:
    known = (
        Release.objects.filter(service=release.service, commit=tree.commit).order_by("-requested_at").first()
    )
    return known.version if known else tree.name


def _schema_changes(release: Release, environment: Environment, running: str) -> tuple[str, ...]:
    globs = list(release.service.migrations)
    if not repository.has_commit(environment.folder, release.commit):
        return ()
    return repository.changed_paths(environment.folder, running, release.commit, globs=globs)
