"""Who is it: a user proved by password or token, and the tokens themselves."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import User

from releases.errors import NotAllowed, WrongUsage
from releases.models import AccessToken
from releases.recorder import Add, record

PREFIX = "gantry_"


def prove(username: str, *, password: str = "", token: str = "", at: datetime) -> User:
    """The user, if the password or the token is theirs; raises WrongUsage (unknown) or NotAllowed (not proved)."""
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise WrongUsage(f"there is no user '{username}'; users are made in the admin")
    if not user.is_active:
        raise NotAllowed(f"{username} is switched off")
    if token:
        return _by_token(user, token, at)
    if authenticate(username=username, password=password) is None:
        raise NotAllowed(
            f"that is not {username}'s password; give it by GANTRY_PASSWORD, --password-file or the prompt"
        )
    return user


def _by_token(user: User, token: str, at: datetime) -> User:
    row = AccessToken.objects.filter(user=user, digest=digest(token), revoked_at__isnull=True).first()
    if row is None:
        raise NotAllowed(f"that token is not {user.username}'s, or was revoked; make one with `create_token`")
    if row.expires_at <= at:
        raise NotAllowed(
            f"the token '{row.label}' ran out on {row.expires_at:%Y-%m-%d}; make one with `create_token`"
        )
    return user


def create_token(user: User, *, label: str, days: int, by: str, at: datetime) -> str:
    """A new token, returned once in plain; only its sha256 is kept."""
    plain = PREFIX + secrets.token_urlsafe(32)
    row = AccessToken(
        user=user, label=label, digest=digest(plain), created_at=at, expires_at=at + timedelta(days=days)
    )
    record(Add(row), by=by, at=at)
    return plain


def digest(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
