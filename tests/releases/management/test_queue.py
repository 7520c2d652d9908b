"""`--queue`: a held environment is waited for, in order, and says for what."""

import signal
from datetime import timedelta

import pytest
from django.utils import timezone

from checks.audit import first_bad_entry
from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.lifecycle import deployments, going_back, holds, starting
from releases.models import Deployment, Incident
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus
from releases.tasks import tick
from tests.factories import make_deployment, make_incident
from tests.releases.management.terminals import LINGERS, fresh, in_the_middle
from tests.releases.world import RUNBOOK, World, commit

D = DeploymentStatus
STAYS = RUNBOOK.replace('git fetch --tags\ngit checkout "$RELEASE_VERSION"', "true").replace(
    "cat VERSION >>", 'echo "$RELEASE_VERSION" >>'
)


def hold(world: World) -> None:
    holds.put(world.environment, reason="month-end closing", user=world.rita, at=timezone.now())


def lift(world: World) -> None:
    for each in holds.standing(world.environment, timezone.now()):
        holds.lift(each, reason="closed", user=world.rita, at=timezone.now())


def raise_incident(world: World) -> None:
    make_incident(environment=world.environment, title="orders fail")


def resolve(world: World) -> None:
    Incident.objects.update(status="resolved")


def close_window(world: World) -> None:
    yesterday = timezone.localtime() - timedelta(days=2)
    world.environment.window = f"{yesterday:%a} 09:00-17:00 UTC"
    world.environment.save()


def open_window(world: World) -> None:
    world.environment.window = ""
    world.environment.save()


def occupy(world: World) -> None:
    make_deployment(environment=world.environment, status="paused", message="look at the orders first")


def leave(world: World) -> None:
    Deployment.objects.filter(status=D.PAUSED).update(status=D.FAILED, ended_at=timezone.now())


def queue_another(world: World) -> None:
    make_deployment(
        environment=world.environment, status="queued", started_at=timezone.now() - timedelta(hours=1)
    )


def withdraw_it(world: World) -> None:
    Deployment.objects.exclude(release__version="v2").update(status=D.ABORTED, ended_at=timezone.now())


OBSTACLES = [
    (hold, lift, "is held by rita since", "month-end closing"),
    (raise_incident, resolve, "is held by an open incident", "orders fail"),
    (close_window, open_window, "is open for deployments", "it opens"),
    (occupy, leave, "paused", "#2"),
    (queue_another, withdraw_it, "queued", "#2"),
]
IDS = ["hold", "incident", "window", "another one", "an earlier one in the queue"]


@pytest.mark.django_db
@pytest.mark.parametrize(("put", "end", "words", "who"), OBSTACLES, ids=IDS)
def test_what_holds_the_environment_ends_it_with_5_at_once_and_is_named(
    deploy, world: World, put, end, words, who
):
    planned = world.approved()
    put(world)
    seen = deploy()
    assert (seen.code, seen.err.count("\n"), seen.out) == (5, 1, ""), seen
    assert words in seen.err and who in seen.err
    assert (fresh(planned).status, world.started) == (D.PLANNED, [])


@pytest.mark.django_db
@pytest.mark.parametrize(("put", "end", "words", "who"), OBSTACLES, ids=IDS)
def test_in_the_queue_it_says_for_what_and_begins_by_itself(
    deploy, world: World, meanwhile, put, end, words, who
):
    world.approved()
    put(world)
    meanwhile(lambda: None, lambda: end(world))
    seen = deploy("--queue")
    assert (seen.code, world.started) == (0, ["v2"]), seen
    assert seen.out.count("in the queue: ") == 1
    line = seen.out.partition("in the queue: ")[2].splitlines()[0]
    assert words in line and who in line


@pytest.mark.django_db
def test_what_comes_after_what_is_said_as_it_comes(deploy, world: World, meanwhile):
    world.approved()
    hold(world)

    def from_one_to_the_next() -> None:
        lift(world)
        raise_incident(world)

    meanwhile(from_one_to_the_next, lambda: resolve(world))
    said = [line.partition("in the queue: ")[2] for line in deploy("--queue").out.splitlines()]
    assert [("hold" in line, "incident" in line) for line in said if line] == [(True, False), (False, True)]


@pytest.mark.django_db
def test_where_nothing_holds_it_it_begins_at_once(deploy, world: World, meanwhile):
    world.approved()
    meanwhile()
    assert deploy("--queue").code == 0


@pytest.mark.django_db
@pytest.mark.parametrize("obstacle", ["nobody approved it", "a box is open"])
def test_people_are_waited_for_before_the_queue_not_in_it(deploy, world: World, meanwhile, obstacle):
    text = RUNBOOK.replace("## Deployment", "## Pre-deployment\n\n- [ ] Code is reviewed\n\n## Deployment")
    world.publish(text)
    planned = world.planned()
    if obstacle == "a box is open":
        deployments.approve(planned, user=world.anton, at=timezone.now())
    hold(world)
    meanwhile()
    seen = deploy("--queue")
    assert (seen.code, fresh(planned).status) == (3, D.PLANNED), seen


@pytest.mark.django_db
def test_a_worker_that_was_quicker_is_followed(deploy, world: World, meanwhile):
    world.approved()
    hold(world)

    def a_worker_takes_it() -> None:
        lift(world)
        Deployment.objects.update(started_at=timezone.now() - timedelta(minutes=1))
        assert tick() == 1

    meanwhile(a_worker_takes_it)
    seen = deploy("--queue")
    assert (seen.code, world.started) == (0, ["v2"]), seen
    assert Deployment.objects.get().epoch == 1
    assert "✓ start" in seen.out


@pytest.mark.django_db
def test_what_a_worker_began_and_a_person_paused_stays_paused(deploy, world: World, meanwhile):
    world.approved()
    hold(world)
    paused = {"status": D.PAUSED, "message": "paused by rita: wait", "started_at": timezone.now()}
    meanwhile(lambda: Deployment.objects.update(**paused))
    seen = deploy("--queue")
    assert (seen.code, world.started, Deployment.objects.get().status) == (3, [], D.PAUSED), seen
    assert "paused by rita: wait" in seen.err


@pytest.mark.django_db
def test_what_is_aborted_in_the_queue_ends_the_wait(deploy, gantry, world: World, meanwhile):
    world.approved()
    hold(world)
    words = ["stop_release", "tea", "v2", "--environment", "production", "--abort", "--reason", "wrong day"]
    meanwhile(lambda: gantry(*words, "--as", "olga", token_of=world.olga))
    seen = deploy("--queue")
    assert (seen.code, "aborted by olga: wrong day" in seen.err, world.started) == (1, True, [])


@pytest.mark.django_db
def test_who_loses_the_race_for_the_environment_goes_on_waiting(deploy, world: World, meanwhile, monkeypatch):
    planned = world.approved()
    hold(world)
    real, looks = starting.ahead_of, []

    def blind_at_the_second_look(each: Deployment) -> Deployment | None:
        looks.append(each)
        return None if len(looks) == 2 else real(each)

    monkeypatch.setattr(starting, "ahead_of", blind_at_the_second_look)

    def one_that_does_not_queue_comes_first() -> None:
        lift(world)
        occupy(world)

    meanwhile(one_that_does_not_queue_comes_first, lambda: leave(world))
    seen = deploy("--queue")
    assert (seen.code, fresh(planned).status) == (0, D.SUCCEEDED), seen


@pytest.mark.django_db
def test_the_plan_is_looked_at_again_when_its_turn_comes(deploy, world: World, meanwhile):
    first, second = world.approved("v1"), world.approved()
    starting.queue(second, user=world.olga, at=timezone.now())
    Deployment.objects.filter(pk=second.pk).update(started_at=timezone.now() - timedelta(minutes=1))
    meanwhile(tick)
    seen = deploy("--queue", version="v1")
    assert (seen.code, fresh(first).status, world.started) == (1, D.ABORTED, ["v2"])
    assert "plan and approve again" in seen.err


@pytest.mark.django_db
def test_taking_up_jumps_no_queue(deploy, world: World):
    planned = world.approved()
    hold(world)
    starting.queue(planned, user=world.olga, at=timezone.now(), waits=True)
    seen = deploy("--resume")
    assert (seen.code, "#1 is in the queue: tea/production is held by rita" in seen.err) == (5, True), seen
    assert fresh(planned).status == D.QUEUED


@pytest.mark.django_db
def test_a_queued_way_back_is_held_by_nothing_and_goes_first(world: World):
    world.publish(STAYS)
    done = world.queued("v1")
    lease = claim(done, owner=this_owner(), by="olga", at=timezone.now())
    carry_on(done, lease, by="olga", progress=Silent())
    waits = world.approved()
    hold(world)
    raise_incident(world)
    earlier = timezone.now() - timedelta(minutes=2)
    starting.queue(waits, user=world.olga, at=earlier, waits=True)
    back = going_back.roll_back(done, user=world.olga, reason="bad", restore_data=False, at=timezone.now())
    Deployment.objects.filter(pk=back.pk).update(started_at=timezone.now() - timedelta(minutes=1))
    assert starting.ahead_of(fresh(waits)) == back
    assert tick() == 1
    assert (fresh(back).status, fresh(waits).status) == (D.SUCCEEDED, D.QUEUED)


# --- real processes ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_in_the_queue_run_in_order_once_what_ran_is_done(world: World, terminal):
    world.publish(LINGERS)
    commit(world.repository, {"VERSION": "v3\n"}, tag="v3")
    first, second, third = world.approved(), world.approved("v1"), world.approved("v3")
    running = terminal("deploy_release", "tea", "v2")
    in_the_middle(first)
    waiting = terminal("deploy_release", "tea", "v1", "--queue")
    waiting.shows(f"in the queue: {first} is before it (v2, forward, running")
    last = terminal("deploy_release", "tea", "v3", "--queue")
    last.shows(f"in the queue: {first} is before it (v2, forward, running")
    world.mark("go")
    for each in (running, waiting, last):
        each.ends(0)
    assert world.started == ["v2", "v1", "v3"]
    begun = [fresh(each).live_at for each in (first, second, third)]
    assert begun == sorted(begun) and first_bad_entry() is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT, signal.SIGINT]])
def test_ctrl_c_leaves_the_queue_and_the_plan_stands_as_before(world: World, terminal, keys):
    planned = world.approved()
    before = {field: getattr(planned, field) for field in ("status", "message", "started_at", "starts_at")}
    hold(world)
    waiting = terminal("deploy_release", "tea", "v2", "--queue")
    waiting.shows("in the queue: tea/production is held by rita")
    for key in keys:
        waiting.press(key)
    said = waiting.ends(5)
    assert "leaving the queue" in said and "left the queue; it is planned as before" in said
    assert "pausing" not in said
    now = fresh(planned)
    assert {field: getattr(now, field) for field in before} == before
    assert deployments.approval_of(now) is not None
    assert (tick(), world.started) == (0, [])


@pytest.mark.django_db(transaction=True)
def test_a_waiting_terminal_follows_what_a_worker_took(world: World, terminal):
    planned = world.approved()
    hold(world)
    waiting = terminal("deploy_release", "tea", "v2", "--queue")
    waiting.shows("in the queue: ")
    row = fresh(planned)
    lease = claim(row, owner=this_owner(), by="worker", at=timezone.now())
    lift(world)
    waiting.shows("running: ")
    done = carry_on(row, lease, by="worker", progress=Silent())
    waiting.ends(0)
    assert (done.epoch, world.started) == (1, ["v2"])
    assert "✓ start" in waiting.out and "successful" in waiting.out
