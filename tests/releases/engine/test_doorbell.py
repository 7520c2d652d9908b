"""Celery is a doorbell: real workers and a real broker that die, forget and repeat lose and double nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.utils import timezone

from checks.audit import first_bad_entry
from checks.gates.identity import Identity
from checks.gates.process import end_group
from releases.lifecycle import starting
from releases.models import Attempt, Deployment
from releases.recorder import owner_of
from releases.statuses import DeploymentStatus
from tests import servers
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
D = DeploymentStatus
CELERY = (sys.executable, "-m", "celery", "--quiet", "--app")
WAIT = "echo begun; until test -e ../go; do sleep 0.1; done\n"
# The middle step waits for a sign; what comes after it tells how often the whole was run.
WAITS = RUNBOOK.replace("### 3. Start", f"### 2. Wait (T-1 minute)\n\n```bash\n{WAIT}```\n\n### 3. Start")
LONG = 60.0


@pytest.fixture
def environment(process_environment: dict[str, str], redis_server: servers.Redis) -> dict[str, str]:
    """Of a worker on this run's database, with an empty broker."""
    redis_server.clear()
    return {**process_environment, "CELERY_BROKER_URL": redis_server.database(1)}


@pytest.fixture
def celery(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    """`celery("worker")`, `celery("beat")`: processes, ended with the test together with what they left running."""
    with ExitStack() as held:
        yield lambda word, **given: held.enter_context(started(word, environment, tmp_path, **given))
    for process in Attempt.objects.exclude(process={}).values_list("process", flat=True):
        end_group(Identity(**process))


@contextmanager
def started(
    word: str, env: dict[str, str], folder: Path, *, name: str = "one", app: str = "config.celery"
) -> Iterator[subprocess.Popen]:
    own = ("--schedule", str(folder / "schedule")) if word == "beat" else ("--concurrency", "2", "-n", name)
    with (folder / f"{word}-{name}.log").open("w") as log:
        process = subprocess.Popen(
            [*CELERY, app, word, "--loglevel", "INFO", *own], cwd=settings.BASE_DIR, env=env,
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                for each in psutil.Process(process.pid).children(recursive=True):
                    each.kill()
            process.kill()
            process.wait(LONG)


@pytest.fixture
def in_the_middle(world: World, celery, environment) -> Callable[..., tuple[Deployment, subprocess.Popen]]:
    """A deployment that a worker carries on, in its step that waits, and that worker; beat ticks."""

    def make(**given: str) -> tuple[Deployment, subprocess.Popen]:
        world.publish(WAITS)
        deployment = world.queued()
        worker = celery("worker", **given)
        celery("beat")
        ring(deployment, environment)
        begun = deployment.attempts.filter(outcome="", tail__contains="begun")
        wait_until(begun.exists, within=LONG, what="the step that waits")
        return deployment, worker

    return make


def ring(deployment: Deployment, env: dict[str, str], *, times: int = 1) -> None:
    """The doorbell, from a process of its own."""
    each = f"app.send_task('releases.deploy', ({deployment.pk},))"
    code = f"from config.celery import app\nfor _ in range({times}): {each}"
    subprocess.run([sys.executable, "-c", code], cwd=settings.BASE_DIR, env=env, check=True)


def ends(deployment: Deployment, world: World) -> Deployment:
    """Give the sign, and wait for the end."""
    world.mark("go")
    wait_until(lambda: fresh(deployment).state.is_over, within=LONG, what="the end")
    return fresh(deployment)


def fresh(deployment: Deployment) -> Deployment:
    return Deployment.objects.get(pk=deployment.pk)


def ran_once(world: World, done: Deployment) -> None:
    assert (done.status, world.started) == (D.SUCCEEDED, ["v2"]), done.message
    assert set(done.attempts.values_list("outcome", flat=True)) == {"succeeded"}
    assert first_bad_entry() is None


def test_a_worker_that_is_killed_is_replaced_and_nothing_runs_twice(world: World, celery, in_the_middle):
    deployment, _ = in_the_middle()
    celery("worker", name="two")
    owner = owner_of(fresh(deployment))
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: fresh(deployment).epoch == 2, within=LONG, what="the next owner")
    ran_once(world, ends(deployment, world))


def test_a_worker_that_stops_hands_its_runs_over(world: World, celery, in_the_middle):
    deployment, worker = in_the_middle()
    celery("worker", name="two")
    worker.send_signal(signal.SIGTERM)
    wait_until(lambda: fresh(deployment).wants == "hand_over", within=LONG, what="the hand-over to be asked")
    done = ends(deployment, world)
    assert worker.wait(LONG) == 0
    assert done.epoch == 2
    ran_once(world, done)


def test_a_message_that_comes_again_and_again_is_heard_once(world: World, in_the_middle, environment):
    deployment, _ = in_the_middle()
    ring(deployment, environment, times=20)
    done = ends(deployment, world)
    assert done.epoch == 1
    ran_once(world, done)


def test_a_passed_visibility_timeout_does_not_run_it_again(world: World, celery, in_the_middle, environment):
    deployment, _ = in_the_middle(app="tests.releases.engine.forgetful")
    celery("worker", name="two", app="tests.releases.engine.forgetful")
    logs = [world.folder.parent / f"worker-{name}.log" for name in ("one", "two")]
    heard = "#1 is running and owned by"
    look = (
        "from tests.releases.engine.forgetful import app\n"
        "with app.connection() as connection: connection.default_channel.qos.restore_visible(num=10)"
    )

    def is_heard_again() -> bool:
        """What every worker does now and then: look for messages whose time has passed."""
        subprocess.run([sys.executable, "-c", look], cwd=settings.BASE_DIR, env=environment, check=True)
        return any(heard in log.read_text() for log in logs)

    wait_until(is_heard_again, within=LONG, what="the message to come again")
    done = ends(deployment, world)
    assert done.epoch == 1
    ran_once(world, done)


def test_a_broker_that_is_away_delays_nothing_that_runs_and_loses_nothing_that_waits(
    world: World, in_the_middle, environment
):
    port = servers.free_port()
    environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/1"
    with servers.redis_server(port=port):
        deployment, _ = in_the_middle()
    ran_once(world, ends(deployment, world))
    second = world.approved("v1")
    starting.queue(second, user=world.olga, at=timezone.now())
    with servers.redis_server(port=port):
        wait_until(lambda: fresh(second).state.is_over, within=LONG, what="beat to find what waits")
    assert world.started == ["v2", "v1"]
