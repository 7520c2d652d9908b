"""In a process with Gantry's settings: everything that people do before a deployment; prints what they know then.

`python -m tests.crash.prepare SERVICE.TOML RUNBOOK.MD`
"""

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.utils import timezone  # noqa: E402  (models need the settings)

from checks.models import Environment, Service  # noqa: E402
from releases.identity import create_token  # noqa: E402
from releases.lifecycle import deployments, environments, going_back, items, releases, runbooks  # noqa: E402
from releases.plan.model import Plan, from_json  # noqa: E402
from releases.statuses import RollbackClass  # noqa: E402
from tests.crash.steps import OWN  # noqa: E402
from tests.factories import make_user, settle_review  # noqa: E402


def main(toml: Path, runbook: Path) -> dict[str, Any]:
    """Register, publish, release, plan, approve; returns tokens and the actions of both directions."""
    at = timezone.now() - timedelta(minutes=1)
    rita, anton, olga = (
        make_user(role, username=name)
        for role, name in (("release_manager", "rita"), ("approver", "anton"), ("operator", "olga"))
    )
    environments.register(toml, by="rita", at=at)
    service, place = Service.objects.get(), Environment.objects.get()
    revision, _ = runbooks.import_text(service, runbook.read_text(), name="RUNBOOK.md", by="rita", at=at)
    settle_review(revision, by=anton, at=at)
    runbooks.publish(revision, user=rita, at=at)
    release, _ = releases.create(service, "v2", ref="v2", revision=revision, user=rita, at=at)
    for box in items.boxes_of(release, None):
        items.tick(box, user=rita, evidence="it was looked at", at=at)
    planned = deployments.plan(release, place, user=rita, at=at)
    deployments.approve(planned, user=anton, at=at)
    plan = from_json(planned.plan)
    back = going_back.way_back(planned, covers=RollbackClass.RESTORE)
    assert back is not None
    return {
        "token": create_token(olga, label="crash", days=1, by="olga", at=at),
        "actions": {"forward": actions_of(plan), "back": actions_of(back)},
    }


def actions_of(plan: Plan) -> list[tuple[str, str]]:
    """(key in the plan, name in the ledger) of every action."""
    return [(action.key, OWN.get(action.key, action.title)) for action in plan.actions]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]))))
