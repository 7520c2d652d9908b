"""A service that is not Django, by another runbook: the engine knows nothing of either."""

import json
import urllib.request

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
