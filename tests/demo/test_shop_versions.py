"""What each later version of the demo shop brings, good and bad."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from demo.build import Built, bring_up_shop, build_shop
from tests.demo.conftest import Visitor, check_out, ended, free_port


def query(shop: Built, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(shop.folder / "shop.sqlite3")) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def newer(shop_at: Callable[[str], Built]) -> Built:
    return shop_at("v1.1")


@pytest.fixture(scope="module")
def bad(shop_at: Callable[[str], Built]) -> Built:
    return shop_at("v1.2")


def test_v1_1_adds_the_total_and_fills_it_for_older_orders(newer: Built) -> None:
    assert query(newer, "SELECT count(*) FROM orders_order WHERE total_cents IS NULL") == [(0,)]
    assert query(newer, "SELECT DISTINCT total_cents FROM orders_order WHERE quantity = 3") == [(10_200,)]


def test_v1_1_prices_by_the_newer_package(newer: Built) -> None:
    order = Visitor(newer.base_url).post("/api/orders", product="tea-cup", quantity=20).json
    assert order["total_cents"] == 900 * 20 * 9 // 10


def test_v1_1_recommends_once_its_flag_is_on(newer: Built) -> None:
    visitor = Visitor(newer.base_url)
    assert "recommendations" not in visitor.get("/api/products").json
    newer.run("python", "manage.py", "configure_features", "--enable", "recommendations")
    newer.run("bin/shop", "restart")
    assert "Tea pot" in [each["title"] for each in visitor.get("/api/products").json["recommendations"]]
    assert "Others also bought" in visitor.get("/").body


def test_models_and_migrations_agree(newer: Built) -> None:
    newer.run("python", "manage.py", "makemigrations", "--check", "--dry-run")


def test_v1_2_fails_every_fifth_order_and_keeps_nothing_of_it(bad: Built) -> None:
    visitor = Visitor(bad.base_url)
    count = "SELECT count(*) FROM orders_order"
    ((before,),) = query(bad, count)
    statuses = [visitor.post("/api/orders", product="tea-cup").status for _ in range(10)]
    assert statuses == [201, 201, 201, 201, 500, 201, 201, 201, 201, 500]
    assert query(bad, count) == [(before + 8,)]
    stats = visitor.get("/stats").json
    assert stats["error_rate"] > 5
    assert stats["p95_ms"] > 140


def test_v1_2_needs_no_migration(bad: Built) -> None:
    assert "Release v1.2" in bad.run("git", "log", "-1", "--format=%s").stdout
    assert bad.run("git", "diff", "--name-only", "v1.1", "v1.2").stdout.split() == [
        "VERSION",
        "orders/checkout.py",
    ]


def test_the_broken_version_fails_half_way_through_its_migrations(tmp_path: Path) -> None:
    shop = build_shop(tmp_path / "shop", port=free_port(), broken=True)
    shop.run("python", "manage.py", "migrate")
    check_out(shop, "v1.1-broken")
    failed = shop.run("python", "manage.py", "migrate", check=False)
    assert failed.returncode != 0
    assert "cannot compute the total" in failed.stdout
    applied = [name for (name,) in query(shop, "SELECT name FROM django_migrations WHERE app = 'orders'")]
    assert applied == ["0001_initial", "0002_order_total"]


def test_a_newer_flag_can_be_switched_off_on_older_code(shop: Built) -> None:
    shop.run("python", "manage.py", "configure_features", "--disable", "recommendations")
    assert "ENABLE_RECOMMENDATIONS=false" in (shop.tree / ".env").read_text()
    config = json.loads(shop.run("python", "manage.py", "show_config", "--json").stdout)
    assert "recommendations" not in config["features"]


def test_two_builds_have_the_same_commits(shop: Built, newer: Built) -> None:
    assert len(tags(shop.origin)) == 6
    assert tags(shop.origin) < tags(newer.origin)  # the newer has v1.1-broken too


def tags(repository: Path) -> set[str]:
    shown = subprocess.check_output(["git", "-C", str(repository), "show-ref", "--tags", "-d"], text=True)
    return set(shown.splitlines())


def test_it_runs_on_postgres_and_redis(tmp_path: Path, postgres_url: str, redis_url: str) -> None:
    built = build_shop(tmp_path / "shop", port=free_port(), database_url=postgres_url, broker_url=redis_url)
    with ended(built) as shop:
        bring_up_shop(shop)
        smoke = shop.run("bin/smoke", shop.base_url, "--orders", "2", check=False)
        drained = shop.run("bin/shop", "drain", check=False)
    assert (smoke.returncode, drained.returncode) == (0, 0), smoke.stdout + drained.stdout
    assert "idle: no job and no order waits" in drained.stdout
