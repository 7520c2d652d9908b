"""What keeps a deployment from starting, each with its sentence and exit code; and the clock of `--at`."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from releases.engine.run import carry_on
from releases.lifecycle import deployments, holds, items
from releases.models import Deployment
from releases.statuses import DeploymentStatus
from releases.tasks import tick
from tests.factories import make_deployment, make_environment, make_incident
from tests.releases.management.terminals import PAUSABLE, fresh, in_the_middle
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

D = DeploymentStatus
NIGHT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)  # a Saturday
BOXES = """## Pre-deployment checklist

- [ ] Deployed to production <!-- scope: release -->
- [ ] Deployed to staging <!-- scope: release -->

## Deployment steps"""


@pytest.fixture
def clock(monkeypatch):
    """`clock(moment)`: the time that the command line reads."""
    return lambda at: monkeypatch.setattr("releases.management.commands.deploy_release.now", lambda: at)


def window(world: World, text: str) -> None:
    world.environment.window = text
    world.environment.save()


# --- the window -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_outside_of_the_window_it_ends_with_5_and_says_when_it_opens(deploy, world: World, clock):
    planned = world.approved()
    window(world, "Mon-Thu 09:00-17:00 Europe/Berlin")
    clock(NIGHT)
    seen = deploy()
    assert (seen.code, fresh(planned).status) == (5, D.PLANNED)
    assert seen.err == (
        "gantry: tea/production is open for deployments Mon-Thu 09:00-17:00 Europe/Berlin, and not at "
        "Sat 21 Nov 04:00 CET; it opens Mon 23 Nov 2026 09:00 CET: start it then\n"
    )


@pytest.mark.django_db
def test_within_the_window_it_starts(deploy, world: World, clock):
    world.approved()
    window(world, "Mon-Sun 00:00-24:00 UTC")
    assert deploy().code == 0


@pytest.mark.django_db
def test_by_the_clock_the_window_is_asked_for_the_first_step_not_for_now(deploy, world: World, clock):
    world.approved()
    window(world, "Mon-Thu 09:00-17:00 Europe/Berlin")
    clock(NIGHT)
    inside = deploy("--at", "2026-11-23T12:00 Europe/Berlin", "--detach")
    assert inside.code == 0, inside
    Deployment.objects.update(status=D.PLANNED, started_at=None)
    # T-0 is in it, and the first step at T-10 is not.
    outside = deploy("--at", "2026-11-23T09:05 Europe/Berlin")
    assert (outside.code, "and not at Mon 23 Nov 08:55 CET" in outside.err) == (5, True), outside


# --- promotion ---------------------------------------------------------------------------------------------------


@pytest.fixture
def staging(world: World):
    """The environment that production comes after."""
    found = make_environment(service=world.service, name="staging")
    world.environment.after = found
    world.environment.save()
    return found


@pytest.mark.django_db
def test_what_did_not_succeed_in_staging_waits_with_3_and_names_the_way(deploy, world: World, staging):
    planned = world.approved()
    seen = deploy()
    assert (seen.code, seen.err.count("\n"), fresh(planned).status) == (3, 1, D.PLANNED)
    assert "tea/production comes after tea/staging, and tea v2" in seen.err
    assert "has to succeed there first: `deploy_release tea v2 --environment staging`" in seen.err


@pytest.mark.django_db
def test_what_is_still_watched_in_staging_has_not_succeeded_yet(deploy, world: World, staging):
    release = world.approved().release
    make_deployment(release=release, environment=staging, status="watching")
    seen = deploy()
    assert (seen.code, "is still watching there as #1; it has to succeed first" in seen.err) == (3, True)


@pytest.mark.django_db
def test_a_promotion_that_misses_is_not_waited_for_in_the_queue(deploy, world: World, staging, meanwhile):
    planned = world.approved()
    meanwhile()
    assert (deploy("--queue").code, fresh(planned).status) == (3, D.PLANNED)


@pytest.mark.django_db
def test_what_succeeded_in_staging_starts(deploy, world: World, staging):
    release = world.approved().release
    make_deployment(release=release, environment=staging, status="succeeded")
    assert deploy().code == 0


# --- boxes about environments --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_box_about_an_environment_blocks_not_the_deployment_into_it(deploy, world: World, staging):
    world.publish(RUNBOOK.replace("## Deployment steps", BOXES))
    release = world.release()
    make_deployment(release=release, environment=staging, status="succeeded")
    approve(world)
    seen = deploy()
    assert (seen.code, "1 boxes of tea v2 are open" in seen.err) == (3, True), seen
    assert "Deployed to staging" in seen.err and "Deployed to production" not in seen.err
    box = release.items.get(text="Deployed to staging")
    items.tick(box, user=world.rita, evidence="seen", at=timezone.now())
    assert deploy().code == 0
    assert release.items.get(text="Deployed to production").state == "open"


@pytest.mark.django_db
def test_what_happened_in_staging_is_offered_and_not_ticked(deploy, world: World, staging):
    world.publish(RUNBOOK.replace("## Deployment steps", BOXES))
    release = world.release()
    make_deployment(release=release, environment=staging, status="succeeded")
    approve(world)
    offered = json.loads(deploy("--dry-run", "--json").out)["offered"]
    assert [row.partition(": staging #1 of v2")[0] for row in offered] == ["line 7: Deployed to staging"]
    assert deploy("--yes", "--evidence", "x").code == 3
    assert set(release.items.values_list("state", flat=True)) == {"open"}


def approve(world: World) -> None:
    deployments.approve(world.planned(), user=world.anton, at=timezone.now())


# --- holds ---------------------------------------------------------------------------------------------------------


def hold(world: World) -> None:
    holds.put(world.environment, reason="month-end closing", user=world.rita, at=timezone.now())


def lift(world: World) -> None:
    for each in holds.standing(world.environment, timezone.now()):
        holds.lift(each, reason="closed", user=world.rita, at=timezone.now())


@pytest.mark.django_db
def test_a_hold_stops_what_began_at_its_next_step_until_it_is_lifted(deploy, world: World, monkeypatch):
    deployment = world.approved()
    put_at_the_first_step(world, monkeypatch)
    seen = deploy()
    held = fresh(deployment)
    assert (seen.code, held.status, held.due_at is not None) == (5, D.WAITING, True), seen
    assert "held before 'Pre-flight by Gantry': tea/production is held by rita" in seen.err
    Deployment.objects.update(due_at=timezone.now())
    assert (tick(), world.started) == (0, [])
    lift(world)
    assert (tick(), world.started) == (1, ["v2"])


def put_at_the_first_step(world: World, monkeypatch) -> None:
    """While Gantry's own pre-flight runs somebody stops the line."""

    def then_run(*given, **named):
        hold(world)
        monkeypatch.undo()
        return carry_on(*given, **named)

    monkeypatch.setattr("releases.management.commands.deploy_release.carry_on", then_run)


@pytest.mark.django_db
def test_a_rollback_is_held_by_nothing(deploy, gantry, world: World):
    world.approved()
    assert deploy().code == 0
    hold(world)
    make_incident(environment=world.environment)
    window(world, f"{timezone.localtime() - timedelta(days=2):%a} 09:00-17:00 UTC")
    waits = make_deployment(
        environment=world.environment, status="queued", started_at=timezone.now() - timedelta(minutes=5)
    )
    words = ["rollback_release", "tea", "v2", "--environment", "production", "--reason", "bad"]
    seen = gantry(*words, "--as", "olga", token_of=world.olga)
    assert (seen.code, world.running, world.started) == (0, "v1", ["v2", "v1"]), seen
    assert fresh(waits).status == D.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_hold_from_another_terminal_is_heeded_at_the_next_step(world: World, terminal):
    world.publish(PAUSABLE)
    deployment = world.approved()
    engine = terminal("deploy_release", "tea", "v2", "--json")
    in_the_middle(deployment)
    hold(world)
    world.mark("go")
    engine.ends(5)
    found = json.loads(engine.out)
    assert (found["status"], found["exit_code"], world.started) == ("waiting", 5, [])
    assert "held before '3. Start (T-0)': tea/production is held by rita" in found["message"]


# --- the clock -----------------------------------------------------------------------------------------------------

AT = [
    ("", "--at is ''; write 18:00, 18:00 Europe/Berlin or 2026-11-21T18:00+01:00"),
    ("soon", "--at is 'soon'; write 18:00"),
    ("25:00", "--at is '25:00'; write 18:00"),
    ("18:00 Middle/Earth", "--at is '18:00 Middle/Earth': "),
    ("2026-13-45T18:00", "--at is '2026-13-45T18:00': "),
    ("2026-03-29T02:30 Europe/Berlin", "jump over 02:30"),
    ("2020-01-01T18:00", "and that is over: it is"),
    ("0001-01-01T00:00+14:00", "and that is beyond the calendar; write"),
    ("9999-12-31T23:59-14:00", "and that is beyond the calendar; write"),
    ("2999-01-01T18:00", "and that is more than a year away"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("words", "message"), AT, ids=[words for words, _ in AT])
def test_a_time_that_cannot_be_is_one_sentence_and_starts_nothing(deploy, world: World, words, message):
    planned = world.approved()
    for how in ([], ["--queue"], ["--detach"], ["--dry-run"]):
        seen = deploy("--at", words, *how)
        assert (seen.code, seen.err.count("\n"), message in seen.err) == (2, 1, True), seen
    assert fresh(planned).status == D.PLANNED


@pytest.mark.django_db
def test_it_waits_until_the_first_steps_time_and_says_until_when(
    deploy, world: World, meanwhile, monkeypatch
):
    planned = world.approved()
    zero = (timezone.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    first = zero - timedelta(minutes=10)
    begins = []

    def nearly() -> None:
        begins.append(fresh(planned).status)
        monkeypatch.setattr(
            "releases.management.following.timezone.now", lambda: first - timedelta(seconds=1)
        )

    def then() -> None:
        begins.append(fresh(planned).status)
        monkeypatch.undo()
        Deployment.objects.update(starts_at=timezone.now())

    meanwhile(nearly, then)
    seen = deploy("--at", f"{zero:%Y-%m-%dT%H:%M}+00:00")
    assert (seen.code, begins) == (0, [D.QUEUED, D.QUEUED]), seen
    assert f"in the queue: it begins at {first:%Y-%m-%d %H:%M:%S} UTC" in seen.out


@pytest.mark.django_db
def test_a_hold_that_comes_before_the_time_is_waited_for(deploy, world: World, meanwhile):
    planned = world.approved()
    zero = timezone.now() + timedelta(hours=2)

    def held_at_its_time() -> None:
        hold(world)
        Deployment.objects.filter(pk=planned.pk).update(starts_at=timezone.now())

    meanwhile(held_at_its_time, lambda: lift(world))
    seen = deploy("--at", f"{zero:%Y-%m-%dT%H:%M}+00:00")
    assert (seen.code, "in the queue: tea/production is held by rita" in seen.out) == (0, True), seen


@pytest.mark.django_db(transaction=True)
def test_no_step_starts_before_its_time_on_the_demos_clock(world: World, terminal):
    # T-10 minutes are 12 s before T-0 there.
    world.environment.time_scale = 50
    world.environment.save()
    planned = world.approved()
    zero = (timezone.now() + timedelta(seconds=20)).replace(microsecond=0)
    typed = terminal("deploy_release", "tea", "v2", "--at", f"{zero:%Y-%m-%dT%H:%M:%S}+00:00", "--json")
    typed.shows(f"in the queue: it begins at {zero - timedelta(seconds=12):%Y-%m-%d %H:%M:%S} UTC")
    wait_until(lambda: fresh(planned).epoch == 1, within=60, what="the beginning")
    assert timezone.now() >= zero - timedelta(seconds=12)
    typed.ends(0)
    assert json.loads(typed.out)["status"] == "succeeded"
    begun = {each.action: each.opened_at for each in fresh(planned).attempts.all()}
    minutes = [(step["offset_minutes"], step["actions"]) for step in planned.plan["steps"]]
    due = {each["key"]: offset for offset, actions in minutes if offset is not None for each in actions}
    early = {key: offset for key, offset in due.items() if begun[key] < zero + timedelta(minutes=offset / 50)}
    assert (len(due) >= 3, early) == (True, {})


@pytest.mark.django_db
def test_by_the_clock_and_left_to_a_worker(deploy, world: World):
    planned = world.approved()
    zero = timezone.now() + timedelta(hours=2)
    seen = deploy("--at", f"{zero:%Y-%m-%dT%H:%M}+00:00", "--detach")
    assert (seen.code, "and waits: it begins at" in seen.out) == (0, True), seen
    assert (fresh(planned).status, fresh(planned).starts_at.minute) == (D.QUEUED, zero.minute)
