"""`--detach` leaves a run to a worker, `--follow` looks at one: steps, output, end and exit code."""

import json
import signal
from datetime import timedelta

import pytest
import redis
from django.utils import timezone

from releases import tasks
from releases.lifecycle import holds
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus
from releases.tasks import tick
from tests import servers
from tests.factories import make_attempt
from tests.releases.management.terminals import PAUSABLE, fresh, in_the_middle
from tests.releases.world import RUNBOOK, World

D = DeploymentStatus
WAITS_FOR_PEOPLE = RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}")


@pytest.fixture
def rung(monkeypatch) -> list[tuple]:
    """The doorbells that were rung."""
    heard: list[tuple] = []
    monkeypatch.setattr(
        "releases.management.commands.deploy_release.ring", lambda *words: heard.append(words)
    )
    return heard


def forgotten() -> None:
    """Who queued it went away long ago."""
    Deployment.objects.filter(status=D.QUEUED).update(started_at=timezone.now() - timedelta(minutes=1))


def worker() -> None:
    """A worker's tick, which finds one to carry on."""
    forgotten()
    assert tick() == 1


# --- left to a worker -----------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_it_is_queued_the_doorbell_rung_and_the_command_over(deploy, world: World, rung):
    planned = world.approved()
    seen = deploy("--detach")
    assert (seen.code, fresh(planned).status, world.started) == (0, D.QUEUED, [])
    assert rung == [("releases.deploy", planned.pk, "olga")]
    follow = "`deploy_release tea v2 --environment production --follow --as olga`"
    assert seen.out == f"{planned} is left to a worker; watch it with {follow}\n"


@pytest.mark.django_db
def test_in_the_queue_nobody_is_rung_for_and_a_worker_begins_when_it_may(deploy, world: World, rung):
    planned = world.approved()
    hold = holds.put(world.environment, reason="closing", user=world.rita, at=timezone.now())
    assert deploy("--detach").code == 5
    seen = deploy("--detach", "--queue")
    assert (seen.code, rung, fresh(planned).status) == (0, [], D.QUEUED)
    assert "is left to a worker, and waits: tea/production is held by rita since" in seen.out
    forgotten()
    assert tick() == 0
    holds.lift(hold, reason="closed", user=world.rita, at=timezone.now())
    assert (tick(), world.started) == (1, ["v2"])


@pytest.mark.django_db
def test_a_doorbell_that_comes_late_jumps_no_queue(world: World):
    planned = world.queued()
    holds.put(world.environment, reason="closing", user=world.rita, at=timezone.now())
    tasks.deploy(planned.pk)
    assert (fresh(planned).status, fresh(planned).epoch) == (D.QUEUED, 0)


@pytest.mark.django_db
def test_its_result_is_an_object_for_programs(deploy, world: World, rung):
    world.approved()
    found = json.loads(deploy("--detach", "--json").out)
    assert (found["status"], found["exit_code"], found["deployment"]) == ("queued", 0, 1)


@pytest.mark.django_db
def test_what_was_paused_is_handed_over_with_the_answer(deploy, world: World, rung):
    world.publish(WAITS_FOR_PEOPLE)
    waiting = world.approved()
    marker = world.mark("no-start")
    assert deploy().code == 3
    marker.unlink()
    assert deploy("--resume", "--retry", "--detach").code == 0
    assert (rung, fresh(waiting).status) == ([("releases.deploy", waiting.pk, "olga")], D.WAITING)
    assert tick() == 1
    assert fresh(waiting).status == D.SUCCEEDED


@pytest.mark.django_db
def test_what_somebody_carries_on_is_not_handed_over(deploy, world: World, rung):
    running = world.queued()
    claim(running, owner=this_owner(), by="olga", at=timezone.now())
    seen = deploy("--resume", "--detach")
    assert (seen.code, "#1 is running, and somebody carries it on" in seen.err) == (5, True), seen
    assert (fresh(running).wants, rung) == ("", [])


@pytest.mark.django_db
def test_what_died_is_handed_over(deploy, world: World, rung):
    dead = world.queued()
    claim(dead, owner=_gone(), by="olga", at=timezone.now())
    assert deploy("--resume", "--detach").code == 0
    assert (fresh(dead).wants, rung) == ("", [("releases.deploy", dead.pk, "olga")])
    assert tick() == 1
    assert fresh(dead).status == D.SUCCEEDED


def _gone() -> str:
    """An owner on this host that is no more."""
    place, pid, _, token = this_owner().rsplit(":", 3)
    return f"{place}:{pid}:1.0:{token}"


@pytest.mark.django_db(transaction=True)
def test_the_broker_hears_of_it(world: World, terminal, redis_server):
    redis_server.clear()
    url = redis_server.database(1)
    planned = world.approved()
    terminal("deploy_release", "tea", "v2", "--detach", CELERY_BROKER_URL=url).ends(0)
    (message,) = redis.Redis.from_url(url).lrange("celery", 0, -1)
    assert json.loads(message)["headers"]["task"] == "releases.deploy"
    assert fresh(planned).status == D.QUEUED


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_said_in_a_line_and_loses_nothing(world: World, terminal):
    url = f"redis://127.0.0.1:{servers.free_port()}/1"
    planned = world.approved()
    typed = terminal("deploy_release", "tea", "v2", "--detach", "--json", CELERY_BROKER_URL=url)
    said = typed.ends(0)
    assert "the broker did not take releases.deploy" in said and said.count("\n") == 1
    assert json.loads(typed.out)["status"] == "queued"
    worker()
    assert (fresh(planned).status, world.started) == (D.SUCCEEDED, ["v2"])
    later = terminal("deploy_release", "tea", "v2", "--follow")
    later.ends(0)
    assert "✓ start" in later.out


# --- looking at it ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("marks", "code", "words"),
    [
        ([], 0, "successful"),
        (["running/no-look"], 1, "failed"),
        (["no-start"], 4, "it goes back: "),
        (["no-start", "no-way-back"], 6, "the way back failed"),
    ],
)
def test_a_worker_s_run_is_shown_to_its_end_with_its_exit_code(
    deploy, world: World, rung, meanwhile, marks, code, words
):
    world.approved()
    for mark in marks:
        world.mark(mark)
    deploy("--detach")
    meanwhile(worker, lambda: None)
    seen = deploy("--follow")
    assert (seen.code, words in seen.out + seen.err) == (code, True), seen
    assert "in the queue: a worker is about to take it" in seen.out


@pytest.mark.django_db
def test_a_turn_back_is_followed_step_by_step(deploy, world: World, rung, meanwhile):
    world.approved()
    world.mark("no-start")
    deploy("--detach")
    meanwhile(worker)
    seen = deploy("--follow")
    titles = ["✗ start", "it goes back: ", "✓ back-code", "✓ back-start"]
    assert sorted(titles, key=seen.out.index) == titles
    assert seen.code == 4


@pytest.mark.django_db
def test_the_output_comes_as_it_is_written_and_whole(deploy, world: World, meanwhile):
    running = world.queued()
    claim(running, owner=this_owner(), by="worker", at=timezone.now())
    action = running.plan["steps"][1]["actions"][0]["key"]
    attempt = make_attempt(deployment=running, action=action, outcome="", output="1-look.log")
    stored = output_path("1-look.log")
    stored.write_bytes("grün".encode()[:3])

    def more() -> None:
        with stored.open("ab") as file:
            file.write("grün".encode()[3:] + b"er Tee\n")

    def end() -> None:
        Attempt.objects.filter(pk=attempt.pk).update(outcome="succeeded", closed_at=timezone.now())
        Deployment.objects.update(status=D.SUCCEEDED, expires_at=None, ended_at=timezone.now())

    meanwhile(more, end)
    seen = deploy("--follow", "--verbosity", "2")
    assert (seen.code, seen.out.count("üner Tee\n"), "\ufffd" in seen.out) == (0, 1, False), seen.out


@pytest.mark.django_db
def test_one_that_is_over_tells_how_it_ended(deploy, world: World, rung):
    world.approved()
    world.mark("no-start")
    assert deploy().code == 4
    seen = deploy("--follow")
    assert (seen.code, "✓ back-start" in seen.out) == (4, True)


@pytest.mark.django_db
def test_a_pause_that_a_worker_is_to_end_is_waited_through(deploy, world: World, rung, meanwhile):
    world.publish(WAITS_FOR_PEOPLE)
    world.approved()
    marker = world.mark("no-start")
    deploy()
    marker.unlink()
    assert deploy("--follow").code == 3
    deploy("--resume", "--retry", "--detach")
    meanwhile(tick)
    assert deploy("--follow").code == 0


@pytest.mark.django_db
def test_a_dead_process_is_told(deploy, world: World, meanwhile):
    dead = world.queued()
    claim(dead, owner=_gone(), by="olga", at=timezone.now())
    meanwhile(lambda: None, tick)
    seen = deploy("--follow")
    assert (seen.code, seen.out.count("its process died; a worker takes it up, or you with --resume")) == (
        0,
        1,
    )


@pytest.mark.django_db
def test_what_never_began_is_not_followed(deploy, world: World):
    world.approved()
    seen = deploy("--follow")
    assert (seen.code, seen.err) == (
        2,
        "gantry: tea v2 was never started in tea/production: there is nothing to follow\n",
    )


@pytest.mark.django_db
def test_who_may_not_deploy_may_look(deploy, world: World, rung):
    world.approved()
    deploy()
    assert deploy("--follow", who=world.anton).code == 0


@pytest.mark.django_db(transaction=True)
def test_who_looks_sees_it_live_and_stops_looking_alone(world: World, terminal):
    world.publish(PAUSABLE)
    running = world.approved()
    engine = terminal("deploy_release", "tea", "v2")
    in_the_middle(running)
    follower = terminal("deploy_release", "tea", "v2", "--follow", "--verbosity", "2")
    leaver = terminal("deploy_release", "tea", "v2", "--follow", "--json")
    for each in (follower, leaver):
        each.shows("T-1  ")
    follower.shows("begun")
    leaver.press(signal.SIGINT)
    said = leaver.ends(5)
    assert "no longer looking; it goes on" in said and "pausing" not in said
    assert (json.loads(leaver.out)["status"], fresh(running).wants) == ("running", "")
    assert not engine.has_ended and not follower.has_ended
    world.mark("go")
    engine.ends(0)
    follower.ends(0)
    assert follower.out.count("✓ start") == 1 and "successful" in follower.out
    assert (fresh(running).epoch, world.started) == (1, ["v2"])
