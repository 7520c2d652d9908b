"""The demo's runbooks, as Gantry reads them."""

from pathlib import Path

import pytest

from demo import __main__ as demo
from demo import build
from releases.runbooks.document import Document
from releases.runbooks.reader import read

DEMO = Path(build.__file__).parent
ORDER = {
    "shop": "backup maintenance drain code dependencies migrate cache features restart maintenance",
    "plain": "backup maintenance code restart maintenance",
}


def runbook(service: str) -> Document:
    return read((DEMO / service / "RUNBOOK.md").read_text())


@pytest.mark.parametrize("service", ["shop", "plain"])
def test_nothing_in_it_puzzles_the_reader(service: str) -> None:
    document = runbook(service)
    assert document.problems == ()
    assert document.placeholders == ()


@pytest.mark.parametrize("service", ["shop", "plain"])
def test_its_steps_do_the_typed_actions_in_order(service: str) -> None:
    blocks = [block for block in runbook(service).blocks if block.role == "deployment_steps" and block.action]
    assert sorted(block.action for block in blocks) == sorted(ORDER[service].split())
    assert blocks[-1].action == "maintenance"


def test_the_shop_has_three_ways_back_and_two_triggers() -> None:
    document = runbook("shop")
    assert [method.covers for method in document.rollback_methods] == ["FLAGS", "CODE", "RESTORE"]
    triggers = {
        (each.metric, each.op, int(each.value), each.unit, each.for_minutes) for each in document.thresholds
    }
    assert {("error_rate", ">", 5, "percent", 2.0), ("p95_response_time", ">", 1500, "ms", 5.0)} <= triggers


def test_the_demo_ticks_every_box_of_the_release() -> None:
    items = [item.text for item in runbook("shop").items if item.scope == "release"]
    assert items == list(demo.TICKED_BEFOREHAND)
