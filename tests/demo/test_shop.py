"""The demo shop at v1.0: what it answers, its fence, its flags, its processes."""

import json
import socket
import subprocess
import time
from pathlib import Path

from demo import processes
from demo.build import Built
from tests.demo.conftest import Visitor, eventually

PROCESSES = ("web", "worker", "beat")


def manage(shop: Built, *words: str) -> str:
    return shop.run("python", "manage.py", *words).stdout


def pids(shop: Built) -> dict[str, int | None]:
    return {name: processes.running(shop.tree / "run" / f"{name}.json") for name in PROCESSES}


def test_an_order_is_confirmed_by_the_worker_and_takes_stock(visitor: Visitor) -> None:
    placed = visitor.post("/api/orders", product="honey", quantity=2)
    assert placed.status == 201
    path = f"/api/orders/{placed.json['id']}"
    assert eventually(lambda: visitor.get(path).json["status"] == "confirmed")
    assert placed.json["id"] in [order["id"] for order in visitor.get("/api/orders").json["orders"]]


def test_a_bad_order_is_refused_with_a_reason(visitor: Visitor) -> None:
    assert visitor.post("/api/orders", product="coffee").json == {"error": "no product 'coffee'"}
    assert visitor.post("/api/orders", product="honey", quantity=0).status == 400
    assert visitor.post("/api/orders").status == 400


def test_the_front_page_shows_products_and_its_style_sheet(visitor: Visitor) -> None:
    page = visitor.get("/")
    assert "Lime blossom honey" in page.body
    assert "/static/shop.css" in page.body
    assert visitor.get("/static/shop.css").headers["Content-Type"].startswith("text/css")


def test_ready_tells_version_start_database_and_worker(visitor: Visitor) -> None:
    ready = visitor.get("/health/ready").json
    assert (ready["status"], ready["version"]) == ("ready", "v1.0")
    assert (ready["database"], ready["worker"]) == ("ok", "ok")
    assert 0 < time.time() - ready["started_at"] < 600


def test_maintenance_shuts_visitors_out_but_not_health_and_smoke(shop: Built, visitor: Visitor) -> None:
    manage(shop, "maintenance_mode", "on")
    try:
        refused = visitor.get("/")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "60")
        assert visitor.post("/api/orders", product="honey").status == 503
        assert visitor.get("/health/live").status == 200
        assert visitor.get("/health/ready").json["maintenance"] is True
        assert visitor.get("/stats").status == 200
        assert visitor.get("/", **{"X-Smoke-Token": "wrong"}).status == 503
        assert visitor.get("/", **{"X-Smoke-Token": shop.environment["SMOKE_TOKEN"]}).status == 200
    finally:
        assert "off" in manage(shop, "maintenance_mode", "off")
    assert visitor.get("/").status == 200


def test_smoke_passes_the_fence_only_with_the_token(shop: Built) -> None:
    manage(shop, "maintenance_mode", "on")
    inside = shop.run("bin/smoke", shop.base_url, "--orders", "1", "--version", "v1.0", check=False)
    outside = shop.run("bin/smoke", shop.base_url, "--from-outside", check=False)
    manage(shop, "maintenance_mode", "off")
    assert (inside.returncode, outside.returncode) == (0, 1)
    assert "(order 1 of 1)" in inside.stdout
    assert "FAILED  GET / answered 503, expected 200" in outside.stdout


def test_a_flag_is_set_in_the_env_file_and_the_rest_of_it_stays(shop: Built) -> None:
    manage(shop, "configure_features", "--disable", "stock_badges", "--set", "GREETING=good morning")
    text = (shop.tree / ".env").read_text()
    config = json.loads(manage(shop, "show_config", "--json"))
    manage(shop, "configure_features", "--enable-all")
    assert text.startswith("# Feature flags of this environment.")
    assert "ENABLE_STOCK_BADGES=false\nGREETING=good morning\n" in text
    assert (config["version"], config["features"]) == ("v1.0", {"stock_badges": False})
    assert config["settings"]["GREETING"] == "good morning"


def test_an_unknown_flag_is_named_and_nothing_changes(shop: Built) -> None:
    before = (shop.tree / ".env").read_text()
    refused = shop.run("python", "manage.py", "configure_features", "--enable", "teleport", check=False)
    assert refused.returncode == 1
    assert "no feature 'teleport' in v1.0: it has stock_badges" in refused.stdout
    assert (shop.tree / ".env").read_text() == before


def test_stats_count_errors_and_times_of_all_workers(visitor: Visitor) -> None:
    for _ in range(20):
        visitor.get("/api/products")
    stats = visitor.get("/stats").json
    assert stats["requests"] >= 20
    assert stats["error_rate"] == 0.0
    assert 0 < stats["p95_ms"] < 5000


def test_the_worker_answers_and_the_cache_is_cleared(shop: Built) -> None:
    worker = pids(shop)["worker"]
    assert f"worker answers (pid {worker})" in manage(shop, "worker_status")
    assert manage(shop, "clear_cache").strip() == "cache cleared"


def test_drain_finishes_every_order_and_ends_beat_and_worker(shop: Built, visitor: Visitor) -> None:
    placed = [visitor.post("/api/orders", product="tea-cup").json["id"] for _ in range(10)]
    shop.run("bin/shop", "drain")
    after, ready = pids(shop), visitor.get("/health/ready").json
    statuses = {visitor.get(f"/api/orders/{each}").json["status"] for each in placed}
    shop.run("bin/shop", "start")
    assert statuses == {"confirmed"}
    assert (after["worker"], after["beat"], ready["worker"]) == (None, None, "away")
    assert after["web"] == pids(shop)["web"]


def test_a_restart_is_seen_in_started_at(shop: Built, visitor: Visitor) -> None:
    before, intent = visitor.get("/health/ready").json["started_at"], time.time()
    shop.run("bin/shop", "restart")
    after = visitor.get("/health/ready").json["started_at"]
    assert before < intent <= after


def test_start_again_changes_nothing(shop: Built) -> None:
    before = pids(shop)
    assert shop.run("bin/shop", "start").stdout.count("already running") == 3
    assert pids(shop) == before
    assert shop.run("bin/shop", "status").returncode == 0


def test_ready_is_503_while_the_database_is_away(shop: Built, visitor: Visitor) -> None:
    database = shop.folder / "shop.sqlite3"
    away = database.rename(database.with_suffix(".away"))
    try:
        ready = visitor.get("/health/ready")
        assert visitor.get("/health/live").status == 200
    finally:
        away.rename(database)
    assert (ready.status, ready.json["database"]) == (503, "away")
    assert visitor.get("/health/ready").status == 200


def test_start_refuses_a_port_that_somebody_else_answers(shop: Built, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = str(stranger.getsockname()[1])
        refused = shop.run("bin/shop", "start", check=False, PORT=port, RUN_DIR=str(tmp_path))
    assert refused.returncode == 1
    assert f"port {port} is answered by a process that bin/shop did not start" in refused.stdout
    assert not list(tmp_path.glob("*.json"))


def test_stop_ends_the_recorded_processes_and_no_other(shop: Built) -> None:
    begun = pids(shop)
    stranger = subprocess.Popen(["sleep", "60"])
    record = shop.tree / "run" / "beat.json"
    record.write_text(json.dumps({"pid": stranger.pid, "started": "at another time"}))
    shop.run("bin/shop", "stop")
    try:
        assert stranger.poll() is None
        assert processes.running(shop.tree / "run" / "web.json") is None
    finally:
        stranger.kill()
        stranger.wait()
        processes.record(record, begun["beat"])
        shop.run("bin/shop", "stop")
        shop.run("bin/shop", "start")
    assert None not in begun.values()
    assert set(begun.values()).isdisjoint(pids(shop).values())
