"""Kind http, against a server that behaves in every bad way."""

from decimal import Decimal

import pytest

from checks.observe import ask, problems
from checks.probers.base import Answer
from checks.verdicts import Verdict
from tests.checks.conftest import make_question


def asked(web: str, target: str, *conditions: str, **overrides) -> Answer:
    (answer,) = ask([make_question("http", target, base_url=web, conditions=conditions, **overrides)])
    return answer


def test_status_body_and_latency_are_judged_and_read(web):
    answer = asked(
        web,
        "/stats",
        "[STATUS] == 200",
        "[BODY].error_rate <= 0.05",
        "[RESPONSE_TIME] < 4000",
        readings={"error_rate": "[BODY].error_rate", "p95": "[BODY].p95_ms"},
    )
    assert answer.verdict is Verdict.PASSED
    assert answer.readings == {"error_rate": Decimal("0.05"), "p95": Decimal(120)}
    assert answer.facts["STATUS"] == "200"
    assert answer.elapsed_ms > 0


def test_without_conditions_a_page_below_400_passes(web):
    assert asked(web, "/stats").verdict is Verdict.PASSED
    assert asked(web, "/nowhere").message == "[STATUS] < 400: is 404"


def test_the_maintenance_page_is_an_answer(web):
    answer = asked(web, "/maintenance", "[STATUS] == 503", "[HEADER].Retry-After exists")
    assert answer.verdict is Verdict.PASSED


def test_variables_reach_target_headers_body_and_conditions(web):
    answer = asked(
        web,
        "$WEB/echo",
        '[BODY].token == "$TOKEN"',
        '[BODY].body == "for v1.1"',
        '[BODY].method == "POST"',
        options={"method": "POST", "headers": {"X-Token": "$TOKEN"}, "body": "for ${VERSION}"},
        variables={"WEB": web, "TOKEN": "t0ken", "VERSION": "v1.1"},
    )
    assert answer.verdict is Verdict.PASSED, answer.message


def test_a_variable_that_is_not_set_is_an_error(web):
    assert asked(web, "/stats?of=$NOBODY").verdict is Verdict.ERROR
    answer = asked(web, "/stats", '[BODY].version == "$NOBODY"')
    assert answer.message.startswith("variable NOBODY is not set in this environment")
    assert answer.verdict is Verdict.ERROR


@pytest.mark.parametrize(
    ("target", "verdict", "said"),
    [
        ("/slow", "failed", "no complete answer within 0.3 s"),
        ("/slow-body", "failed", "no complete answer within 0.3 s"),
        ("/garbage", "failed", "/garbage: "),
        ("/cut-short", "failed", "/cut-short: "),
        ("/huge", "failed", "the answer is larger than 1048576 bytes"),
        ("/loop", "failed", "more than 5 redirects"),
        ("/broken-json", "error", "[BODY].error_rate is missing"),
        ("/stats/", "error", "[BODY].error_rate is missing"),
        ("/nan", "error", "is NaN, not a finite number"),
        ("/immense", "failed", "is 1E+400, too large for a measurement"),
    ],
)
def test_a_bad_source_is_an_answer_in_one_line(web, target, verdict, said):
    timeout = 0.3 if "slow" in target else 5.0
    answer = asked(
        web, target, "[BODY].error_rate < 0.1", readings={"e": "[BODY].error_rate"}, timeout=timeout
    )
    assert answer.verdict == verdict
    assert said in answer.message
    assert "\n" not in answer.message
    assert answer.readings == {}


def test_nobody_listening_is_failed(closed_port):
    answer = asked(f"http://127.0.0.1:{closed_port}", "/")
    assert answer.verdict is Verdict.FAILED
    assert answer.message == f"http://127.0.0.1:{closed_port}/: Connection refused"


def test_a_redirect_is_followed_or_is_the_answer(web):
    assert asked(web, "/moved", '[BODY].version == "v1.1"').verdict is Verdict.PASSED
    assert asked(web, "/moved", "[STATUS] == 301", options={"redirects": 0}).verdict is Verdict.PASSED


def test_a_proxy_of_the_environment_is_not_used(web, closed_port, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    assert asked(web, "/stats").verdict is Verdict.PASSED


@pytest.mark.parametrize(
    ("overrides", "id", "said"),
    [
        ({"target": "stats"}, "probe-target", "target 'stats' is not a page"),
        ({"conditions": ("[STATUS] 200",)}, "probe-condition", "an operator is missing"),
        ({"conditions": ("[ROWS] == 1",)}, "probe-field", "asks for [ROWS]"),
        ({"readings": {"x": "BODY.x"}}, "probe-condition", "does not begin with a field"),
        ({"options": {"metod": "GET"}}, "probe-option", "option 'metod' is not known to kind http"),
        ({"options": {"redirects": "3"}}, "probe-option", "option 'redirects' is '3'"),
        ({"timeout": 0}, "probe-timeout", "timeout is 0 s"),
    ],
)
def test_a_question_is_checked_when_it_is_saved(overrides, id, said):
    (found,) = problems(make_question("http", **{"target": "/stats"} | overrides))
    assert (found.level, found.id) == ("error", id)
    assert said in found.message
    assert found.hint


def test_a_good_question_has_no_problems():
    question = make_question("http", "/stats", conditions=("[STATUS] == 200",), readings={"x": "[BODY].x"})
    assert problems(question) == []
