"""`kill -9` in the middle of a real `deploy_release`, then `--resume`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from checks.audit import first_bad_entry
from checks.gates.process import Identity, end_group
from releases.identity import create_token
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.statuses import DeploymentStatus, Outcome
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
D = DeploymentStatus
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


def let_the_lease_run_out(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def in_mid_step(deployment: Deployment, engine: subprocess.Popen) -> Identity:
    """Wait until the step that hangs has begun; its recorded process."""
    begun = deployment.attempts.filter(outcome="", tail__contains="begun")
    wait_until(lambda: begun.exists() or engine.poll() is not None, what="the step in the middle")
    assert engine.poll() is None, engine.communicate()
    return Identity(**begun.get().process)


@pytest.mark.parametrize(
    ("attributes", "code", "status", "outcomes"),
    [
        (" idempotent=true", 0, D.SUCCEEDED, [Outcome.ABORTED, Outcome.SUCCEEDED]),
        ("", 3, D.WAITING, [Outcome.UNKNOWN]),
    ],
)
def test_a_killed_deployment_goes_on_or_waits_and_never_guesses(
    world, deploy, attributes, code, status, outcomes
):
    world.publish(HANGS.replace("{name=start}", "{name=start" + attributes + "}"))
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    engine.kill()
    engine.communicate()
    let_the_lease_run_out(deployment)
    world.mark("go")
    resumed = deploy("--resume")
    out, err = resumed.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (resumed.returncode, deployment.status) == (code, status), out + err
    last = deployment.attempts.last().action
    assert list(deployment.attempts.filter(action=last).values_list("outcome", flat=True)) == outcomes
    assert not process.is_alive
    assert not list(Path(output_path("x")).parent.glob(f"{deployment.pk}-*.raw"))
    assert "Traceback" not in err
    assert first_bad_entry() is None


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
def test_a_signal_pauses_it_and_says_how_to_go_on(world, deploy, number):
    world.publish(HANGS)
    deployment = world.approved()
    engine = deploy()
    process = in_mid_step(deployment, engine)
    engine.send_signal(number)
    _, err = engine.communicate(timeout=60)
    deployment.refresh_from_db()
    assert (engine.returncode, deployment.status, deployment.expires_at) == (3, D.PAUSED, None)
    assert "--resume" in err
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
