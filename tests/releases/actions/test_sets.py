"""A restart over several hosts: what is seen of it while others still run what they ran."""

from dataclasses import replace
from datetime import timedelta

import pytest

from releases.actions import action as handler_of
from releases.actions.base import is_taken_up
from releases.plan.hosts import expanded
from releases.plan.model import PlannedAction, PlannedStep
from tests.factories import make_attempt

pytestmark = pytest.mark.django_db


def on_hosts(kind: str, **options: str) -> list[PlannedAction]:
    action = PlannedAction(key="k", kind=kind, title=kind, options={"hosts": "web*", **options})
    (step,) = expanded([PlannedStep(key="s", title="s", phase="before", actions=(action,))], ("web1", "web2"))
    return list(step.actions)


def test_the_first_host_is_done_while_the_old_version_still_answers(context, service):
    service.body = {"version": "v1.0", "started_at": 1}
    first, last = on_hosts("restart")
    assert handler_of("restart").confirm(first, context).done
    assert handler_of("restart").confirm(last, context).done is None


def test_the_last_host_is_done_when_every_process_is_younger_than_the_first_attempt(context, service):
    first, last = on_hosts("restart")
    before = context.opened_at - timedelta(minutes=5)
    make_attempt(deployment=context.deployment, action=first.key, kind="restart", opened_at=before)
    service.body = {"version": "v1.1", "started_at": (before + timedelta(minutes=1)).timestamp()}
    assert handler_of("restart").confirm(last, context).done
    service.body = {"version": "v1.1", "started_at": (before - timedelta(minutes=1)).timestamp()}
    assert handler_of("restart").confirm(last, context).done is None


def test_maintenance_is_looked_at_after_the_last_host(context, service):
    first, last = on_hosts("maintenance", state="on")
    assert handler_of("maintenance").confirm(first, context).done
    assert handler_of("maintenance").confirm(last, context).done is None


def test_what_runs_on_a_host_is_found_there_again_and_what_gantry_does_itself_is_not(context):
    shell = PlannedAction(key="k", kind="shell", title="s", options={"host": "web1"})
    assert is_taken_up(shell)
    assert not is_taken_up(replace(shell, options={}))
    assert not is_taken_up(replace(shell, kind="backup"))
