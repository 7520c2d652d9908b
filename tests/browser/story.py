"""A world worth a picture: a shop on two environments, a deployment that goes on, one that took itself back."""

import hashlib
import math
import random
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from checks.models import Environment, Metric, MetricSnapshot
from releases.models import Deployment, Release, RunbookRevision
from tests import factories

RUNBOOK = Path(settings.BASE_DIR) / "demo" / "shop" / "RUNBOOK.md"
FEATURES = {"error_rate": "percent", "response_time": "ms", "orders": "per min"}
OUTPUTS = {
    "backup": "dump: 1.4 MB, sha256 9c1f40b2\nread back: 9 tables, 48 213 rows\n",
    "migrate": "Applying orders.0007_total_cents... OK\nApplying orders.0008_fill_totals... OK\n",
    "restart": "stopping gunicorn (pid 4121)... stopped\nstarting gunicorn (pid 4388)... ready\n",
    "code": "From /srv/git/shop\n * [new tag] v1.3 -> v1.3\nHEAD is now at 51c0e7a Recommendations\n",
}


def tell(now: datetime | None = None) -> Deployment:
    """The rows of the story; returns the deployment that waits for a person."""
    now = now or timezone.now()
    people = {name: factories.make_user(role, username=name) for name, role in STAFF.items()}
    service = factories.make_service(name="shop", title="Tea shop")
    revision = factories.make_revision(
        runbook=factories.make_runbook(service=service, name="RUNBOOK.md"),
        text=RUNBOOK.read_text(),
        imported_by="rita",
        imported_at=now - timedelta(days=9),
        published_by=people["rita"],
        published_at=now - timedelta(days=9),
    )
    staging = _place(service, "staging", now, order=1, time_scale=240, is_demo=True)
    production = _place(service, "production", now, order=2, is_protected=True, is_fenced=True)
    _history(revision, staging, production, people, now)
    return _waiting(revision, production, people, now)


STAFF = {"rita": "release_manager", "anton": "approver", "olga": "operator"}


def _place(service, name: str, now: datetime, **given) -> Environment:
    address = f"https://{'' if name == 'production' else name + '.'}tea.example"
    environment = factories.make_environment(service=service, name=name, base_url=address, **given)
    factories.make_database(environment=environment)
    chance = random.Random(name)
    for position, (metric, unit) in enumerate(FEATURES.items()):
        row = factories.make_metric(environment=environment, name=metric, unit=unit)
        _curve(row, chance, position, now)
    return environment


def _curve(metric: Metric, chance: random.Random, position: int, now: datetime) -> None:
    level = (0.4, 180.0, 42.0)[position]
    values = (
        level * (1 + 0.25 * math.sin(step / 7 + position) + chance.uniform(-0.1, 0.1)) for step in range(60)
    )
    MetricSnapshot.objects.bulk_create(
        MetricSnapshot(metric=metric, at=now - timedelta(seconds=5 * (60 - step)), value=round(value, 2))
        for step, value in enumerate(values)
    )


def _release(revision: RunbookRevision, version: str, user: User, at: datetime) -> Release:
    service = revision.runbook.service
    release = factories.make_release(
        service=service,
        version=version,
        commit=hashlib.sha1(version.encode()).hexdigest(),
        revision=revision,
        requested_by=user,
        requested_at=at,
    )
    for item in revision.document.items:
        if item.scope == "release" and item.role == "pre_deployment":
            seen = {"said": "pull requests 41 to 44, reviewed by Anton", "by": user.username}
            given = {"state": "ticked", "by": user, "at": at, "evidence": seen}
            factories.make_item(
                release=release, key=item.key, text=item.text, heading=item.heading, line=item.line, **given
            )
    return release


def _history(revision, staging, production, people, now) -> None:
    first = _release(revision, "v1.1", people["rita"], now - timedelta(days=8))
    _ran(first, production, people, now - timedelta(days=7), message="v1.1 is live")
    bad = _release(revision, "v1.2", people["rita"], now - timedelta(hours=5))
    bad.status = "bad"
    bad.save(update_fields=["status"])
    why = "rollback trigger 'error rate > 5 % for 2 minutes': 19.8 % for 2.1 minutes"
    gone = _ran(
        bad, staging, people, now - timedelta(hours=4), status="rolled_back", message=f"rolled back: {why}"
    )
    factories.make_incident(
        deployment=gone,
        title="v1.2 in shop/staging: one order in five fails",
        cause=why,
        status="mitigated",
        decision="rolled back to v1.1",
        opened_at=now - timedelta(hours=4),
    )
    start = now - timedelta(hours=3, minutes=58)
    factories.make_deployment(
        undoes=gone,
        status="succeeded",
        planned_at=start,
        started_at=start,
        live_at=None,
        ended_at=start + timedelta(seconds=41),
        message="v1.1 runs again",
        reason=why,
    )
    fixed = _release(revision, "v1.3", people["rita"], now - timedelta(hours=2))
    _ran(
        fixed, staging, people, now - timedelta(minutes=50), status="watching", message="live, being watched"
    )


def _ran(release, environment, people, at, *, status: str = "succeeded", message: str) -> Deployment:
    deployment = factories.make_deployment(
        release=release,
        environment=environment,
        status=status,
        planned_at=at,
        started_at=at,
        live_at=at + timedelta(minutes=1),
        ended_at=None if status == "watching" else at + timedelta(minutes=4),
        message=message,
    )
    factories.make_approval(deployment=deployment, by=people["anton"], at=at)
    return deployment


def _waiting(revision, production, people, now) -> Deployment:
    """v1.3 goes into production: everything up to the migration is done, a person has to look at one box."""
    release = Release.objects.get(version="v1.3")
    start = now - timedelta(minutes=6)
    plan = factories.make_plan_of(
        release,
        production,
        previous_version="v1.1",
        schema_changes=("orders/migrations/0007_total_cents.py",),
        databases=("default",),
        metrics=FEATURES,
    )
    deployment = factories.make_deployment(
        release=release,
        environment=production,
        plan=plan,
        status="waiting",
        planned_at=start,
        started_at=start,
        live_at=None,
        message="waits for a person: Nobody is in the middle of a campaign or a stock-taking",
    )
    factories.make_approval(deployment=deployment, by=people["anton"], at=start)
    _journal(deployment, plan, start)
    return deployment


def _journal(deployment: Deployment, plan, start: datetime) -> None:
    at = start
    chance = random.Random(7)
    for action in plan.actions[:9]:
        took = timedelta(seconds=chance.uniform(0.3, 9))
        attempt = factories.make_attempt(
            deployment=deployment,
            action=action.key,
            kind=action.kind,
            command=action.text,
            tail=OUTPUTS.get(action.kind, "ok\n"),
            opened_at=at,
            closed_at=at + took,
            result={"message": "exit code 0", "code": 0},
        )
        at += took
        done = [
            item.key
            for step in plan.steps
            if action in step.actions
            for item in step.items
            if item.by == "step"
        ]
        seen = {"attempts": [f"{action.title}: succeeded in {took.total_seconds():.1f} s"]}
        boxes = deployment.items.filter(key__in=done)
        boxes.update(state="ticked", attempt=attempt, at=at, evidence=seen)
