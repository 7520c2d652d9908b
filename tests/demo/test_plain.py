"""The notice board: a service that is not Django, under the same expectations."""

from demo.build import Built
from tests.demo.conftest import Visitor


def put_live(board: Built, version: str) -> None:
    board.run("git", "fetch", "--quiet", "--tags")
    board.run("git", "checkout", "--quiet", version)
    board.run("./apply.sh")
    board.run("./ctl", "restart")


def test_it_keeps_notes_and_tells_its_build(board: Built) -> None:
    visitor = Visitor(board.base_url)
    assert visitor.post("/notes", text="lost: one glove").json == {"id": 1, "text": "lost: one glove"}
    assert visitor.get("/notes").json == {"notes": [{"id": 1, "text": "lost: one glove"}]}
    assert visitor.get("/healthz").json["build"] == "1.0"


def test_it_closes_for_maintenance_but_not_its_health(board: Built) -> None:
    visitor = Visitor(board.base_url)
    board.run("./ctl", "maintenance", "on")
    closed = visitor.get("/notes")
    assert (closed.status, closed.headers["Retry-After"]) == (503, "60")
    assert visitor.get("/healthz").json["closed"] is True
    board.run("./ctl", "maintenance", "off")
    assert visitor.get("/notes").status == 200


def test_2_0_adds_the_author_to_older_notes(board: Built) -> None:
    visitor = Visitor(board.base_url)
    visitor.post("/notes", text="found: one glove")
    since = visitor.get("/healthz").json["up_since"]
    put_live(board, "2.0")
    assert visitor.get("/notes").json["notes"][0]["author"] == "anonymous"
    assert visitor.get("/healthz").json["up_since"] > since
    assert board.run("./apply.sh").stdout == "2 schema files are in\n"


def test_2_1_says_it_is_well_and_fails(board: Built) -> None:
    visitor = Visitor(board.base_url)
    put_live(board, "2.1")
    assert visitor.get("/healthz").json["build"] == "2.1"
    assert visitor.get("/notes").status == 500
    probed = board.run("python3", "probe.py", board.base_url, check=False)
    assert (probed.returncode, "no such column" in probed.stdout) == (1, True)
    assert visitor.get("/healthz").json["error_percent"] == 100


def test_stop_ends_it_and_start_refuses_a_taken_port(board: Built) -> None:
    record = board.tree / "var" / "server.pid"
    noted = record.read_text()
    assert "already up" in board.run("./ctl", "start").stdout
    record.write_text(noted.split()[0] + " another-time\n")
    refused = board.run("./ctl", "start", check=False)
    record.write_text(noted)
    assert (refused.returncode, "is answered by a process that ctl did not start" in refused.stdout) == (
        1,
        True,
    )
    assert "down" in board.run("./ctl", "stop").stdout
    assert board.run("./ctl", "status", check=False).returncode == 1
