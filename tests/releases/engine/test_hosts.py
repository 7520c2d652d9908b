"""Blocks of a runbook that run on another machine, from the text to the journal, by a real sshd."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone

from checks.models import AuditEntry
from checks.secrets import MASK
from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.lifecycle import planning
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.plan.model import plan_hash
from releases.recorder import claim, this_owner
from tests.factories import make_variable
from tests.releases.hosts.machines import Machine, machine
from tests.releases.world import World

pytestmark = pytest.mark.django_db
RUNBOOK = """
# Tea shop

## Deployment steps

### 1. On the server (T-5 minutes)

```bash
ssh user@your-server
cd {folder}
COPY="copy of $RELEASE_VERSION"
echo "$COPY for $TOKEN" > there
exit
```

```bash
echo "here: $COPY" > here
```

### 2. On it again (T-2 minutes)

```bash
ssh user@your-server
cat there
```

## Rollback procedure

### Code rollback

```bash
true
```
"""


@pytest.fixture(scope="module")
def lasting() -> Iterator[Machine]:
    """A machine with a home of its own."""
    with machine("user@your-server") as found:
        yield found


@pytest.fixture
def there(world: World, lasting: Machine, tmp_path: Path) -> Path:
    """A folder on a host of the environment."""
    lasting.row(world.environment)
    folder = tmp_path / "there"
    folder.mkdir()
    make_variable(environment=world.environment, name="TOKEN", value="s3cret-value", is_secret=True)
    world.publish(RUNBOOK.format(folder=folder))
    return folder


def run(world: World) -> list[Attempt]:
    """Run a deployment of the runbook; the attempts at its fences."""
    deployment = Deployment.objects.get(pk=world.queued().pk)
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    carry_on(deployment, lease, by="olga", progress=Silent())
    return list(deployment.attempts.exclude(kind="preflight"))


def test_what_follows_an_ssh_line_runs_there_and_the_rest_here(world: World, there: Path):
    attempts = run(world)
    assert [each.outcome for each in attempts] == ["succeeded"] * 3, [each.result for each in attempts]
    assert (there / "there").read_text() == "copy of v2 for s3cret-value\n"
    assert (world.folder / "here").read_text() == "here: copy of v2\n"
    assert attempts[2].tail == f"copy of v2 for {MASK}\n"


def test_a_secret_that_goes_there_stands_nowhere_here(world: World, there: Path):
    run(world)
    stored = str(list(Attempt.objects.values())) + str(list(AuditEntry.objects.values_list("old", "new")))
    files = "".join(path.read_text() for path in output_path("x").parent.iterdir() if path.is_file())
    assert "s3cret-value" not in stored + files


def test_a_host_that_does_not_answer_fails_the_step(world: World, there: Path):
    world.environment.hosts.update(port=1)
    first = run(world)[0]
    assert (first.outcome, first.result["code"], "refused" in first.result["message"]) == (
        "failed",
        255,
        True,
    )


def test_a_host_that_is_not_declared_holds_the_plan(world: World, there: Path):
    world.environment.hosts.all().delete()
    made = planning.make(world.release(), world.environment)
    assert "it runs on user@your-server" in "; ".join(made.problems)


def test_another_machine_of_the_same_name_is_another_plan(world: World, there: Path):
    release = world.release()
    before = plan_hash(planning.make(release, world.environment))
    assert plan_hash(planning.make(release, world.environment)) == before
    world.environment.hosts.update(address="deploy@elsewhere")
    assert plan_hash(planning.make(release, world.environment)) != before
