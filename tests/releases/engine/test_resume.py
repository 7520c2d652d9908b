"""`kill -9` in the middle of a real `deploy_release`, then `--resume`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from checks.audit import first_bad_entry
from checks.gates.identity import Identity
from checks.gates.process import end_group
from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.errors import LeftInTheMiddle
from releases.identity import create_token
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.recorder import claim, this_owner
from releases.statuses import DeploymentStatus, Outcome
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
D = DeploymentStatus
WAITS = RUNBOOK.replace(
    "cat VERSION >>", "echo begun; until test -e ../go; do sleep 0.1; done; cat VERSION >>", 1
)
PAUSABLE = RUNBOOK.replace(
    "### 3. Start",
    "### 2. Wait (T-1 minute)\n\n```bash\necho begun; until test -e ../go; do sleep 0.1; done\n```\n\n### 3. Start",
)
HANGS = RUNBOOK.replace("cat VERSION >>", "echo begun; test -e ../go || { sleep 60; }; cat VERSION >>", 1)


@pytest.fixture
def deploy(world: World, process_environment: dict[str, str]) -> Iterator:
    """A function that starts `manage.py deploy_release tea v2` as its operator, killed at the end of the test."""
    token = create_token(world.olga, label="tests", days=1, by="olga", at=timezone.now())
    started: list[subprocess.Popen] = []

    def start(*options: str) -> subprocess.Popen:
        argv = [sys.executable, "manage.py", "deploy_release", "tea", "v2", "--environment", "production"]
        process = subprocess.Popen(
            [*argv, "--as", "olga", *options],
            cwd=settings.BASE_DIR,
            env={**process_environment, "GANTRY_TOKEN": token},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
    for process in Attempt.objects.exclude(process={}).values_list("process", flat=True):
        end_group(Identity(**process))


def in_mid_step(deployment: Deployment, engine: subprocess.Popen) -> Identity:
    """Wait until the step that hangs has begun; its recorded process."""
    begun = deployment.attempts.filter(outcome="", tail__contains="begun")
    wait_until(lambda: begun.exists() or engine.poll() is not None, what="the step in the middle")
    assert engine.poll() is None, engine.communicate()
    return Identity(**begun.get().process)


def killed_in_mid_step(world: World, deploy, text: str = HANGS) -> tuple[Deployment, Identity]:
    """A deployment whose engine died in its hanging step, and that step's command, which lives on."""
    world.publish(text)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    engine.kill()
    engine.communicate()
    return deployment, process


def outcomes_of_last(deployment: Deployment) -> list[str]:
    last = deployment.attempts.last().action
    return list(deployment.attempts.filter(action=last).values_list("outcome", flat=True))


def test_a_killed_deployment_is_taken_up_at_once_and_does_nothing_twice(world, deploy):
    deployment, process = killed_in_mid_step(world, deploy, WAITS)
    assert process.is_alive
    resumed = deploy("--resume")
    wait_until(lambda: Deployment.objects.get(pk=deployment.pk).epoch == 2, what="the new owner")
    world.mark("go")
    out, err = resumed.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (resumed.returncode, deployment.status) == (0, D.SUCCEEDED), out + err
    assert (outcomes_of_last(deployment), world.started) == ([Outcome.SUCCEEDED], ["v2"])
    assert not list(Path(output_path("x")).parent.glob(f"{deployment.pk}-*.[rvc]*"))
    assert first_bad_entry() is None


def test_a_command_that_ended_while_nobody_watched_is_not_repeated(world, deploy):
    deployment, process = killed_in_mid_step(world, deploy, WAITS)
    world.mark("go")
    wait_until(lambda: not process.is_alive, what="the end of the command")
    out, err = deploy("--resume").communicate(timeout=60)
    deployment.refresh_from_db()
    assert deployment.status == D.SUCCEEDED, out + err
    assert (outcomes_of_last(deployment), world.started) == ([Outcome.SUCCEEDED], ["v2"])
    assert "begun" in output_path(deployment.attempts.last().output).read_text()


@pytest.mark.parametrize(
    ("attributes", "code", "status", "outcomes"),
    [
        (" idempotent=true", 0, D.SUCCEEDED, [Outcome.ABORTED, Outcome.SUCCEEDED]),
        ("", 3, D.WAITING, [Outcome.UNKNOWN]),
    ],
)
def test_what_was_killed_with_its_engine_goes_on_or_waits_and_never_guesses(
    world, deploy, attributes, code, status, outcomes
):
    deployment, process = killed_in_mid_step(
        world, deploy, HANGS.replace("{name=start}", "{name=start" + attributes + "}")
    )
    os.killpg(process.pid, signal.SIGKILL)
    world.mark("go")
    resumed = deploy("--resume")
    out, err = resumed.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (resumed.returncode, deployment.status) == (code, status), out + err
    assert outcomes_of_last(deployment) == outcomes
    assert "Traceback" not in err


def test_a_block_that_lives_without_its_gate_is_ended_before_anything_else_runs(world, deploy):
    deployment, process = killed_in_mid_step(
        world, deploy, WAITS.replace("{name=start}", "{name=start idempotent=true}")
    )
    os.kill(process.pid, signal.SIGKILL)
    assert process.has_group
    resumed = deploy("--resume")
    again = deployment.attempts.filter(number=2, tail__contains="begun")
    wait_until(again.exists, what="the second try")
    assert not process.has_group
    world.mark("go")
    out, err = resumed.communicate(timeout=60)
    assert (resumed.returncode, world.started) == (0, ["v2"]), out + err


def test_a_gate_that_is_killed_alone_lets_nothing_run_beside_the_way_back(world, deploy):
    world.publish(WAITS)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    os.kill(process.pid, signal.SIGKILL)
    out, err = engine.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (engine.returncode, deployment.status) == (3, D.WAITING), out + err
    assert not process.has_group
    assert outcomes_of_last(deployment) == [Outcome.UNKNOWN]


def test_what_a_killed_block_had_started_does_not_run_beside_the_way_back(world, deploy):
    text = RUNBOOK.replace(
        "cat VERSION >>", "(echo begun; until test -e ../go; do sleep 0.1; done) & wait; cat VERSION >>", 1
    )
    world.publish(text)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    (block,) = psutil.Process(process.pid).children()
    block.kill()
    out, err = engine.communicate(timeout=60)
    assert engine.returncode == 4, out + err
    assert not process.has_group


def test_while_a_deployment_runs_a_second_one_is_told_who_holds_the_place(world, deploy):
    world.publish(HANGS)
    deployment = world.approved()
    engine = deploy()
    in_mid_step(deployment, engine)
    for options in ((), ("--resume",)):
        second = deploy(*options)
        _, err = second.communicate(timeout=60)
        assert (second.returncode, err.count("\n")) == (5, 1), err
    deployment.refresh_from_db()
    assert deployment.status == D.RUNNING


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_once_pauses_it_at_the_next_safe_point(world, deploy, number):
    world.publish(PAUSABLE)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    engine.send_signal(number)
    assert "pausing at the next safe point" in engine.stderr.readline() + engine.stderr.readline()
    assert process.is_alive
    world.mark("go")
    out, err = engine.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (engine.returncode, deployment.status, deployment.expires_at) == (3, D.PAUSED, None), out + err
    assert "maintenance is off" in deployment.message
    assert (outcomes_of_last(deployment), world.started) == ([Outcome.SUCCEEDED], [])


def test_twice_ends_what_is_under_way_and_its_step_is_unknown(world, deploy):
    world.publish(HANGS)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    for said in ("pausing", "ending"):
        engine.send_signal(signal.SIGINT)
        assert said in engine.stderr.readline() + engine.stderr.readline()
    out, err = engine.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (engine.returncode, deployment.status) == (3, D.PAUSED), out + err
    assert outcomes_of_last(deployment) == [Outcome.UNKNOWN]
    assert not process.is_alive


def test_a_closed_terminal_does_not_end_it(world, deploy):
    world.publish(
        HANGS.replace(
            "test -e ../go || { sleep 60; }",
            "until test -e ../go; do read -r -t 0.05 < <(sleep 1) || true; done",
        )
    )
    deployment = world.approved()
    engine = deploy()
    in_mid_step(deployment, engine)
    engine.send_signal(signal.SIGHUP)
    world.mark("go")
    out, err = engine.communicate(timeout=60)
    assert engine.returncode == 0, out + err
    assert world.started == ["v2"]


def test_a_database_that_goes_away_in_the_middle_leaves_the_command_running(world, deploy, monkeypatch):
    deployment, process = left_by_its_database(world, monkeypatch)
    assert process.is_alive
    assert Deployment.objects.get(pk=deployment.pk).status == D.RUNNING
    Deployment.objects.update(owner="")
    let_the_lease_run_out(deployment)
    world.mark("go")
    out, err = deploy("--resume").communicate(timeout=60)
    deployment.refresh_from_db()
    assert (deployment.status, world.started) == (D.SUCCEEDED, ["v2"]), out + err


def left_by_its_database(world: World, monkeypatch) -> tuple[Deployment, Identity]:
    """A deployment in its waiting step, whose engine could not reach its database any more."""
    world.publish(WAITS)
    deployment = world.queued()
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())

    def gone(*args, **kwargs):
        raise OperationalError("server closed the connection")

    class Watched(Silent):
        def output(self, text: str) -> None:
            if "begun" in text:
                monkeypatch.setattr("releases.engine.lease.fence", gone)
                monkeypatch.setattr("releases.engine.lease.HEARTBEAT", 0.0)

    with pytest.raises(LeftInTheMiddle, match=r"closed the connection.*--resume takes it up") as left:
        carry_on(deployment, lease, by="olga", progress=Watched())
    assert left.value.exit_code == 6
    monkeypatch.undo()
    return deployment, Identity(**deployment.attempts.get(outcome="").process)


def let_the_lease_run_out(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
