"""A service that is not Django, by another runbook: the engine knows nothing of either."""

import json
import urllib.request
from pathlib import Path

from demo.build import Built
from tests.journeys.conftest import Gantry, deploy, introduce, prepare


def running_build(service: Built) -> str:
    with urllib.request.urlopen(f"{service.base_url}/healthz", timeout=10) as answer:
        return str(json.load(answer)["build"])


def test_another_service_is_deployed_and_takes_itself_back(gantry: Gantry, board: Built) -> None:
    introduce(gantry, board)
    prepare(gantry, board, "2.0")
    deploy(gantry, board, "2.0", expect=0)
    assert running_build(board) == "2.0"
    prepare(gantry, board, "2.1")
    deploy(gantry, board, "2.1", expect=4)
    assert running_build(board) == "2.0"


def test_a_way_back_that_would_lose_data_waits_for_a_person(gantry: Gantry, board: Built) -> None:
    introduce(gantry, board)
    prepare(gantry, board, "2.1")
    said = deploy(gantry, board, "2.1", expect=3)
    assert said.count("does not go back by itself: restoring would lose what was written since") == 2
    assert running_build(board) == "2.1"
    back = ("rollback_release", "board", "2.1", "--environment", "production", "--reason", "no notes")
    assert "--restore-data" in gantry.do(*back, by="olga", expect=3)
    gantry.do(*back, "--restore-data", by="olga")
    assert running_build(board) == "1.0"
    assert list(Path(board.environment["DATA"]).parent.glob("notes.sqlite3.replaced-*"))
