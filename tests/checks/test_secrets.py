"""Secrets: unreadable at rest, masked in every spelling."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.secrets import MASK, SHORTEST, SecretTooShort, WrongKey, decrypt, encrypt, mask, masked

SECRET = "s3cr3t/p@ss word"


@given(st.text(min_size=6, alphabet=st.characters(exclude_categories=["Cs"])))
def test_a_stored_secret_comes_back_as_it_was(plain):
    assert decrypt(encrypt(plain)) == plain


def test_a_stored_secret_does_not_show_its_value():
    assert SECRET not in encrypt(SECRET)


def test_a_secret_is_lost_without_its_key(settings):
    stored = encrypt(SECRET)
    settings.SECRET_KEY = "another" * 8
    with pytest.raises(WrongKey):
        decrypt(stored)


def test_a_secret_too_short_to_be_masked_is_refused():
    with pytest.raises(SecretTooShort, match="at least 6"):
        encrypt("abc")


@pytest.mark.parametrize(
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET),
        quote_plus(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
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
