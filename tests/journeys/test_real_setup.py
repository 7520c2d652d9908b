"""The real set-up: PostgreSQL, Redis, a Celery worker and beat as processes; the same stories."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demo.build import Built
from tests import servers
from tests.journeys.conftest import (
    CONFIRMED,
    REAL_DEMO,
    ROOT,
    WHERE,
    Gantry,
    deploy,
    install,
    introduce,
    prepare,
)
from tests.journeys.test_main_job import running_version, visitors

FASTER = 3600  # 1 h = 1 s: the watch of a day is over in 24 s
CELERY = (sys.executable, "-m", "celery", "--quiet", "--app", "config.celery")
STATUS = "from releases.models import Deployment; print(*Deployment.objects.order_by('number').values_list('status'))"


@pytest.fixture
def real(
    tmp_path: Path, postgres_server: servers.Postgres, redis_server: servers.Redis
) -> Iterator[tuple[Gantry, str, str]]:
    """Gantry on PostgreSQL and Redis with worker and beat, and the shop's own database and broker."""
    with postgres_server.database() as own, postgres_server.database() as shops:
        gantry = install(
            tmp_path / "gantry",
            DATABASE_URL=own,
            REDIS_URL=redis_server.database(0),
            CELERY_BROKER_URL=redis_server.database(1),
        )
        with celery(gantry, "worker", "--concurrency", "2"), celery(gantry, "beat"):
            yield gantry, shops, redis_server.database(2)


@contextmanager
def celery(gantry: Gantry, word: str, *options: str) -> Iterator[None]:
    """A worker or beat as a process, ended with the block."""
    schedule = ("--schedule", str(gantry.folder / "schedule")) if word == "beat" else ()
    log = gantry.folder / f"{word}.log"
    with log.open("w") as sink:
        process = subprocess.Popen(
            [*CELERY, word, "--loglevel", "INFO", *schedule, *options], cwd=ROOT, env=gantry.env,
            stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def real_shop(
    real: tuple[Gantry, str, str], shop: Callable[..., Built], postgres_server: servers.Postgres
) -> Callable[..., Built]:
    """The shop on PostgreSQL and Redis; its commands find pg_dump."""
    _, database_url, broker_url = real

    def make(**options: object) -> Built:
        built = shop(database_url=database_url, broker_url=broker_url, **options)
        toml = built.toml.read_text()
        built.toml.write_text(toml.replace('PATH = "', f'PATH = "{postgres_server.bin}:', 1))
        return built

    return make


def test_the_main_job_on_postgresql_and_redis(
    real: tuple[Gantry, str, str], real_shop: Callable[..., Built], tmp_path: Path
) -> None:
    gantry, service = real[0], real_shop(time_scale=REAL_DEMO)
    with visitors(service, tmp_path / "orders"):
        introduce(gantry, service)
        prepare(gantry, service, "v1.1")
        deploy(gantry, service, "v1.1", expect=0)
        prepare(gantry, service, "v1.2")
        deploy(gantry, service, "v1.2", expect=4)
        assert running_version(service) == "v1.1"
    assert gantry.shell("from checks.audit import first_bad_entry; print(first_bad_entry())") == "None"


def test_a_failed_migration_is_restored_on_postgresql(
    real: tuple[Gantry, str, str], real_shop: Callable[..., Built], tmp_path: Path
) -> None:
    gantry, service = real[0], real_shop(broken=True)
    with visitors(service, tmp_path / "orders"):
        introduce(gantry, service)
        prepare(gantry, service, "v1.1-broken")
        said = deploy(gantry, service, "v1.1-broken", expect=4)
        assert "going back to v1.0 (RESTORE)" in said
        assert running_version(service) == "v1.0"


def test_a_worker_deploys_and_beat_brings_the_watch_to_its_end(
    real: tuple[Gantry, str, str], real_shop: Callable[..., Built]
) -> None:
    gantry, service = real[0], real_shop(time_scale=FASTER)
    introduce(gantry, service)
    prepare(gantry, service, "v1.1")
    gantry.shell(
        "from django.utils import timezone; from django.contrib.auth.models import User\n"
        "from releases.lifecycle import items, starting; from releases.models import *\n"
        "from releases import doorbell, tasks\n"
        "olga, plan = User.objects.get(username='olga'), Deployment.objects.get()\n"
        "items.confirm_all(plan.items.all(), user=olga, evidence='calendar', at=timezone.now())\n"
        "starting.queue(plan, user=olga, at=timezone.now())\n"
        "doorbell.ring(tasks.deploy.name, plan.pk)"
    )
    servers.wait_until(
        lambda: gantry.shell(STATUS) == "('watching',)", within=90, what="the worker to go live"
    )
    assert running_version(service) == "v1.1"
    for text in (
        "Orders of the last two hours",
        "no new kind of complaint",
        "reports are complete",
        "closed in the",
    ):
        words = ("tick_item", "shop", "v1.1", text, *WHERE)
        gantry.do(*words, "--evidence", "it is", by="olga")
    servers.wait_until(lambda: gantry.shell(STATUS) != "('watching',)", within=90, what="the watch to end")
    assert gantry.shell(STATUS) == "('succeeded',)"


def test_a_deployment_goes_on_when_the_broker_is_away(tmp_path: Path, shop: Callable[..., Built]) -> None:
    gantry = install(tmp_path / "gantry", CELERY_BROKER_URL=f"redis://127.0.0.1:{servers.free_port()}/0")
    service = shop()
    introduce(gantry, service)
    prepare(gantry, service, "v1.1")
    gantry.do("deploy_release", "shop", "v1.1", *WHERE, *CONFIRMED, by="olga")
    assert running_version(service) == "v1.1"
