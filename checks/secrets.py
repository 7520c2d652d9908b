"""Secrets: encrypted at rest with a key derived from SECRET_KEY, masked in everything shown or stored."""

import base64
import hashlib
import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

from django.conf import settings

from checks.errors import ChecksError

MASK = "••••••"
SHORTEST = 6


class WrongKey(ChecksError):
    """The key of today does not open what was stored."""


class SecretTooShort(ValueError):
    """A secret of fewer characters than can be masked without hiding ordinary words."""


@lru_cache(maxsize=4)
def _cipher(key: str):  # type: ignore[no-untyped-def]
    # Loaded on first use: cryptography costs 60 ms that most commands never need.
    from cryptography.fernet import Fernet

    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"gantry secrets" + key.encode()).digest()))


def encrypt(plain: str) -> str:
    """The stored form of a secret; raises SecretTooShort."""
    if len(plain) < SHORTEST:
        raise SecretTooShort(
            f"a secret needs at least {SHORTEST} characters, or masking would hide ordinary text"
        )
    return _cipher(settings.SECRET_KEY).encrypt(plain.encode()).decode()


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
            found |= {quote(value, safe=""), quote(value), quote_plus(value)}
            found |= {*_json_spellings(value), *_base64_spellings(value.encode())}
    return tuple(sorted(found, key=len, reverse=True))


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
    return {alone, *within}


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
