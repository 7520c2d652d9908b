"""Kind tcp."""

from urllib.parse import urlsplit

from checks.observe import ask, problems
from checks.verdicts import Verdict
from tests.checks.conftest import make_question


def test_an_open_port_passes_and_is_timed(web):
    (answer,) = ask([make_question("tcp", urlsplit(web).netloc, readings={"connect": "[RESPONSE_TIME]"})])
    assert answer.verdict is Verdict.PASSED
    assert answer.readings["connect"] > 0


def test_a_closed_port_fails(closed_port):
    (answer,) = ask([make_question("tcp", f"127.0.0.1:{closed_port}")])
    assert (answer.verdict, answer.message) == (
        Verdict.FAILED,
        f"127.0.0.1:{closed_port}: Connection refused",
    )


def test_a_target_needs_a_port():
    assert [found.message for found in problems(make_question("tcp", "localhost"))] == [
        "target 'localhost' is not host:port"
    ]
    assert problems(make_question("tcp", "[::1]:5432")) == []
    (answer,) = ask([make_question("tcp", "$HOST", variables={"HOST": "localhost:port"})])
    assert answer.verdict is Verdict.ERROR
