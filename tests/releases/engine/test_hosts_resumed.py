"""An engine that is killed while a block runs on a host, with or without what watched the block."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from checks.gates.identity import Identity
from releases.identity import create_token
from releases.models import Deployment
from tests.releases.hosts.machines import Machine, machine, shown
from tests.releases.world import World
from tests.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
RUNBOOK = """
# Tea shop

## Deployment steps

### 1. Front end (T-0)

```bash {{host=web1}}
echo "$GANTRY_KEY" >> {folder}/keys
echo begun
until [ -e {folder}/go ]; do sleep 0.05; done
RESULT=seen
echo done
```

```bash
echo "$RESULT" > {folder}/result
```

## Rollback procedure

### Code rollback

```bash
true
```
"""
Deploy = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def host() -> Iterator[Machine]:
    """A machine."""
    with machine("web1") as found:
        yield found


@pytest.fixture
def deployment(world: World, host: Machine, tmp_path: Path) -> Deployment:
    """An approved one, whose block on the host waits for `go`."""
    host.row(world.environment)
    world.publish(RUNBOOK.format(folder=tmp_path))
    return world.approved()


@pytest.fixture
def deploy(world: World, process_environment: dict[str, str]) -> Iterator[Deploy]:
    """Starts `manage.py deploy_release` as its operator."""
    token = create_token(world.olga, label="tests", days=1, by="olga", at=timezone.now())
    words = ["deploy_release", "tea", "v2", "--environment", "production", "--as", "olga"]
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *words, *options],
            cwd=settings.BASE_DIR,
            env={**process_environment, "GANTRY_TOKEN": token},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]  # a pipe


def watcher(deployment: Deployment, engine: subprocess.Popen[str]) -> Identity:
    """The process beside the engine that watches the block, when the block has begun."""
    begun = deployment.attempts.filter(outcome="", tail__contains="begun")
    wait_until(lambda: begun.exists() or engine.poll() is not None, what="the block begins")
    assert engine.poll() is None, engine.communicate()
    return Identity(**begun.get().process)


@pytest.mark.parametrize("with_its_watcher", [True, False])
def test_a_block_on_a_host_outlives_the_engine_and_runs_once(deployment, deploy, tmp_path, with_its_watcher):
    engine = deploy()
    process = watcher(deployment, engine)
    engine.kill()
    engine.communicate()
    if with_its_watcher:
        os.killpg(process.pid, signal.SIGKILL)
        wait_until(lambda: not process.is_alive)
    resumed = deploy("--resume")
    wait_until(lambda: Deployment.objects.get(pk=deployment.pk).epoch == 2, what="the new owner")
    (tmp_path / "go").touch()
    said, _ = resumed.communicate(timeout=60)
    assert resumed.returncode == 0, said
    assert (tmp_path / "keys").read_text().count("\n") == 1
    assert shown(tmp_path / "result") == "seen\n"
    ended = deployment.attempts.get(tail__contains="done")
    assert (ended.outcome, ended.tail) == ("succeeded", "begun\ndone\n")
