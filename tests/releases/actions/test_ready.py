"""The look between two batches, at a real web server and a real probe."""

from dataclasses import replace

import pytest

from releases.actions import action as handler_of
from releases.plan.model import PlannedAction
from tests.factories import make_probe

pytestmark = pytest.mark.django_db


def look(context, **options):
    return handler_of("ready").confirm(
        PlannedAction(key="k#1-ready", kind="ready", title="Health", options=options), context
    )


def test_a_service_that_is_ready_three_times_running_is_well(context, service):
    service.body = {"version": "of any version"}
    seen = look(context)
    assert (seen.done, len(service.asked)) == (True, 3)
    assert seen.message == f"{service.url}/health answers 200, 3 times running"


@pytest.mark.parametrize("status", [500, 503])
def test_one_that_is_not_is_asked_again(context, service, status):
    service.status = status
    seen = look(context)
    assert (seen.done, seen.message) == (None, f"not well: {service.url}/health answers {status}")


def test_the_probe_that_the_fence_names_is_asked_in_its_place(context, service):
    make_probe(
        environment=context.environment,
        name="site",
        kind="http",
        target=f"{service.url}/page",
        conditions=["[STATUS] == 200"],
    )
    assert look(context, health="site").done
    assert {asked["path"] for asked in service.asked} == {"/page"}
    service.status = 500
    seen = look(context, health="site")
    assert (seen.done, seen.message.startswith("not well: probe site: ")) == (None, True)


def test_nothing_is_run_and_after_an_interruption_it_is_asked_again(context):
    action = PlannedAction(key="k", kind="ready", title="Health")
    handler = handler_of("ready")
    assert handler.command(action, replace(context, key="x")) is None
    assert handler.probe(action, context) is False
