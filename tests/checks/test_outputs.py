"""What runbooks expect of an output or an HTTP answer, in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.outputs import judge_answer, judge_output
from checks.verdicts import Verdict

HEALTH = '{"status": "healthy", "checks": {"database": true, "queue": [1, 2]}, "load": 0.50}'
CURL = f"  % Total    % Received\n100    75  100    75\n{HEALTH}\n"
TABLE = " id | name\n----+-----\n  1 | tea\n  2 | mate\n(2 rows)\n"
CASES = [
    ("true", "true\n", "passed"),
    ("Should output: true", "TRUE", "passed"),
    ("true", "false", "failed"),
    ("true", "", "failed"),
    ("true", "it is true that it starts", "inconclusive"),
    ("true; true", "true\ntrue\n", "passed"),
    ("true; true", "true\nfalse\n", "failed"),
    ("true; false", "true\nfalse\n", "passed"),
    ("true", "true\nfalse", "failed"),
    ("PONG", "PONG\n", "passed"),
    ("PONG", "Could not connect", "failed"),
    ("ready", "not ready", "inconclusive"),
    ("'all good'", "starting\nall good\n", "passed"),
    ("active (running)", "Active: active (running) since Monday", "passed"),
    ("Server is running", "12:00 Server is running on 8000", "passed"),
    ("0 errors", "10 errors", "inconclusive"),
    ("no errors", "fine\nfine", "passed"),
    ("0 errors related to new code", "ERROR: broken", "inconclusive"),
    ("no output", "", "passed"),
    ("nothing", "something", "failed"),
    ("9", "9\n", "passed"),
    ("9", "10", "failed"),
    ("≥ 3", "2", "failed"),
    ("14+ indexes", "15", "passed"),
    ("14+ indexes", "one\ntwo", "inconclusive"),
    ("2 rows", TABLE, "passed"),
    ("3 rows", TABLE, "failed"),
    ("200 rows", TABLE, "failed"),
    ("200", "200\n", "passed"),
    ("200", "HTTP/1.1 200 OK\n", "inconclusive"),
    ("at least 3 lines", "a\nb", "failed"),
    ("1.2.3", "1.2.3", "passed"),
    ("5 commits pushed to remote", "Everything up-to-date", "inconclusive"),
    ("~100% 'direct' parse method", "direct | 100", "inconclusive"),
    ("Should be stable, not increasing rapidly", "123", "inconclusive"),
    ("contains 'tea'", "green tea", "passed"),
    ("contains 'coffee'", "green tea", "failed"),
    ("contains tea", "green tea", "passed"),
    ("Response contains product information", "green tea", "inconclusive"),
    ("contains product information", "green tea", "inconclusive"),
    ("No errors in logs", "green tea", "inconclusive"),
    ("starts with green", "green tea", "passed"),
    ('{"status": "healthy"}', HEALTH, "passed"),
    ('{"status": "healthy"}', CURL, "passed"),
    ('Response: {"status": "healthy", ...}', HEALTH, "passed"),
    ('{"checks": {"database": true, "queue": [1]}, "load": 0.5}', HEALTH, "passed"),
    ('{"checks": {"database": 1}}', HEALTH, "failed"),
    ('{"status": "ill"}', HEALTH, "failed"),
    ('{"version": "v2"}', HEALTH, "failed"),
    ('{"status": "healthy"}', "no JSON", "failed"),
    ("{status: healthy}", HEALTH, "inconclusive"),
    ('{"status": "healthy"}; Response in <1000ms', HEALTH, "passed"),
    ("Response in <1000ms", "any", "passed"),
    ("within 2 seconds", "any", "passed"),
    ("<200ms", "any", "inconclusive"),
    ("", "any", "inconclusive"),
]


@pytest.mark.parametrize(("expected", "output", "verdict"), CASES, ids=[f"{c[0]}-{c[1][:20]}" for c in CASES])
def test_a_phrase_is_compared_with_what_a_script_said(expected, output, verdict):
    judged = judge_output(expected, output, 0.5)
    assert judged.verdict == verdict, judged.message


@pytest.mark.parametrize(
    ("expected", "status", "verdict"),
    [
        ("", 200, "passed"),
        ("", 302, "passed"),
        ("", 404, "failed"),
        ("200", 200, "passed"),
        ("200 OK", 200, "passed"),
        ("HTTP/1.1 200 OK", 503, "failed"),
        ("status code: 2xx", 204, "passed"),
        ("401 Unauthorized", 401, "passed"),
        ("401", 200, "failed"),
        ('200 with {"status": "healthy"}', 200, "passed"),
        ('200 with {"status": "ill"}', 200, "failed"),
        ('{"status": "healthy"}', 503, "failed"),
        ("Response in <1000ms", 200, "passed"),
        ("Response in <200ms", 200, "failed"),
        ("Response in <1000ms", 500, "failed"),
        ("healthy", 200, "inconclusive"),
        ("healthy", 500, "failed"),
        ("looks good to you", 200, "inconclusive"),
    ],
)
def test_a_phrase_is_compared_with_an_answer(expected, status, verdict):
    judged = judge_answer(expected, HEALTH, 0.5, status=status)
    assert judged.verdict == verdict, judged.message


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        ("true", 'expected true, got "green tea ⏎ 2"'),
        ("looks good", "expected 'looks good', saw \"green tea ⏎ 2\": a person must compare"),
        ("<200ms", "expected <200ms, and it took 500 ms with all around it: a person must compare"),
    ],
)
def test_the_message_says_what_was_expected_and_what_came(expected, message):
    assert judge_output(expected, "green tea\n2\n", 0.5).message == message


def test_the_message_names_the_part_of_the_answer_that_differs():
    judged = judge_answer('{"checks": {"queue": [1, 3]}}', HEALTH, 0.5, status=200)
    assert judged.message.endswith("and checks.queue[1] is 2, not 3")


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_phrase_and_no_output_break_it(phrase, output):
    assert isinstance(judge_output(phrase, output, 1.0).verdict, Verdict)
    assert isinstance(judge_answer(phrase, output, 1.0, status=200).verdict, Verdict)


def test_an_output_full_of_brackets_is_read_in_no_time():
    assert judge_output('{"a": 1}', "[" * 200_000, 1.0).verdict == Verdict.FAILED
