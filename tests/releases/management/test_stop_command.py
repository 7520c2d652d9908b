"""`stop_release`: pause, at once, for good; what it refuses, and what a run that died makes of it."""

import pytest
from django.utils import timezone

from releases.lifecycle import going_back
from releases.models import Deployment
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus
from releases.tasks import tick
from tests.factories import make_user
from tests.releases.management.terminals import PAUSABLE, fresh, in_the_middle
from tests.releases.world import World

D = DeploymentStatus


@pytest.fixture
def stop(gantry, world: World):
    """`stop("--abort")`: `stop_release tea v2 --environment production`, as its operator types it."""

    def run(*words: str, who=None):
        user = who or world.olga
        line = ("stop_release", "tea", "v2", "--environment", "production", "--as", user.username)
        return gantry(*line, *words, token_of=user)

    return run


@pytest.fixture
def running(world: World) -> Deployment:
    """A deployment that this process carries on."""
    deployment = world.queued()
    claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    return deployment


def became(deployment: Deployment, status: str, **fields: object) -> Deployment:
    Deployment.objects.filter(pk=deployment.pk).update(status=status, expires_at=None, **fields)
    return fresh(deployment)


def fenced(world: World) -> None:
    world.environment.is_fenced = True
    world.environment.save()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "wants", "said"),
    [
        (
            [],
            "pause",
            "is asked to pause at its next safe point; `deploy_release … --resume` goes on with it",
        ),
        (["--now"], "stop", "is asked to end what is under way at once; `deploy_release … --resume`"),
        (["--abort", "--reason", "wrong day"], "abort", "is asked to end at its next safe point"),
    ],
)
def test_what_runs_is_asked(stop, running: Deployment, words, wants, said):
    seen = stop(*words)
    assert (seen.code, seen.err, fresh(running).wants) == (0, "", wants)
    assert said in seen.out


@pytest.mark.django_db
@pytest.mark.parametrize("status", [D.WAITING, D.PAUSED, D.QUEUED])
def test_what_sleeps_is_aborted_at_once(stop, running: Deployment, status):
    became(running, status)
    seen = stop("--abort", "--reason", "wrong day")
    assert (seen.code, seen.out) == (0, "tea/production #1 is aborted\n")
    assert (fresh(running).status, fresh(running).message) == (D.ABORTED, "aborted by olga: wrong day")


REFUSED = [
    (D.RUNNING, "--abort", 2, "an abort needs a reason: --reason TEXT"),
    (D.PAUSED, "", 5, "does not run: it is paused"),
    (D.WAITING, "--now", 5, "does not run: it is waiting"),
    (D.QUEUED, "", 5, "does not run: it is queued"),
    (D.WATCHING, "", 5, "does not run: it is watching"),
    (
        D.WATCHING,
        "--abort --reason x",
        2,
        "is live: take it back with `rollback_release tea v2 --environment",
    ),
    (D.SUCCEEDED, "", 2, "no deployment of tea v2 in tea/production is under way"),
    (D.ABORTED, "--abort --reason x", 2, "no deployment of tea v2 in tea/production is under way"),
    (D.PLANNED, "", 2, "no deployment of tea v2 in tea/production is under way"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("status", "line", "code", "message"), REFUSED)
def test_what_cannot_be_stopped_is_one_line_and_stays_as_it_is(
    stop, running: Deployment, status, line, code, message
):
    if status != D.RUNNING:
        became(running, status, live_at=timezone.now())
    before = fresh(running)
    seen = stop(*line.split())
    assert (seen.code, seen.err.count("\n"), message in seen.err) == (code, 1, True), seen
    now = fresh(running)
    assert (now.status, now.wants, now.message) == (before.status, "", before.message)


@pytest.mark.django_db
@pytest.mark.parametrize("status", [D.RUNNING, D.WAITING, D.PAUSED])
def test_under_maintenance_the_choice_is_to_finish_or_to_go_back(
    stop, world: World, running: Deployment, status
):
    fenced(world)
    if status != D.RUNNING:
        became(running, status)
    seen = stop("--abort", "--reason", "x")
    assert (seen.code, fresh(running).status, fresh(running).wants) == (2, status, "")
    assert "is under maintenance: finish with --resume, or go back with `rollback_release" in seen.err


@pytest.mark.django_db
def test_a_way_back_is_not_aborted(stop, deploy, world: World):
    world.approved()
    assert deploy().code == 0
    done = Deployment.objects.get()
    back = going_back.roll_back(done, user=world.olga, reason="bad", restore_data=False, at=timezone.now())
    seen = stop("--abort", "--reason", "x")
    assert (seen.code, "is a way back and has to come to its end" in seen.err) == (2, True)
    assert fresh(back).status == D.QUEUED


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "words", "may_not"),
    [
        ("viewer", [], "deploy"),
        ("viewer", ["--now"], "deploy"),
        ("approver", [], "deploy"),
        ("viewer", ["--abort", "--reason", "x"], "abort"),
        ("approver", ["--abort", "--reason", "x"], "abort"),
    ],
)
def test_who_may_not_stop_is_refused(stop, running: Deployment, role, words, may_not):
    user = make_user(role, username="somebody")
    seen = stop(*words, who=user)
    assert (seen.code, f"somebody may not {may_not} in tea/production" in seen.err) == (2, True), seen
    assert fresh(running).wants == ""


@pytest.mark.django_db
def test_two_ways_to_stop_at_once_are_refused(stop, running: Deployment):
    seen = stop("--now", "--abort", "--reason", "x")
    assert (seen.code, "not allowed with" in seen.err, fresh(running).wants) == (2, True, "")


@pytest.mark.django_db
def test_what_ends_at_the_same_moment_is_not_written_over(stop, running: Deployment, monkeypatch):
    def ends_first(*given: object, **named: object) -> None:
        became(running, D.SUCCEEDED, message="successful", ended_at=timezone.now())

    monkeypatch.setattr("releases.lifecycle.stops._demand_running", ends_first)
    seen = stop("--reason", "too late")
    assert (seen.code, fresh(running).message, fresh(running).wants) == (5, "successful", ""), seen


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "status"),
    [([], D.PAUSED), (["--now"], D.PAUSED), (["--abort", "--reason", "wrong day"], D.ABORTED)],
)
def test_a_run_that_died_is_stopped_by_who_takes_it_up(stop, world: World, words, status):
    dead = dead_one(world)
    assert stop(*words).code == 0
    assert (tick(), fresh(dead).status, world.started) == (1, status, [])


@pytest.mark.django_db
def test_a_person_who_takes_up_what_died_wants_it_to_go_on(stop, deploy, world: World):
    dead = dead_one(world)
    stop()
    assert (deploy("--resume").code, fresh(dead).status) == (0, D.SUCCEEDED)


def dead_one(world: World) -> Deployment:
    """A run whose process is no more."""
    deployment = world.queued()
    place, pid, _, token = this_owner().rsplit(":", 3)
    claim(deployment, owner=f"{place}:{pid}:1.0:{token}", by="olga", at=timezone.now())
    return deployment


# --- real processes -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "code", "status", "outcome"),
    [
        (["--reason", "orders look odd"], 3, D.PAUSED, "succeeded"),
        (["--now"], 3, D.PAUSED, "unknown"),
        (["--abort", "--reason", "wrong day"], 1, D.ABORTED, "succeeded"),
    ],
)
def test_a_run_elsewhere_heeds_it_and_says_so(world: World, terminal, words, code, status, outcome):
    world.publish(PAUSABLE)
    deployment = world.approved()
    engine = terminal("deploy_release", "tea", "v2")
    in_the_middle(deployment)
    terminal("stop_release", "tea", "v2", *words).ends(0)
    if "--now" not in words:
        world.mark("go")
    said = engine.ends(code)
    done = fresh(deployment)
    assert (done.status, done.expires_at, done.attempts.latest("pk").outcome) == (status, None, outcome)
    assert "by olga" in said and (not words[1:] or words[-1] in said)
    assert world.started == []
