"""A deployment over several real hosts, from the command line: in batches, with a look between them."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from releases.models import Attempt
from tests.factories import make_probe
from tests.releases.hosts.machines import Machine, machine
from tests.releases.world import World

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("web1", "web2", "web3", "web4", "web5", "web6")
RUNBOOK = """
# Tea shop

## Deployment steps

### 1. Front ends (T-0)

```bash {{hosts=web* batch=2 health=site name=front}}
NAME=$(cat ~/name)
echo "$NAME begins" >> {folder}/told
until [ "$(grep -c begins {folder}/told)" -ge "$(cat ~/together)" ]; do sleep 0.05; done
test ! -e {folder}/no-$NAME
echo "$NAME runs $RELEASE_VERSION" >> {folder}/told
```

- [ ] The new version runs everywhere <!-- by: step -->

## Rollback procedure

### Code rollback

```bash {{hosts=web*}}
echo "$(cat ~/name) is back" >> {folder}/told
```
"""


@pytest.fixture(scope="module")
def machines() -> Iterator[list[Machine]]:
    """Six hosts; each knows its name, and how many have begun when its batch has."""
    with ExitStack() as stack:
        found = [stack.enter_context(machine(name)) for name in NAMES]
        for number, each in enumerate(found):
            (each.home / "name").write_text(each.target.name)
            (each.home / "together").write_text(str(number // 2 * 2 + 2))
        yield found


@pytest.fixture
def told(world: World, machines: list[Machine], tmp_path: Path) -> Path:
    """What the hosts wrote down, in order; the service is well unless a file `sick` says otherwise."""
    for each in machines:
        each.row(world.environment)
    make_probe(
        environment=world.environment,
        name="site",
        kind="command",
        target=f"test ! -e {tmp_path}/sick",
        conditions=[],
    )
    world.publish(RUNBOOK.format(folder=tmp_path))
    world.approved()
    return tmp_path / "told"


def deploy(gantry, world: World):
    return gantry(
        "deploy_release", "tea", "v2", "--environment", "production", "--as", "olga", token_of=world.olga
    )


def outcomes() -> list[tuple[str, str]]:
    """What the attempts came to, by the part of their keys that tells host or batch."""
    rows = Attempt.objects.exclude(kind="preflight").order_by("pk")
    return [(row.action[16:], row.outcome) for row in rows]


def test_all_hosts_get_the_version_two_at_a_time_and_are_looked_at_between(gantry, world, told):
    seen = deploy(gantry, world)
    assert seen.code == 0, seen
    rows = told.read_text().splitlines()
    assert sorted(row for row in rows if "runs" in row) == [f"{name} runs v2" for name in NAMES]
    # A host waits in its block until its whole batch has begun: they run at the same time, and no batch early.
    begun = [row.split()[0] for row in rows if "begins" in row]
    assert [sorted(begun[:2]), sorted(begun[2:4]), sorted(begun[4:])] == [
        ["web1", "web2"],
        ["web3", "web4"],
        ["web5", "web6"],
    ]
    assert Attempt.objects.filter(kind="ready").count() == 2


def test_a_host_that_fails_stops_all_after_its_batch(gantry, world, told, tmp_path):
    (tmp_path / "no-web4").touch()
    seen = deploy(gantry, world)
    assert seen.code != 0
    forward = [pair for pair in outcomes() if pair[0].startswith(("@", "#"))][:5]
    assert sorted(forward) == [
        ("#1-ready", "succeeded"),
        ("@web1", "succeeded"),
        ("@web2", "succeeded"),
        ("@web3", "succeeded"),
        ("@web4", "failed"),
    ]
    assert "web5 begins" not in told.read_text() and "web6 begins" not in told.read_text()
    assert told.read_text().count("is back") == 6


def test_a_service_that_is_sick_after_the_first_batch_stops_the_second(
    gantry, world, told, tmp_path, monkeypatch
):
    monkeypatch.setattr("releases.actions.ready.Ready.patience", 0.5)
    (tmp_path / "sick").touch()
    assert deploy(gantry, world).code != 0
    assert ("#1-ready", "failed") in outcomes()
    assert "web3 begins" not in told.read_text()
