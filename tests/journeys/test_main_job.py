"""The main job: a good version goes live, a bad one takes itself back, and no acknowledged order is lost."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.build import Built
from tests.journeys.conftest import REAL_DEMO, ROOT, Gantry, deploy, introduce, prepare


def running_version(service: Built) -> str:
    with urllib.request.urlopen(f"{service.base_url}/health/ready", timeout=10) as answer:
        return str(json.load(answer)["version"])


@contextmanager
def visitors(service: Built, orders: Path) -> Iterator[None]:
    """Load on the shop while the block runs; then every order it acknowledged is found by its id."""
    traffic = [sys.executable, "-m", "demo.traffic"]
    run = subprocess.Popen(
        [*traffic, "run", service.base_url, str(orders)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        run.terminate()
        run.wait(30)
    assert len(orders.read_text().split()) > 20
    subprocess.run([*traffic, "verify", service.base_url, str(orders)], cwd=ROOT, check=True)


def test_a_good_version_goes_live_and_a_bad_one_is_found_by_the_watch(
    gantry: Gantry, shop: Callable[..., Built], tmp_path: Path
) -> None:
    service = shop(smoke_orders=1, time_scale=REAL_DEMO)
    with visitors(service, tmp_path / "orders"):
        introduce(gantry, service)
        prepare(gantry, service, "v1.1")
        deploy(gantry, service, "v1.1", expect=0)
        assert running_version(service) == "v1.1"
        prepare(gantry, service, "v1.2")
        said = deploy(gantry, service, "v1.2", expect=4)
        assert "rollback trigger 'Error rate > 5%" in said
        assert running_version(service) == "v1.1"
    assert_the_logs_tell_it(gantry)
    assert_the_rows_tell_it(gantry)


def assert_the_logs_tell_it(gantry: Gantry) -> None:
    good, bad, back = (gantry.log("shop", f"{number}-*") for number in ("0001", "0002", "0003"))
    assert "v1.0 → v1.1" in good and "live, being watched" in good and "error_rate" in good
    assert "**failed and rolled back**" in bad and "rollback trigger" in bad and "**anton**" in bad
    assert "v1.2 → v1.1" in back and "v1.1 runs again" in back
    assert "- [x] Visitors see the maintenance page" in good


def assert_the_rows_tell_it(gantry: Gantry) -> None:
    story = gantry.shell(
        "from releases.models import *; from checks.audit import first_bad_entry\n"
        "print([d.status for d in Deployment.objects.order_by('number')])\n"
        "print(Release.objects.get(version='v1.2').status, Incident.objects.get().status, first_bad_entry())"
    )
    assert story == "['watching', 'rolled_back', 'succeeded']\nbad mitigated None"


def test_a_bad_version_is_found_by_the_smoke_test_inside_the_fence(
    gantry: Gantry, shop: Callable[..., Built], tmp_path: Path
) -> None:
    service = shop(smoke_orders=5)
    with visitors(service, tmp_path / "orders"):
        introduce(gantry, service)
        prepare(gantry, service, "v1.1")
        deploy(gantry, service, "v1.1", expect=0)
        prepare(gantry, service, "v1.2")
        said = deploy(gantry, service, "v1.2", expect=4)
        assert "smoke-inside failed" in said
        assert "v1.2 is live" not in said
        assert running_version(service) == "v1.1"


def test_a_migration_that_fails_half_way_is_restored_under_the_fence(
    gantry: Gantry, shop: Callable[..., Built], tmp_path: Path
) -> None:
    service = shop(broken=True)
    with visitors(service, tmp_path / "orders"):
        introduce(gantry, service)
        prepare(gantry, service, "v1.1-broken")
        said = deploy(gantry, service, "v1.1-broken", expect=4)
        assert "going back to v1.0 (RESTORE)" in said
        assert running_version(service) == "v1.0"
    applied = service.run("python", "manage.py", "showmigrations", "orders").stdout
    assert "[X] 0001" in applied and "0002" not in applied


def test_a_rollback_that_fails_leaves_the_fence_up_and_calls_someone(
    gantry: Gantry, shop: Callable[..., Built], tmp_path: Path
) -> None:
    service = shop(broken=True)
    runbook = tmp_path / "RUNBOOK.md"
    text = service.runbook.read_text()
    head, full, tail = text.partition("### Full: code and database restore")
    runbook.write_text(head + full + tail.replace("bin/shop stop\n", "false\n", 1))
    introduce(gantry, service, runbook)
    prepare(gantry, service, "v1.1-broken")
    said = deploy(gantry, service, "v1.1-broken", expect=6)
    assert "maintenance stays ON; call someone" in said
    status = gantry.do("maintenance_mode", "status", "--environment", "shop/production", "--json")
    assert json.loads(status) == {"is_on": True}
    severities = gantry.shell(
        "from releases.models import Incident; print({i.severity for i in Incident.objects.all()})"
    )
    assert severities == "{'P1'}"


def test_a_person_takes_a_release_back_later(gantry: Gantry, shop: Callable[..., Built]) -> None:
    service = shop()
    introduce(gantry, service)
    prepare(gantry, service, "v1.1")
    deploy(gantry, service, "v1.1", expect=0)
    back = ("rollback_release", "shop", "v1.1", "--environment", "production", "--reason", "the tea is cold")
    said = gantry.do(*back, by="olga", expect=3)
    assert "--restore-data" in said
    gantry.do(*back, "--restore-data", by="olga")
    assert running_version(service) == "v1.0"
