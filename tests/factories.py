"""Rows for tests: `make_x(**overrides)`; what is not said is made, so that a test says only what it is about."""

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from checks.models import (
    Database,
    Environment,
    Host,
    Metric,
    MetricSnapshot,
    Probe,
    ProbeResult,
    Service,
    Variable,
)
from releases.identity import create_token
from releases.lifecycle import reviews
from releases.models import (
    Approval,
    Attempt,
    Backup,
    ChecklistItem,
    Deployment,
    Feature,
    Grant,
    Hold,
    Incident,
    Release,
    Runbook,
    RunbookRevision,
)
from releases.plan.facts import Facts
from releases.plan.make import make_plan
from releases.plan.model import Plan, plan_hash, to_json
from releases.plan.ways import make_way_back
from releases.runbooks import review
from releases.statuses import DeploymentStatus, ItemState, Outcome, RevisionStatus

NOON = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
PASSWORD = "a-long-enough-password"
NUMBERS = count(1)

TEXT = """# Tea shop: deployment

## Pre-deployment checklist

- [ ] All pull requests are reviewed
- [ ] Release notes are written

## Deployment steps

### 1. Backup (T-30 minutes)

```bash {name=backup}
pg_dump --format=custom --file="$BACKUP_FILE" "$DATABASE_URL"
```

- [ ] Backup was restored on trial <!-- by: step -->
- [ ] Nobody is in the middle of a campaign <!-- by: confirm; scope: deployment -->

### 2. Code (T-10 minutes)

```bash
git fetch --tags
git checkout "$RELEASE_VERSION"
```

### 3. Restart (T-2 minutes)

```bash {name=restart}
bin/shop restart
```

- [ ] The new version answers <!-- by: step -->

### 4. Smoke test (T+5 minutes)

```bash {name=smoke}
bin/smoke "$BASE_URL"
```

- [ ] Orders go through <!-- by: person; scope: deployment -->

## Rollback triggers

- Error rate > 5% for more than 2 minutes

## Rollback procedure

### Code rollback (5 minutes)

```bash
git checkout "$PREVIOUS_VERSION"
bin/shop restart
```
"""


def _number() -> int:
    return next(NUMBERS)


# --- people ------------------------------------------------------------------------------------------


def make_user(role: str = "", *, environment: Environment | None = None, **overrides: Any) -> User:
    """A member of staff; with a role that is granted everywhere, or in one place.

    Only one that is given a `password` can sign in with it: hashing takes a third of a second.
    """
    given: dict[str, Any] = {"username": f"{role or 'user'}-{_number()}", "is_staff": True} | overrides
    user = User.objects.create_user(**given)
    if role:
        Grant.objects.create(user=user, role=role, environment=environment)
    return user


def token_for(user: User) -> str:
    """A token that proves the user for a day."""
    return create_token(user, label="tests", days=1, by=user.username, at=timezone.now())


def make_superuser(**overrides: Any) -> User:
    """Somebody who may everything."""
    return make_user(**{"is_superuser": True, **overrides})


# --- the world ---------------------------------------------------------------------------------------


def make_service(**overrides: Any) -> Service:
    """A service."""
    given = {"name": f"shop-{_number()}", "title": "Tea shop", "repository": "/srv/shop.git"}
    return Service.objects.create(**given | overrides)


def make_environment(**overrides: Any) -> Environment:
    """A place where a service runs."""
    service = overrides.pop("service", None) or make_service()
    given = {"name": "production", "folder": "/srv/shop", "base_url": "http://127.0.0.1:8000"}
    return Environment.objects.create(service=service, **given | overrides)


def make_variable(**overrides: Any) -> Variable:
    """A variable of an environment; `value` is its plain value."""
    value = overrides.pop("value", "plain value")
    environment = overrides.pop("environment", None) or make_environment()
    variable = Variable(environment=environment, **{"name": f"NAME_{_number()}"} | overrides)
    variable.value = value
    variable.save()
    return variable


def make_database(**overrides: Any) -> Database:
    """A database of an environment."""
    environment = overrides.pop("environment", None) or make_environment()
    return Database.objects.create(
        environment=environment, **{"url": "sqlite:////srv/shop.sqlite3"} | overrides
    )


def make_host(**overrides: Any) -> Host:
    """A machine of an environment."""
    environment = overrides.pop("environment", None) or make_environment()
    given = {"name": "deploy@your-server", "address": "deploy@shop.internal"}
    return Host.objects.create(environment=environment, **given | overrides)


def make_probe(**overrides: Any) -> Probe:
    """A question asked of an environment."""
    environment = overrides.pop("environment", None) or make_environment()
    given = {"name": f"front-{_number()}", "kind": "http", "target": "/", "conditions": ["[STATUS] == 200"]}
    return Probe.objects.create(environment=environment, **given | overrides)


def make_result(**overrides: Any) -> ProbeResult:
    """An answer to a probe."""
    probe = overrides.pop("probe", None) or make_probe()
    return ProbeResult.objects.create(
        probe=probe, **{"at": NOON, "verdict": "passed", "elapsed_ms": 12.0} | overrides
    )


def make_metric(**overrides: Any) -> Metric:
    """A named reading of an environment."""
    environment = overrides.pop("environment", None) or make_environment()
    return Metric.objects.create(
        environment=environment, **{"name": "error_rate", "unit": "percent"} | overrides
    )


def make_snapshot(**overrides: Any) -> MetricSnapshot:
    """A value of a metric."""
    metric = overrides.pop("metric", None) or make_metric()
    return MetricSnapshot.objects.create(metric=metric, **{"at": NOON, "value": "0.5"} | overrides)


# --- what is released ---------------------------------------------------------------------------------


def make_runbook(**overrides: Any) -> Runbook:
    """A service's checklist."""
    service = overrides.pop("service", None) or make_service()
    return Runbook.objects.create(service=service, **{"name": f"RUNBOOK-{_number()}.md"} | overrides)


def make_revision(**overrides: Any) -> RunbookRevision:
    """A published text of a runbook; `service` may stand for the runbook."""
    service = overrides.pop("service", None)
    runbook = overrides.pop("runbook", None) or make_runbook(service=service)
    text = overrides.pop("text", TEXT)
    given = {
        "number": runbook.revisions.count() + 1,
        "text": text,
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "status": RevisionStatus.PUBLISHED,
        "imported_by": "rita",
        "imported_at": NOON,
    }
    return RunbookRevision.objects.create(runbook=runbook, **given | overrides)


def settle_review(
    revision: RunbookRevision, *, level: str = "auto", by: User | None = None, at: datetime = NOON
) -> None:
    """Everything that a review leaves open, decided by somebody else than who publishes: all that runs is `level`."""
    by = by or make_user("approver")
    document = revision.document
    for step in review.steps_that_run(document):
        reviews.decide(revision, "level", step.key, level, user=by, at=at, why="it is a test")
    for choice in document.choices:
        reviews.decide(revision, "pick", choice.key, choice.options[0].key, user=by, at=at)
    for kind, subject in review.subjects(document):
        if kind == "accept":
            reviews.decide(revision, kind, subject, "yes", user=by, at=at, why="it is a test")


def make_release(**overrides: Any) -> Release:
    """A version of a service, without boxes."""
    service = overrides.pop("service", None) or make_service()
    number = _number()
    version = overrides.pop("version", f"v1.{number}")
    given = {
        "ref": version,
        "commit": f"{number:040x}",
        "revision": overrides.pop("revision", None) or make_revision(service=service),
        "requested_by": overrides.pop("requested_by", None) or make_user("release_manager"),
        "requested_at": NOON,
    }
    return Release.objects.create(service=service, version=version, **given | overrides)


def make_plan_of(release: Release, environment: Environment, **facts: Any) -> Plan:
    """The plan of a release for an environment that runs v1.0, as the planner makes it."""
    given: dict[str, Any] = {
        "service": release.service.name,
        "environment": str(environment),
        "version": release.version,
        "commit": release.commit,
        "previous_version": "v1.0",
        "previous_commit": "0" * 40,
        "revision": release.revision.sha256,
        "metrics": {"error_rate": "percent"},
        "time_scale": environment.time_scale,
    }
    return make_plan(release.revision.document, Facts(**given | facts))


def make_deployment(**overrides: Any) -> Deployment:
    """A planned deployment with its plan's boxes; another status brings the times and the lease that it needs.

    `undoes` makes it the way back of that deployment.
    """
    undoes = overrides.pop("undoes", None)
    environment = overrides.pop("environment", None) or (undoes.environment if undoes else make_environment())
    given_release = overrides.pop("release", None) or (undoes.release if undoes else None)
    release = given_release or make_release(service=environment.service)
    plan = overrides.pop("plan", None) or _plan(release, environment, is_back=undoes is not None)
    deployment = Deployment.objects.create(
        release=release,
        environment=environment,
        undoes=undoes,
        plan=to_json(plan),
        **{**_of_plan(release, environment, plan), **_of_status(overrides), **overrides},
    )
    for item in plan.items:
        if item.scope == "deployment":
            make_item(deployment=deployment, **_of_item(item))
    return deployment


def _plan(release: Release, environment: Environment, *, is_back: bool) -> Plan:
    plan = make_plan_of(release, environment)
    back = make_way_back(plan, covers=plan.rollback_class) if is_back else None
    return back or plan


def _of_plan(release: Release, environment: Environment, plan: Plan) -> dict[str, Any]:
    return {
        "number": environment.deployments.count() + 1,
        "requested_by": release.requested_by,
        "plan_hash": plan_hash(plan),
        "rollback_class": plan.rollback_class,
        "planned_at": NOON,
    }


def _of_status(overrides: dict[str, Any]) -> dict[str, Any]:
    status = DeploymentStatus(overrides.get("status", DeploymentStatus.PLANNED))
    found: dict[str, Any] = {}
    if status not in (DeploymentStatus.PLANNED, DeploymentStatus.ABORTED):
        found["started_at"] = NOON
    if status in (DeploymentStatus.WATCHING, DeploymentStatus.SUCCEEDED):
        found["live_at"] = NOON + timedelta(minutes=1)
    if status == DeploymentStatus.RUNNING:
        found["expires_at"] = NOON + timedelta(days=36500)
    if status.is_over:
        found["ended_at"] = NOON + timedelta(minutes=2)
    return found


def _of_item(item: Any) -> dict[str, Any]:
    return {
        "key": item.key,
        "text": item.text,
        "heading": item.heading,
        "line": item.line,
        "ticked_by": item.by,
        "is_required": item.required,
    }


def make_item(**overrides: Any) -> ChecklistItem:
    """An open box of a deployment, or of a release where only that is given; a closed one gets evidence."""
    deployment = overrides.pop("deployment", None)
    release = overrides.pop("release", None) or (deployment.release if deployment else make_release())
    given = {
        "key": f"{_number():040d}",
        "text": "Backup verified",
        "line": 7,
        "ticked_by": "person",
    } | overrides
    if given.get("state", ItemState.OPEN) != ItemState.OPEN:
        given = {"at": NOON, "evidence": {"said": "seen"}, "by": release.requested_by} | given
    return ChecklistItem.objects.create(release=release, deployment=deployment, **given)


def make_attempt(**overrides: Any) -> Attempt:
    """A succeeded attempt at the first action of a deployment's plan."""
    deployment = overrides.pop("deployment", None) or make_deployment(status=DeploymentStatus.RUNNING)
    key = overrides.get("action", "preflight")
    given = {
        "action": key,
        "kind": "shell",
        "number": deployment.attempts.filter(action=key).count() + 1,
        "epoch": 1,
        "outcome": Outcome.SUCCEEDED,
        "by": "worker",
        "opened_at": NOON,
        "closed_at": NOON + timedelta(seconds=2.5),
    } | overrides
    if given["outcome"] == Outcome.OPEN:
        given["closed_at"] = None
    return Attempt.objects.create(deployment=deployment, **given)


def make_approval(**overrides: Any) -> Approval:
    """A sign-off of a deployment's plan by somebody who did not request it."""
    deployment = overrides.pop("deployment", None) or make_deployment()
    given = {
        "role": "approver",
        "plan_hash": deployment.plan_hash,
        "by": overrides.pop("by", None) or make_user("approver"),
        "requested_by": deployment.requested_by,
        "at": NOON,
    }
    return Approval.objects.create(deployment=deployment, **given | overrides)


def make_incident(**overrides: Any) -> Incident:
    """An open incident."""
    deployment = overrides.pop("deployment", None)
    environment = overrides.pop("environment", None) or (
        deployment.environment if deployment else make_environment()
    )
    given = {
        "severity": "P1",
        "title": "one order in five fails",
        "cause": "error rate 20 % for 3 minutes",
        "opened_by": "worker",
        "opened_at": NOON,
    }
    return Incident.objects.create(environment=environment, deployment=deployment, **given | overrides)


def make_hold(**overrides: Any) -> Hold:
    """A hold that stands since noon until it is lifted; `environment=None` holds every one."""
    environment = overrides.pop("environment") if "environment" in overrides else make_environment()
    by = overrides.pop("by", None) or make_user("operator")
    given = {"reason": "the payment provider is down", "starts_at": NOON}
    return Hold.objects.create(environment=environment, by=by, **given | overrides)


def make_backup(**overrides: Any) -> Backup:
    """A verified copy."""
    database = overrides.pop("database", None) or make_database()
    given = {"path": "/srv/backups/shop.dump", "size": 123456, "status": "verified", "started_at": NOON}
    return Backup.objects.create(database=database, **given | overrides)


def make_feature(**overrides: Any) -> Feature:
    """A switch of an environment; `environment=None` makes it Gantry's own."""
    environment = overrides.pop("environment", None) if "environment" in overrides else make_environment()
    return Feature.objects.create(
        environment=environment, **{"key": f"feature-{_number()}", "is_on": True} | overrides
    )
