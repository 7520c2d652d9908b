"""The documented operations on a running service, by the commands it declares and seen from outside."""

import json
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from demo.build import Built
from tests.journeys.conftest import Gantry

PLACE = ("--environment", "shop/production")


@pytest.fixture
def service(gantry: Gantry, shop: Callable[..., Built]) -> Built:
    """The shop at v1.0, registered."""
    built = shop()
    gantry.do("register_service", str(built.toml))
    return built


def status_of(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers.get("Retry-After", "")


def test_maintenance_is_switched_and_seen_from_outside(gantry: Gantry, service: Built) -> None:
    said = gantry.do("maintenance_mode", "on", *PLACE, by="olga")
    assert "maintenance is on" in said
    code, retry_after = status_of(service.base_url + "/")
    assert (code, bool(retry_after)) == (503, True)
    assert status_of(service.base_url + "/health/live") == (200, "")
    gantry.do("maintenance_mode", "off", *PLACE, by="olga")
    assert status_of(service.base_url + "/")[0] == 200
    assert gantry.do("maintenance_mode", "status", *PLACE).startswith("shop/production: maintenance is off")


def test_features_are_switched_and_read_back(gantry: Gantry, service: Built) -> None:
    first = json.loads(gantry.do("configure_features", "--enable-all", *PLACE, "--json", by="olga"))
    assert first and all(first.values())
    name = next(iter(first))
    said = gantry.do("configure_features", "--disable", name, *PLACE, by="olga")
    assert f"{name} off" in said
    unknown = gantry.do("configure_features", "--enable", "teleport", *PLACE, by="olga", expect=2)
    assert "has no feature 'teleport'" in unknown
    gantry.do("configure_features", "--set", "STATS_WINDOW=7", *PLACE, by="olga")
    assert "STATS_WINDOW=7" in (service.tree / ".env").read_text()


def test_the_configuration_is_shown_without_secrets(gantry: Gantry, service: Built) -> None:
    shown = gantry.do("show_config", *PLACE)
    assert "SMOKE_TOKEN" in shown and service.environment["SMOKE_TOKEN"] not in shown
    own = json.loads(gantry.do("show_config", "--json"))
    assert own["features"] == {"automatic_rollback": True}
    assert gantry.env["SECRET_KEY"] not in json.dumps(own)


def test_checks_run_and_name_what_failed(gantry: Gantry, service: Built) -> None:
    status_of(service.base_url + "/api/products")
    answers = json.loads(gantry.do("run_checks", *PLACE, "--json"))
    assert {answer["verdict"] for answer in answers} == {"passed"}
    service.run("bin/shop", "stop")
    said = gantry.do("run_checks", *PLACE, expect=1)
    assert "✗ shop/production:traffic" in said and "✓ shop/production:assortment" in said


def test_a_backup_is_listed_and_put_back(gantry: Gantry, service: Built) -> None:
    said = gantry.do("backup_database", *PLACE, "--json", by="olga")
    (backup,) = json.loads(said)
    assert (backup["status"], len(backup["sha256"])) == ("verified", 64)
    database = service.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM orders_product")
    words = ("restore_database", "latest", *PLACE)
    assert "--confirm shop/production" in gantry.do(*words, by="olga", expect=3)
    assert "is kept as" in gantry.do(*words, "--confirm", "shop/production", by="olga")
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM orders_product").fetchone()[0] > 0
    assert status_of(service.base_url + "/")[0] == 200
    assert backup["path"] in gantry.do("backup_database", *PLACE, "--list")


def test_the_cache_is_cleared_by_the_services_own_command(gantry: Gantry, service: Built) -> None:
    assert gantry.do("clear_cache", *PLACE, by="olga").startswith("shop/production: ")


def test_gantry_itself_goes_into_maintenance(gantry: Gantry) -> None:
    assert "maintenance is on" in gantry.do("maintenance_mode", "on")
    assert json.loads(gantry.do("maintenance_mode", "status", "--json")) == {"is_on": True}
    gantry.do("clear_cache")
    assert json.loads(gantry.do("maintenance_mode", "status", "--json")) == {"is_on": True}
    gantry.do("maintenance_mode", "off")
