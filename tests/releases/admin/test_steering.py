"""Pausing, ending, answering and going on through the page of a deployment, and what that page says of it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from checks.models import Environment
from releases.models import Deployment
from releases.plan.model import Plan, PlannedAction, from_json
from tests import factories
from tests.releases.admin.test_actions import press
from tests.releases.engine.test_run import outcomes, run
from tests.releases.world import RUNBOOK

pytestmark = pytest.mark.django_db
FAILS = RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}")


def actions_of(deployment: Deployment, *, changes: bool) -> list[PlannedAction]:
    plan: Plan = from_json(deployment.plan)
    return [each for each in plan.actions if each.changes is changes]


def broken(outcome: str = "failed", *, changes: bool = True) -> Deployment:
    """A deployment that waits, for one of its actions ended like that."""
    deployment = factories.make_deployment(status="waiting")
    action = actions_of(deployment, changes=changes)[0]
    given = {"kind": action.kind, "outcome": outcome, "reason": "somebody said so"}
    factories.make_attempt(deployment=deployment, action=action.key, **given)
    return deployment


def page(client, row, user=None) -> str:
    client.force_login(user or factories.make_superuser())
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return client.get(reverse(name, args=[row.pk])).content.decode()


def offers(client, deployment: Deployment) -> list[str]:
    """The titles of the buttons, those of a menu after its own title."""
    client.force_login(factories.make_superuser())
    address = reverse("admin:releases_deployment_change", args=[deployment.pk])
    found = client.get(address).context["actions_detail"]
    return [
        title for each in found for title in (each["title"], *(i["title"] for i in each.get("items", ())))
    ]


# --- pausing and ending ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "wants", "said"),
    [({}, "pause", "to pause at its next safe point"), ({"at_once": "on"}, "stop", "under way at once")],
)
def test_a_run_is_asked_to_pause(client, given, wants, said) -> None:
    deployment = factories.make_deployment(status="running")
    (message,) = press(
        client, deployment, "pause", factories.make_user("operator", username="olga"), reason="odd", **given
    )
    assert said in message
    assert (deployment.wants, deployment.message) == (wants, "paused by olga: odd")


def test_a_pause_needs_no_reason(client) -> None:
    deployment = factories.make_deployment(status="running")
    press(client, deployment, "pause", factories.make_user("operator"))
    assert "no reason given" in deployment.message


def test_an_approver_pauses_nothing(client) -> None:
    deployment = factories.make_deployment(status="running")
    (said,) = press(client, deployment, "pause", factories.make_user("approver"))
    assert ("may not deploy" in said, deployment.wants) == (True, "")


def test_what_waits_already_is_not_paused(client) -> None:
    deployment = factories.make_deployment(status="waiting")
    (said,) = press(client, deployment, "pause", factories.make_user("operator"))
    assert "does not run: it is waiting" in said


@pytest.mark.parametrize(
    ("status", "after", "said"),
    [
        ("waiting", "aborted", "is aborted"),
        ("paused", "aborted", "is aborted"),
        ("queued", "aborted", "is aborted"),
        ("running", "running", "asked to end at its next safe point"),
    ],
)
def test_a_run_is_ended_for_a_reason(client, status, after, said) -> None:
    deployment = factories.make_deployment(status=status)
    (message,) = press(client, deployment, "abort", factories.make_user("operator"), reason="wrong day")
    assert said in message
    assert (deployment.status, "wrong day" in deployment.message) == (after, True)


def test_an_abort_without_a_reason_stays_in_its_dialog(client) -> None:
    deployment = factories.make_deployment(status="waiting")
    client.force_login(factories.make_superuser())
    address = reverse("admin:releases_deployment_abort", args=[deployment.pk])
    assert "This field is required" in client.post(address, {"_form_submitted": "on"}).content.decode()
    deployment.refresh_from_db()
    assert deployment.status == "waiting"


def test_an_approver_aborts_nothing(client) -> None:
    deployment = factories.make_deployment(status="waiting")
    (said,) = press(client, deployment, "abort", factories.make_user("approver"), reason="I would")
    assert ("may not abort" in said, deployment.status) == (True, "waiting")


def test_under_maintenance_an_abort_is_neither_offered_nor_done(client) -> None:
    deployment = factories.make_deployment(status="waiting")
    Environment.objects.update(is_fenced=True)
    assert "Abort" not in offers(client, deployment)
    (said,) = press(client, deployment, "abort", factories.make_user("operator"), reason="wrong day")
    assert ("under maintenance" in said, deployment.status) == (True, "waiting")


# --- answering what did not succeed ---------------------------------------------------------------------------


def test_going_on_is_asked_for_and_a_worker_rung(client, rung) -> None:
    deployment = factories.make_deployment(status="paused")
    press(client, deployment, "go_on", factories.make_user("operator"))
    assert (deployment.wants, rung) == ("resume", [deployment.pk])


@pytest.mark.parametrize("outcome", ["failed", "error", "timed_out", "unknown"])
def test_what_did_not_succeed_is_tried_again(client, rung, outcome) -> None:
    deployment = broken(outcome)
    press(client, deployment, "retry", factories.make_user("operator"))
    assert deployment.attempts.latest("number").outcome == "aborted"
    assert (deployment.wants, rung) == ("resume", [deployment.pk])


def test_where_nothing_is_broken_nothing_is_tried_again(client, rung) -> None:
    deployment = factories.make_deployment(status="waiting")
    (said,) = press(client, deployment, "retry", factories.make_user("operator"))
    assert "is broken" in said
    assert (deployment.wants, rung) == ("", [])


def test_what_nobody_knows_counts_as_done_for_a_reason(client) -> None:
    deployment = broken("unknown")
    (said,) = press(client, deployment, "count_as_done", factories.make_user("operator"), reason="I saw it")
    assert said.endswith("counts as done; Go on takes it up again")
    note = deployment.attempts.latest("number")
    assert (note.outcome, "I saw it" in note.reason) == ("skipped", True)
    assert "Go on" in offers(client, deployment)


def test_what_failed_does_not_count_as_done(client) -> None:
    deployment = broken("failed")
    (said,) = press(client, deployment, "count_as_done", factories.make_user("operator"), reason="I hope")
    assert "was interrupted in the middle" in said
    assert deployment.attempts.count() == 1


def test_a_look_is_skipped_by_one_person(client) -> None:
    deployment = broken(changes=False)
    (said,) = press(client, deployment, "skip", factories.make_user("approver"), reason="a known flake")
    assert said.endswith("leaves it out; Go on takes it up again")
    assert deployment.attempts.latest("number").outcome == "skipped"


def test_an_operator_skips_nothing(client) -> None:
    deployment = broken(changes=False)
    (said,) = press(client, deployment, "skip", factories.make_user("operator"), reason="let me")
    assert "may not skip" in said
    assert deployment.attempts.count() == 1


def test_what_changes_the_service_is_skipped_by_two_and_goes_on(client, world, rung) -> None:
    world.publish(FAILS)
    world.mark("no-start")
    deployment = run(world.queued())
    (said,) = press(client, deployment, "skip", world.rita, reason="it <b>runs</b> already")
    box = deployment.items.get(asked_by=world.rita)
    assert "second person has to agree" in said
    assert reverse("admin:releases_checklistitem_change", args=[box.pk]) in said
    assert "&lt;b&gt;runs" in said
    shown = page(client, deployment)
    assert "not rita" in shown and f'id="box-{box.pk}"' in shown

    *_, refused = press(client, box, "tick", world.rita, evidence="I am sure")
    assert ("cannot agree to it" in refused, box.state) == (True, "open")
    *_, refused = press(client, box, "tick", world.olga, evidence="me too")
    assert ("may not skip" in refused, box.state) == (True, "open")
    press(client, box, "tick", world.anton, evidence="I saw it run")
    assert box.state == "ticked"

    assert rung == []
    press(client, deployment, "go_on", world.olga)
    assert rung == [deployment.pk]
    done = run(deployment)
    assert (done.status, outcomes(done)["start"]) == ("succeeded", "failed skipped")


def test_a_skip_that_was_turned_down_says_by_whom(client) -> None:
    deployment, asker = broken(), factories.make_user("approver")
    press(client, deployment, "skip", asker, reason="let us")
    box = deployment.items.get(asked_by=asker)
    press(client, box, "waive", factories.make_user("approver", username="anton"), reason="no")
    *_, said = press(client, deployment, "skip", asker, reason="please")
    assert said.startswith("anton turned it down")


@pytest.mark.parametrize(
    ("outcome", "titles"),
    [
        ("failed", ["Try again", "More", "Skip", "Abort", "Roll back"]),
        ("unknown", ["Try again", "More", "Count as done", "Skip", "Abort", "Roll back"]),
        ("skipped", ["Go on", "Abort", "Roll back"]),
        ("aborted", ["Go on", "Abort", "Roll back"]),
    ],
)
def test_the_buttons_follow_how_the_newest_attempts_ended(client, outcome, titles) -> None:
    assert offers(client, broken(outcome)) == titles


def test_of_an_action_only_its_newest_attempt_counts(client) -> None:
    deployment = broken("failed")
    factories.make_attempt(deployment=deployment, action=deployment.attempts.get().action)
    assert offers(client, deployment) == ["Go on", "Abort", "Roll back"]


def test_a_way_back_is_answered_but_neither_ended_nor_taken_back(client) -> None:
    back = factories.make_deployment(undoes=factories.make_deployment(status="failed"), status="waiting")
    assert offers(client, back) == ["Go on"]
    factories.make_attempt(deployment=back, action=from_json(back.plan).actions[0].key, outcome="unknown")
    assert offers(client, back) == ["Try again", "More", "Count as done", "Skip"]


# --- when it begins -------------------------------------------------------------------------------------------


@pytest.fixture
def approved() -> Deployment:
    """A deployment that only has to be started."""
    deployment = factories.make_deployment()
    factories.make_approval(deployment=deployment)
    return deployment


def test_a_deployment_begins_by_the_clock_and_nobody_is_rung_for_before(client, rung, approved) -> None:
    at = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    (said,) = press(client, approved, "deploy", factories.make_user("operator"), at=at.isoformat())
    assert (approved.status, approved.starts_at, rung) == ("queued", at, [])
    assert "stands in the queue: it begins" in said
    shown = page(client, approved)
    assert "T-0 on the clock" in shown and "<strong>In the queue:</strong> it begins" in shown


@pytest.mark.parametrize(
    ("at", "why"), [("soon", "write 18:00"), ("2020-01-01T18:00", "that is over"), ("26:00", "write 18:00")]
)
def test_a_time_that_cannot_be_stays_in_the_dialog(client, approved, at, why) -> None:
    client.force_login(factories.make_superuser())
    address = reverse("admin:releases_deployment_deploy", args=[approved.pk])
    answer = client.post(address, {"_form_submitted": "on", "at": at})
    assert why in answer.content.decode() and "--at" not in answer.content.decode()
    approved.refresh_from_db()
    assert approved.status == "planned"


def test_what_is_held_stands_in_line_when_that_is_asked(client, rung, approved) -> None:
    factories.make_hold(environment=approved.environment, reason="month-end closing")
    user = factories.make_user("operator")
    (refused,) = press(client, approved, "deploy", user)
    assert ("month-end closing" in refused, approved.status) == (True, "planned")
    *_, said = press(client, approved, "deploy", user, waits="on")
    assert ("month-end closing" in said, approved.status, rung) == (True, "queued", [])


@pytest.mark.parametrize("status", ["running", "queued"])
def test_the_page_says_which_deployment_a_queued_one_waits_for(client, status) -> None:
    first = factories.make_deployment(status=status, message="copies the database")
    second = factories.make_deployment(
        environment=first.environment, status="queued", started_at=timezone.now()
    )
    assert f"{first} is before it" in page(client, second)
    assert "copies the database" in page(client, second)


def test_the_page_says_when_the_window_opens(client) -> None:
    day = (timezone.now() + timedelta(days=3)).strftime("%a")
    environment = factories.make_environment(window=f"{day} 10:00-11:00 UTC")
    queued = factories.make_deployment(environment=environment, status="queued")
    assert "it opens" in page(client, queued)


# --- what the page says ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "wants", "said"),
    [
        ("running", "pause", "asked to pause"),
        ("running", "stop", "is being ended"),
        ("running", "abort", "asked to end for good"),
        ("running", "hand_over", "another one goes on"),
        ("paused", "resume", "asked to go on"),
    ],
)
def test_the_page_says_what_was_asked_of_it(client, status, wants, said) -> None:
    shown = page(client, factories.make_deployment(status=status, wants=wants))
    assert said in shown and 'hx-trigger="every 3s' in shown


def test_a_step_shows_its_time_and_how_late_it_began(client) -> None:
    zero = timezone.now() + timedelta(hours=2)
    deployment = factories.make_deployment(status="running", starts_at=zero)
    step = next(each for each in from_json(deployment.plan).steps if "Code" in each.title)
    at = zero - timedelta(minutes=10 - 25)
    for action in step.actions:
        factories.make_attempt(deployment=deployment, action=action.key, opened_at=at, closed_at=at)
    shown = page(client, deployment)
    assert "25 min late" in shown
    assert timezone.localtime(zero - timedelta(minutes=10)).strftime(">%H:%M</time>") in shown


def test_the_next_step_is_late_while_it_waits_and_a_deployment_that_ended_is_not(client) -> None:
    zero = timezone.now() - timedelta(minutes=20, seconds=5)
    assert "50 min late" in page(client, factories.make_deployment(status="waiting", starts_at=zero))
    assert "min late" not in page(client, factories.make_deployment(status="aborted", starts_at=zero))


def test_a_deployment_without_a_clock_shows_no_times(client) -> None:
    shown = page(client, factories.make_deployment(status="waiting"))
    assert "T-0 on the clock" not in shown and "g-due" not in shown


def test_the_page_of_an_attempt_shows_where_it_ran_with_what(client) -> None:
    attempt = factories.make_attempt(
        command="bin/shop restart",
        variables={"PORT": "8000", "TOKEN": "••••••"},
        idempotency_key="gantry-7-restart-1",
        tail="<b>ready</b>",
    )
    plan = attempt.deployment.plan
    action = next(each for step in plan["steps"] for each in step["actions"] if each["key"] == "preflight")
    action["options"] = {"host": "web1.internal"}
    Deployment.objects.filter(pk=attempt.deployment_id).update(plan=plan)
    shown = page(client, attempt)
    for words in ("web1.internal", "TOKEN</dt>", "••••••</dd>", "gantry-7-restart-1", "bin/shop restart"):
        assert words in shown, words
    assert "&lt;b&gt;ready" in shown and "<b>ready" not in shown
    assert "on web1.internal" in page(client, attempt.deployment)


def test_an_attempt_without_a_host_ran_beside_gantry(client) -> None:
    assert "<dd>Gantry's own</dd>" in page(client, factories.make_attempt())


@pytest.mark.parametrize(
    ("status", "words"), [("waiting", "waits for a person"), ("aborted", "never ticked")]
)
def test_an_open_box_of_a_deployment_that_is_over_waits_for_nobody(client, status, words) -> None:
    shown = page(client, factories.make_deployment(status=status))
    assert f'g-evidence">{words}' in shown
    assert ('g-evidence">waits for a person' in shown) is (status == "waiting")
