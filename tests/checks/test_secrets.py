"""Secrets: unreadable at rest, masked in every spelling."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from checks.secrets import (
    COMMON,
    MASK,
    SHORTEST,
    SecretTooCommon,
    SecretTooShort,
    Unmaskable,
    WrongKey,
    decrypt,
    encrypt,
    mask,
    masked,
    names_of,
)

SECRET = "s3cr3t/p@ss word"


@given(st.text(min_size=6, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_stored_secret_comes_back_as_it_was(plain):
    try:
        stored = encrypt(plain)
    except Unmaskable:
        reject()
    assert decrypt(stored) == plain


def test_a_stored_secret_does_not_show_its_value():
    assert SECRET not in encrypt(SECRET)


def test_a_secret_is_lost_without_its_key(settings):
    stored = encrypt(SECRET)
    settings.SECRET_KEY = "another" * 8
    with pytest.raises(WrongKey):
        decrypt(stored)


# --- what cannot be masked --------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", ["", "abc", "a1b2c", "  abc   ", "12:30"])
def test_a_secret_too_short_to_be_masked_is_refused(plain):
    with pytest.raises(SecretTooShort, match="at least 6"):
        encrypt(plain)


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        ("password", "an everyday word"),
        ("Postgres", "an everyday word"),
        ("changeme\n", "an everyday word"),
        ("http://localhost", "an everyday word"),
        ("backup", "a single word of fewer than 8 letters"),
        ("Orders", "a single word of fewer than 8 letters"),
        ("default", "a single word of fewer than 8 letters"),
        ("--------------------", "one or two characters again and again"),
        ("xXxXxXxX", "one or two characters again and again"),
        ("abababab", "one or two characters again and again"),
        ("123456", "a number, date or version of fewer than 10 digits"),
        ("2026-11-21", "a number, date or version"),
        ("127.0.0.1", "a number, date or version"),
        ("webshop-eu", "the name of its service or environment"),
        ("LIVE-SITE", "the name of its service or environment"),
        ("webshop-eu/live-site", "the name of its service or environment"),
    ],
)
def test_a_secret_that_outputs_hold_anyway_is_refused_with_the_way_out_and_not_shown(plain, why):
    with pytest.raises(SecretTooCommon) as refused:
        encrypt(plain, names=names_of("webshop-eu", "live-site"))
    said = str(refused.value)
    assert said.startswith(f"a secret that is {why}")
    assert said.endswith("take a longer random value, or store it as a plain variable if it is no secret")
    assert plain.strip() not in said


@pytest.mark.parametrize(
    "plain",
    [
        "hunter22",
        "correct horse",
        "password1",
        "Tr0ub4dor",
        "dragonfly",
        "4000056655665556",
        "webshop-eu",
        "s3cr3t",
    ],
)
def test_a_weak_secret_that_can_be_masked_is_no_business_of_ours(plain):
    assert decrypt(encrypt(plain)) == plain


def test_every_common_word_is_one_that_no_other_rule_refuses():
    assert [word for word in COMMON if word != word.casefold() or (word.isalpha() and len(word) < 8)] == []


# --- masking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        quote(SECRET, safe="!~*'()").lower(),
    ],
)
def test_every_spelling_of_a_secret_is_masked(spelling):
    shown = mask(f"before {spelling} after", [SECRET])
    assert spelling.rstrip("=") not in shown
    assert shown.startswith(f"before {MASK}")
    assert shown.endswith(" after")


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_in_a_json_text_is_masked(ascii_only):
    secret = 'a "pass"\\wörd\n'
    said = json.dumps({"token": secret, "kind": "Bearer"}, ensure_ascii=ascii_only)
    assert json.loads(mask(said, [secret])) == {"token": MASK, "kind": "Bearer"}


@pytest.mark.parametrize("size", range(SHORTEST, len(SECRET)))
def test_a_secret_that_was_cut_off_is_masked(size):
    assert mask(f"[BODY] is {SECRET[:size]}…, not 1", [SECRET]) == f"[BODY] is {MASK}…, not 1"


def test_a_secret_deep_in_a_value_is_masked_and_its_shape_kept():
    value = {"seen": [SECRET, {"said": f"{SECRET}\0"}], "ok": True, "ms": 1.5, "none": None}
    assert masked(value, [SECRET]) == {
        "seen": [MASK, {"said": f"{MASK}\ufffd"}], "ok": True, "ms": 1.5, "none": None
    }  # fmt: skip


@pytest.mark.parametrize("user", ["", "a", "ab", "abc"])
def test_a_secret_inside_a_longer_base64_text_is_masked(user):
    header = base64.b64encode(f"{user}:{SECRET}\n".encode()).decode()
    shown = mask(f"Authorization: Basic {header}", [SECRET])
    assert MASK in shown
    assert len(shown) <= len("Authorization: Basic ") + len(MASK) + 10


def test_a_secret_that_holds_another_is_masked_whole():
    assert mask("token=abcdefghij", ["abcdef", "abcdefghij"]) == f"token={MASK}"


def test_a_text_without_secrets_stays_as_it_is():
    assert mask("nothing to hide", [SECRET, "", "ab"]) == "nothing to hide"


@pytest.mark.parametrize(
    "quoted", ["it's%20(100%25)!%20~*", "it%27s+%28100%25%29%21+~%2a", "it%27s%20%28100%25%29%21%20~%2A"]
)
def test_a_secret_is_masked_as_any_language_quotes_it(quoted):
    assert mask(f"?token={quoted}&n=1", ["it's (100%)! ~*"]) == f"?token={MASK}&n=1"


def test_a_secret_in_the_base64_of_addresses_is_masked():
    secret = "??>>~~????~~"
    assert "_" in base64.urlsafe_b64encode(secret.encode()).decode()
    assert mask(base64.urlsafe_b64encode(secret.encode()).decode(), [secret]) == MASK


@pytest.mark.parametrize("width", [64, 76])
@pytest.mark.parametrize("size", [50, 60, 131, 200])
def test_a_long_secret_is_masked_in_the_lines_of_base64(width, size):
    secret = "".join(chr(33 + number * 7 % 90) for number in range(size))
    encoded = base64.b64encode(secret.encode()).decode()
    lines = [encoded[begin : begin + width] for begin in range(0, len(encoded), width)]
    shown = mask("\n".join(lines), [secret])
    left = [line for line in shown.splitlines() if line.strip("=") != MASK]
    assert all(len(line.strip("=")) < SHORTEST for line in left), left
