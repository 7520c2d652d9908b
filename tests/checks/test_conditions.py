"""One-line conditions: how they read, what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.conditions import judge, look_up, parse, read_json
from checks.errors import ConditionError, MissingField
from checks.verdicts import Verdict

BODY = """{"error_rate": 0.05, "total": 0.30, "items": [{"name": "x"}], "ok": true, "none": null,
"text": "200", "weird key": 1, "nan": NaN, "status": {"code": 7}}"""
FACTS = {
    "STATUS": 200,
    "RESPONSE_TIME": 12.5,
    "BODY": read_json(BODY),
    "HEADER": {"retry-after": "30", "content-type": "text/html"},
    "OUTPUT": "pong 1\n",
    "EXIT": 0,
}

CASES = [
    ("[STATUS] == 200", "passed"),
    ("[STATUS] = 200", "passed"),
    ("[STATUS] != 200", "failed"),
    ("[STATUS] ≥ 500", "failed"),
    ("[RESPONSE_TIME] < 500", "passed"),
    ("[BODY].error_rate < 0.05", "failed"),
    ("[BODY].error_rate <= 0.05", "passed"),
    ("[BODY].total == 0.3", "passed"),
    ('[BODY].items[0].name == "x"', "passed"),
    ('[BODY].items[1].name == "x"', "error"),
    ('[BODY]["weird key"] == 1', "passed"),
    ("[BODY].status.code > 6.99", "passed"),
    ("[BODY].missing < 1", "error"),
    ("[BODY].missing != 1", "error"),
    ("[BODY].missing exists", "failed"),
    ("[BODY].missing is missing", "passed"),
    ("[BODY].ok == true", "passed"),
    ("[BODY].ok == 1", "error"),
    ("[BODY].none == null", "passed"),
    ("[BODY].none < 1", "error"),
    ("[BODY].text == 200", "error"),
    ("[BODY].text != 200", "error"),
    ("[BODY].nan < 1", "error"),
    ("[BODY].error_rate.deeper == 1", "error"),
    ("[HEADER].Retry-After exists", "passed"),
    ('[HEADER].RETRY-AFTER == "30"', "passed"),
    ("[HEADER].X-Other is missing", "passed"),
    ("[EXIT] == 0", "passed"),
    ('[OUTPUT] contains "pong"', "passed"),
    ('[OUTPUT] starts with "pong"', "passed"),
    ('[OUTPUT] matches "^pong [0-9]$"', "passed"),
    ('[OUTPUT] contains "ping"', "failed"),
    ("[ROWS] == 9", "error"),
]


@pytest.mark.parametrize(("text", "verdict"), CASES)
def test_a_condition_is_judged_by_the_facts(text, verdict):
    assert judge(parse(text), FACTS).verdict == verdict


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[STATUS] == 500", "[STATUS] == 500: is 200"),
        ("[BODY].error_rate < 0.05", "[BODY].error_rate < 0.05: is 0.05"),
        ("[ROWS] == 9", "[ROWS]: there is no [ROWS]; there is [STATUS], [RESPONSE_TIME], [BODY], [HEADER], "),
        ("[BODY].status.cod == 7", "[BODY].status.cod is missing: there is no 'cod' in {\"code\": 7}"),
        ("[BODY].ok == 1", "[BODY].ok == 1: is true, a truth value, and cannot be compared with a number"),
    ],
)
def test_the_message_shows_what_was_found(text, message):
    assert judge(parse(text), FACTS).message.startswith(message)


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("STATUS == 200", "does not begin with a field in brackets; write for example [STATUS] == 200"),
        ("", "does not begin with a field"),
        ("[STATUS]", "after [STATUS] an operator is missing; use one of ==, !="),
        ("[STATUS] is 200", "an operator is missing"),
        ("[STATUS] ==", "the value to compare with is missing"),
        ("[STATUS] == ok", "ok is no number, true, false, null or text in double quotes"),
        ("[STATUS] < true", "< compares numbers, and true is none"),
        ("[STATUS] < NaN", "NaN is not a number to compare with"),
        ("[STATUS] exists 3", "nothing may follow 'exists'"),
        ("[OUTPUT] contains 3", "wants a text in double quotes"),
        ('[OUTPUT] matches "("', "is not a regular expression"),
    ],
)
def test_an_unreadable_condition_says_what_is_wrong(text, way_out):
    with pytest.raises(ConditionError) as refusal:
        parse(text)
    assert repr(text) in str(refusal.value)
    assert way_out in str(refusal.value)


def test_a_look_up_gives_the_value_itself():
    assert look_up("[BODY].items[0].name", FACTS) == "x"
    with pytest.raises(MissingField):
        look_up("[BODY].items[0].title", FACTS)
    with pytest.raises(ConditionError):
        look_up("[BODY].items == 3", FACTS)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["a", "b"]), inner),
    max_leaves=8,
)
TEXTS = [
    "[BODY] == 1",
    "[BODY].a < 2.5",
    '[BODY] != "x"',
    '[BODY] contains "x"',
    "[BODY][0].b exists",
    "[BODY] >= 0",
]


@given(JSON, st.sampled_from([*TEXTS, '[BODY] matches "^x"', "[BODY] == null", "[BODY].b == true"]))
def test_no_value_breaks_a_condition(body, text):
    assert isinstance(judge(parse(text), {"BODY": body}).verdict, Verdict)
