"""Backups and restores outside a deployment: the same processes, recorded as rows."""

import json
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from checks.gates.process import Captured, capture
from checks.models import Database, Environment
from checks.probers.base import expanded
from checks.variables import variables_of
from releases import repository
from releases.errors import GantryError, WrongUsage
from releases.models import Backup
from releases.recorder import Add, Change, record
from releases.statuses import BackupStatus

LIMIT = 7200.0


class BackupFailed(GantryError):
    """No copy was made, or it could not be read back; the databases are as they were."""

    exit_code = 1


def backup_folder(environment: Environment) -> Path:
    """Where copies of an environment's databases lie."""
    return Path(settings.VAR_DIR) / "backups" / environment.service.name / environment.name


def order_of(environment: Environment, at: datetime, *, variables: dict[str, str]) -> list[dict[str, str]]:
    """What `releases.backups.copy` is told: name, URL and target file of each database."""
    folder, stamp = backup_folder(environment), at.strftime("%Y%m%d-%H%M%S-%f")
    return [
        {
            "name": each.name,
            "url": url_of(each, variables),
            "target": str(folder / f"{each.name}-{stamp}"),
        }
        for each in environment.databases.all()
    ]


def url_of(database: Database, variables: Mapping[str, str]) -> str:
    """The URL with its variables filled in; a relative SQLite path is one of the environment's folder."""
    url = expanded(database.url, variables)
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        return f"sqlite:///{Path(database.environment.folder) / url.removeprefix('sqlite:///')}"
    return url


def back_up(environment: Environment, *, by: str, at: datetime) -> list[Backup]:
    """Copy every database of an environment and read the copies back; raises BackupFailed."""
    variables = variables_of(environment)
    databases = order_of(environment, at, variables=variables)
    if not databases:
        raise WrongUsage(f"{environment} declares no database; add [[environment.database]] to its TOML")
    results = _run("releases.backups.copy", "GANTRY_COPY", databases, variables)
    rows = [_row(environment.databases.get(name=each["name"]), each, environment, at) for each in results]
    record(*map(Add, rows), by=by, at=timezone.now())
    return rows


def put_back(backup: Backup, *, by: str, at: datetime) -> str:
    """Put a copy in its database's place; returns the name under which the replaced one is kept."""
    environment = backup.database.environment
    variables = variables_of(environment)
    order = [
        {
            "name": backup.database.name,
            "url": url_of(backup.database, variables),
            "path": backup.path,
            "sha256": backup.sha256,
        }
    ]
    (result,) = _run("releases.backups.put_back", "GANTRY_PUT_BACK", order, variables)
    evidence = {**backup.evidence, "restored_at": at.isoformat(), "replaced_kept_as": result["kept"]}
    record(Change(backup, {"evidence": evidence}, verb="restored"), by=by, at=timezone.now())
    return str(result["kept"])


def of_environment(environment: Environment, number: str) -> Backup:
    """The backup with that number, or the newest for `latest`; raises WrongUsage naming what there is."""
    rows = Backup.objects.filter(database__environment=environment, status=BackupStatus.VERIFIED)
    found = (
        rows.first() if number == "latest" else rows.filter(pk=number).first() if number.isdigit() else None
    )
    if found is None:
        known = ", ".join(str(row.pk) for row in rows[:10]) or "none"
        raise WrongUsage(
            f"{environment} has no backup '{number}' (there is: {known}); `backup_database --list` shows them"
        )
    return found


def _run(
    module: str, name: str, databases: list[dict[str, str]], variables: dict[str, str]
) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="gantry-") as folder:
        results = Path(folder) / "results.json"
        order = json.dumps({"databases": databases, "results": str(results)})
        env = {**variables, "PYTHONPATH": str(settings.BASE_DIR), name: order}
        argv = (sys.executable, "-m", module)
        answer: Captured = capture(argv, cwd=str(settings.BASE_DIR), env=env, timeout=LIMIT)
        if answer.code != 0:
            lines = (answer.out + answer.err).strip().splitlines() or ["no output"]
            raise BackupFailed(lines[-1])
        found: list[dict[str, Any]] = json.loads(results.read_text())
        return found


def _row(database: Database, result: dict[str, Any], environment: Environment, at: datetime) -> Backup:
    return Backup(
        database=database,
        path=result["path"],
        sha256=result["sha256"],
        size=int(result["size"]),
        commit=_commit(environment),
        under_fence=environment.is_fenced,
        status=BackupStatus.VERIFIED,
        evidence=dict(result["evidence"]),
        started_at=at,
        ended_at=timezone.now(),
    )


def _commit(environment: Environment) -> str:
    try:
        return repository.look(environment.folder).commit
    except WrongUsage:
        return ""
