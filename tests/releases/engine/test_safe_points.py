"""Between two actions: pause, abort, holds, withdrawn approvals; and going on without a step that did not succeed."""

from datetime import timedelta

import pytest
from django.utils import timezone

from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.errors import NotAllowed, WrongUsage
from releases.lifecycle import answers, going_back, holds, items, starting
from releases.models import Approval, Deployment
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus
from releases.tasks import tick
from tests.factories import make_incident, make_user
from tests.releases.engine.test_run import Loud, outcomes, run
from tests.releases.world import RUNBOOK, World

pytestmark = pytest.mark.django_db
D = DeploymentStatus
BACK = RUNBOOK.replace(
    "```bash {name=back-code}\n", "```bash {name=back-first}\ntrue\n```\n\n```bash {name=back-code}\n"
)
FAILS = RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}")


class Doing(Loud):
    """Progress that does something once, when an action ends or begins."""

    def __init__(self, do, *, after: str) -> None:
        super().__init__()
        self.do, self.after = do, after

    def ended(self, action, attempt) -> None:
        if action.title == self.after:
            self.do()


def wants(deployment: Deployment, what: str) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(wants=what, message=f"{what} asked by olga")


def hold(world: World) -> None:
    holds.put(world.environment, reason="month-end closing", user=world.rita, at=timezone.now())


def test_a_pause_is_heeded_between_two_actions_and_says_what_is_up(world: World):
    deployment = world.queued()
    paused = run(deployment, progress=Doing(lambda: wants(deployment, "pause"), after="look"))
    assert (paused.status, outcomes(paused)) == (D.PAUSED, {"Pre-flight": "succeeded", "look": "succeeded"})
    assert "maintenance is off, and tea/production stays held" in paused.message
    assert run(paused).status == D.SUCCEEDED


def test_what_was_paused_is_taken_up_by_a_worker_that_a_person_asks(world: World):
    deployment = world.queued()
    run(deployment, progress=Doing(lambda: wants(deployment, "pause"), after="look"))
    assert tick() == 0
    wants(deployment, "resume")
    assert tick() == 1
    deployment.refresh_from_db()
    assert (deployment.status, world.started) == (D.SUCCEEDED, ["v2"])


@pytest.mark.parametrize(
    ("after", "left"),
    [("look", "only what counts as a look had run"), ("code", "what was done stays as it is")],
)
def test_an_abort_ends_it_for_good_and_tells_what_is_left(world: World, after, left):
    deployment = world.queued()
    ended = run(deployment, progress=Doing(lambda: wants(deployment, "abort"), after=after))
    assert (ended.status, left in ended.message) == (D.ABORTED, True), ended.message


def test_a_hold_stops_it_before_its_next_step_and_it_goes_on_by_itself(world: World):
    deployment = world.queued()
    held = run(deployment, progress=Doing(lambda: hold(world), after="look"))
    assert (held.status, "month-end closing" in held.message) == (D.WAITING, True)
    Deployment.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert tick() == 0
    holds.lift(
        holds.standing(world.environment, timezone.now())[0],
        reason="closed",
        user=world.rita,
        at=timezone.now(),
    )
    assert tick() == 1
    held.refresh_from_db()
    assert (held.status, world.started) == (D.SUCCEEDED, ["v2"])


def test_what_was_held_and_then_waits_for_a_person_is_not_taken_up_by_itself(world: World):
    world.publish(FAILS)
    world.mark("no-start").touch()
    deployment = world.queued()
    held = run(deployment, progress=Doing(lambda: hold(world), after="look"))
    (standing,) = holds.standing(world.environment, timezone.now())
    holds.lift(standing, reason="closed", user=world.rita, at=timezone.now())
    waiting = run(held)
    assert (waiting.status, waiting.due_at) == (D.WAITING, None)


def test_a_hold_under_maintenance_does_not_stop_it(world: World):
    world.environment.is_fenced = True
    world.environment.save()
    deployment = world.queued()
    assert run(deployment, progress=Doing(lambda: hold(world), after="look")).status == D.SUCCEEDED


def test_an_incident_of_another_deployment_stops_it(world: World):
    deployment = world.queued()
    raised = Doing(lambda: make_incident(environment=world.environment), after="look")
    held = run(deployment, progress=raised)
    assert (held.status, "open incident" in held.message) == (D.WAITING, True)


def test_a_withdrawn_approval_stops_it(world: World):
    deployment = world.queued()
    withdraw = Doing(lambda: Approval.objects.update(withdrawn_at=timezone.now()), after="look")
    held = run(deployment, progress=withdraw)
    assert (held.status, "is not approved any more" in held.message) == (D.WAITING, True)


def test_nothing_holds_a_way_back(world: World):
    world.publish(BACK)
    done = run(world.queued())
    back = going_back.roll_back(done, user=world.olga, reason="bad", restore_data=False, at=timezone.now())
    assert run(back, progress=Doing(lambda: hold(world), after="back-first")).status == D.SUCCEEDED


# --- going on without a step --------------------------------------------------------------------------------


@pytest.fixture
def broken(world: World) -> Deployment:
    """A deployment that waits, for its step that starts the service failed."""
    world.publish(FAILS)
    world.mark("no-start").touch()
    waiting = run(world.queued())
    assert waiting.status == D.WAITING
    return waiting


def test_the_message_of_a_failed_step_offers_every_way_on(broken: Deployment):
    for way in ("--retry", "--count-as-done", "--skip", "rollback_release", "stop_release --abort"):
        assert way in broken.message


def test_what_changes_the_service_is_skipped_by_two(world: World, broken: Deployment):
    box = answers.skip(broken, user=world.rita, reason="it runs already", at=timezone.now())
    assert run(broken).status == D.WAITING
    with pytest.raises(NotAllowed, match=r"asked for .* and cannot agree"):
        items.tick(box, user=world.rita, evidence="me", at=timezone.now())
    items.tick(box, user=world.anton, evidence="I saw it run", at=timezone.now())
    done = run(broken)
    assert (done.status, outcomes(done)["start"]) == (D.SUCCEEDED, "failed skipped")
    reason = done.attempts.get(outcome="skipped").reason
    assert "it runs already (asked by rita), agreed to by anton: I saw it run" in reason


def test_an_agreement_to_one_failure_is_none_to_the_next(world: World, broken: Deployment):
    box = answers.skip(broken, user=world.rita, reason="it runs already", at=timezone.now())
    answers.retry(broken, user=world.olga, at=timezone.now())
    failed_again = run(broken)
    assert (failed_again.status, outcomes(broken)["start"]) == (D.WAITING, "failed aborted failed")
    with pytest.raises(WrongUsage, match="went on since"):
        items.tick(box, user=world.anton, evidence="I saw it run", at=timezone.now())
    box.refresh_from_db()
    assert box.state == "open"
    assert answers.skip(broken, user=world.rita, reason="it runs already", at=timezone.now()) != box


def test_who_only_looks_cannot_agree(world: World, broken: Deployment):
    box = answers.skip(broken, user=world.rita, reason="it runs already", at=timezone.now())
    with pytest.raises(NotAllowed, match="may not"):
        items.tick(box, user=make_user("viewer", username="vera"), evidence="so what", at=timezone.now())


def test_asked_twice_it_is_one_box(world: World, broken: Deployment):
    first = answers.skip(broken, user=world.rita, reason="one", at=timezone.now())
    assert answers.skip(broken, user=world.rita, reason="two", at=timezone.now()) == first


def test_a_look_is_skipped_by_one(world: World):
    world.publish(RUNBOOK.replace("{name=look}", "{name=look on_fail=wait}"))
    (world.folder / "no-look").touch()
    waiting = run(world.queued())
    answers.skip(waiting, user=world.rita, reason="known", at=timezone.now())
    done = run(waiting)
    assert (done.status, outcomes(done)["look"]) == (D.SUCCEEDED, "failed skipped")


def test_where_nothing_is_broken_there_is_nothing_to_skip(world: World):
    deployment = world.queued()
    paused = run(deployment, progress=Doing(lambda: wants(deployment, "pause"), after="look"))
    with pytest.raises(WrongUsage, match=r"no step of .* is broken"):
        answers.skip(paused, user=world.rita, reason="why not", at=timezone.now())


def test_what_has_not_been_taken_up_is_not_answered(world: World):
    with pytest.raises(WrongUsage, match="is queued: take it up with --resume first"):
        answers.retry(world.queued(), user=world.olga, at=timezone.now())


def test_what_failed_is_no_interruption_and_does_not_count_as_done(world: World, broken: Deployment):
    with pytest.raises(WrongUsage, match=r"nothing of .* was interrupted"):
        answers.count_as_done(broken, user=world.olga, reason="I hope so", at=timezone.now())


def test_an_answer_is_heeded_by_whoever_carries_on(world: World, broken: Deployment):
    world.mark("no-start").unlink()
    answers.retry(broken, user=world.olga, at=timezone.now())
    answers.resume(broken, user=world.olga, at=timezone.now())
    assert tick() == 1
    done = Deployment.objects.get(pk=broken.pk)
    assert (done.status, outcomes(done)["start"]) == (D.SUCCEEDED, "failed aborted succeeded")
    last = done.attempts.latest("pk").action
    first, note, second = done.attempts.filter(action=last).order_by("number")
    assert first.idempotency_key != note.idempotency_key == second.idempotency_key


# --- the clock ------------------------------------------------------------------------------------------------


def test_steps_start_no_earlier_than_their_time_and_lateness_is_shown(world: World):
    world.environment.time_scale = 600
    world.environment.save()
    deployment = world.approved()
    zero = timezone.now() + timedelta(seconds=2)
    starting.queue(deployment, user=world.olga, at=timezone.now(), starts_at=zero)
    progress = Loud()
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    done = carry_on(deployment, lease, by="olga", progress=progress)
    begun = {attempt.action: attempt.opened_at for attempt in done.attempts.all()}
    starts = [begun[action["key"]] for step in done.plan["steps"] for action in step["actions"]][1:]
    assert [
        round((at - zero).total_seconds(), 1) >= due for at, due in zip(starts, (-1, -0.5, 0), strict=True)
    ] == [True] * 3
    assert done.status == D.SUCCEEDED
    assert not any("late" in note for note in progress.notes)


def test_a_step_that_starts_late_says_how_late(world: World):
    deployment = world.approved()
    starting.queue(
        deployment, user=world.olga, at=timezone.now(), starts_at=timezone.now() - timedelta(minutes=7)
    )
    progress = Loud()
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    carry_on(deployment, lease, by="olga", progress=progress)
    late = [note for note in progress.notes if "late" in note]
    assert late == [f"{minutes} min late on the clock" for minutes in (17, 17, 12, 7)]


def test_a_deployment_with_a_time_is_left_alone_until_then(world: World):
    deployment = world.approved()
    starting.queue(
        deployment, user=world.olga, at=timezone.now(), starts_at=timezone.now() + timedelta(hours=1)
    )
    Deployment.objects.update(started_at=timezone.now() - timedelta(minutes=1))
    assert tick() == 0
    Deployment.objects.update(starts_at=timezone.now())
    assert tick() == 1
    assert Deployment.objects.get().status == D.SUCCEEDED


def test_the_queue_is_served_in_order(world: World):
    first, second = world.queued(), None
    second = world.approved("v1")
    with pytest.raises(Exception, match="is held by deployment #1"):
        starting.queue(second, user=world.olga, at=timezone.now())
    starting.queue(second, user=world.olga, at=timezone.now(), waits=True)
    assert starting.ahead_of(second) == first
    assert starting.ahead_of(first) is None
    assert run(first, progress=Silent()).status == D.SUCCEEDED
    assert starting.ahead_of(second) is None
