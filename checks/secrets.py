"""Secrets: encrypted at rest with a key derived from SECRET_KEY, masked in everything shown or stored."""

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from django.conf import settings

from checks.errors import ChecksError

MASK = "••••••"
SHORTEST = 6
# A shorter value made of letters alone is as likely an ordinary word, and one of digits alone a count or a date.
SHORTEST_LETTERS, SHORTEST_DIGITS = 8, 10
# Lines as `base64` (76) and PEM (64) break them.
LINES = (64, 76)
JAVASCRIPT = "!~*'()"
QUOTED = re.compile(r"%[0-9A-F]{2}")
URL_SAFE = str.maketrans("+/", "-_")
NUMBER = re.compile(r"[\d.,:/_+-]+")
# What stands in outputs and settings anyway, beyond the short words; and what people write in place of a secret.
COMMON = frozenset(
    """
    administrator anonymous application authorization certificate complete completed configuration connected
    connection container containers database databases deployed deploying deployment development disabled
    downloading environment exception executing finished gunicorn information installed installing internal
    kubernetes localhost maintenance migration migrations optional password passphrase postgres postgresql
    processing production rabbitmq received repository requests required response restarted restarting
    rollback starting stopping succeeded successful successfully timestamp traceback undefined unhealthy
    username validation
    access-key access_key accesskey api-key api_key change-it change_it changeit change-me change_me changeme
    default-password my-password my_password mypassword my-secret my_secret mysecret not-set not_set placeholder
    redacted secret-key secret_key secretkey secret-token secret_token some-secret top-secret topsecret
    your-password your_password yourpassword your-secret your_secret yoursecret your-token your_token
    application/json content-type text/html text/plain example.com localhost:8000 http://localhost
    https://localhost http://127.0.0.1 /bin/bash /bin/sh /dev/null /usr/bin /usr/local /usr/local/bin
    """.split()
)
SAFER = "take a longer random value, or store it as a plain variable if it is no secret"


class WrongKey(ChecksError):
    """The key of today does not open what was stored."""


class Unmaskable(ValueError):
    """A secret that cannot be masked without hiding ordinary text; says in a sentence what to take instead."""


class SecretTooShort(Unmaskable):
    """A secret of fewer characters than can be masked without hiding ordinary words."""


class SecretTooCommon(Unmaskable):
    """A secret that outputs hold anyway: masking it would hide them, and where the mask stands would tell it."""


@lru_cache(maxsize=4)
def _cipher(key: str):  # type: ignore[no-untyped-def]
    # Loaded on first use: cryptography costs 60 ms that most commands never need.
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"gantry secrets" + key.encode()).digest()))


def encrypt(plain: str, *, names: Iterable[str] = ()) -> str:
    """The stored form of a secret; raises Unmaskable. `names`: words that the outputs of its place are full of."""
    refuse_unmaskable(plain, names=names)
    return _cipher(settings.SECRET_KEY).encrypt(plain.encode()).decode()


def refuse_unmaskable(plain: str, *, names: Iterable[str] = ()) -> None:
    """Raise SecretTooShort or SecretTooCommon, never showing the value, unless it can be masked safely."""
    bare = plain.strip().casefold()
    if len(bare) < SHORTEST:
        raise SecretTooShort(
            f"a secret needs at least {SHORTEST} characters, or masking would hide ordinary text"
        )
    why = _why_common(bare, {name.casefold() for name in names})
    if why:
        raise SecretTooCommon(
            f"a secret that is {why} cannot be masked without hiding ordinary text: {SAFER}"
        )


def names_of(service: str, environment: str) -> tuple[str, ...]:
    """What the outputs of a service's environment call it: no secret can be one of these."""
    return service, environment, *(f"{service}{sign}{environment}" for sign in "/-_.")


def _why_common(bare: str, names: set[str]) -> str:
    """What makes a value common, in words; "" when nothing does."""
    if bare in names:
        return "the name of its service or environment"
    if bare in COMMON:
        return "an everyday word of outputs and settings"
    if len(set(bare)) <= 2:
        return "one or two characters again and again"
    if len(bare) < SHORTEST_LETTERS and bare.isalpha():
        return f"a single word of fewer than {SHORTEST_LETTERS} letters"
    if NUMBER.fullmatch(bare) and sum(map(str.isdigit, bare)) < SHORTEST_DIGITS:
        return f"a number, date or version of fewer than {SHORTEST_DIGITS} digits"
    return ""


def decrypt(stored: str) -> str:
    """The plain value of a stored secret; raises WrongKey when SECRET_KEY is another."""
    from cryptography.fernet import InvalidToken  # as above

    try:
        return _cipher(settings.SECRET_KEY).decrypt(stored.encode()).decode()
    except InvalidToken:
        raise WrongKey("SECRET_KEY is not the one that the stored secrets were encrypted with") from None


def needles(values: Iterable[str]) -> tuple[str, ...]:
    """Every spelling in which a secret may show up (plain, URL-quoted, JSON, base64), longest first."""
    found = set()
    for value in values:
        if len(value) >= SHORTEST:
            found |= {*_url_spellings(value), *_json_spellings(value), *_base64_spellings(value.encode())}
    return tuple(sorted(found, key=len, reverse=True))


def _url_spellings(value: str) -> set[str]:
    """As Python's and JavaScript's functions quote it, in capital and in small digits."""
    found = {quote(value, safe=""), quote(value), quote_plus(value), quote(value, safe=JAVASCRIPT)}
    return found | {QUOTED.sub(lambda each: each[0].lower(), each) for each in found}


def _json_spellings(value: str) -> set[str]:
    """As it is, in a JSON text, and in a JSON text that another one holds: so a probe shows what it was told."""
    found = {value}
    for _ in range(2):
        found |= {json.dumps(each, ensure_ascii=only)[1:-1] for each in found for only in (True, False)}
    return found


def _base64_spellings(value: bytes) -> set[str]:
    """Alone, and inside a longer text (`user:password`): where it begins shifts every character of it."""
    alone = base64.b64encode(value).decode().rstrip("=")
    # Characters that its neighbours have a part in are left out: they are not always the same.
    within = (
        base64.b64encode(b"\0" * shift + value).decode()[first : (shift + len(value)) * 8 // 6]
        for shift, first in ((0, 0), (1, 2), (2, 3))
    )
    found = {alone, *within, *_lines(alone)}
    return found | {each.translate(URL_SAFE) for each in found}


def _lines(text: str) -> Iterator[str]:
    """The lines into which tools break a long base64 text."""
    for width in LINES:
        if len(text) > width:
            pieces = (text[begin : begin + width] for begin in range(0, len(text), width))
            yield from (piece for piece in pieces if len(piece) >= SHORTEST)


def mask(text: str, secrets: Iterable[str]) -> str:
    """`text` with every spelling of every secret replaced by the mask, also one that was cut with an ellipsis."""
    for needle in needles(secrets):
        text = text.replace(needle, MASK)
        sizes = range(len(needle) - 1, SHORTEST - 1, -1) if "…" in text else ()
        for size in sizes:
            text = text.replace(f"{needle[:size]}…", f"{MASK}…")
    return text


def masked(value: Any, secrets: Iterable[str]) -> Any:
    """A JSON value with every text in it masked, and without NUL, which PostgreSQL does not store."""
    hidden = tuple(secrets)
    if isinstance(value, dict):
        return {str(key): masked(each, hidden) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [masked(each, hidden) for each in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return mask(str(value), hidden).replace("\0", "\ufffd")
