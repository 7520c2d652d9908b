"""The load generator: what it writes down, how it ends, and that it finds a lost order."""

import json
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from demo.build import Built
from tests.demo.conftest import eventually

ROOT = Path(__file__).resolve().parents[2]


def traffic(*words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "demo.traffic", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def output(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=30)[0]


@pytest.fixture(scope="module")
def orders(shop: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a load of two seconds."""
    file = tmp_path_factory.mktemp("traffic") / "orders.txt"
    process = traffic("run", shop.base_url, str(file), "--seconds", "2")
    output(process)
    assert process.returncode == 0
    return file


def test_it_writes_down_every_acknowledged_order_at_a_bounded_rate(orders: Path) -> None:
    summary = json.loads(orders.with_suffix(".summary.json").read_text())
    assert summary["orders"] == len(set(orders.read_text().split()))
    assert 10 <= sum(summary.values()) <= 41


def test_verify_finds_every_order(shop: Built, orders: Path) -> None:
    count = len(orders.read_text().split())
    process = traffic("verify", shop.base_url, str(orders))
    assert output(process) == f"{count} of {count} acknowledged orders found\n"
    assert process.returncode == 0


def test_verify_names_a_lost_order(shop: Built, orders: Path, tmp_path: Path) -> None:
    lost = str(uuid.uuid4())
    file = tmp_path / "orders.txt"
    file.write_text(f"{orders.read_text().split()[0]}\n{lost}\n")
    process = traffic("verify", shop.base_url, str(file))
    assert output(process) == f"1 of 2 acknowledged orders found\nlost: {lost} (answered 404)\n"
    assert process.returncode == 1


def test_verify_of_nothing_proves_nothing(shop: Built, tmp_path: Path) -> None:
    process = traffic("verify", shop.base_url, str(tmp_path / "orders.txt"))
    assert "nothing was proved" in output(process)
    assert process.returncode == 1


def test_term_ends_it_with_its_summary(shop: Built, tmp_path: Path) -> None:
    file = tmp_path / "orders.txt"
    process = traffic("run", shop.base_url, str(file), "--seconds", "60")
    assert eventually(file.exists)
    process.terminate()
    assert json.loads(output(process)) == json.loads(file.with_suffix(".summary.json").read_text())
    assert process.returncode == 0
