"""Who is it: by password or token, and by nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from checks.models import AuditEntry
from releases.errors import NotAllowed, WrongUsage
from releases.identity import PREFIX, create_token, prove
from releases.models import AccessToken
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def rita():
    return make_user(username="rita", password=PASSWORD)


def make_token(user, **overrides) -> str:
    return create_token(user, **{"label": "CI", "days": 90, "by": user.username, "at": NOW} | overrides)


def test_the_right_password_proves_a_user(rita):
    assert prove("rita", password=PASSWORD, at=NOW) == rita


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), PASSWORD + " "])
def test_a_wrong_password_proves_nobody(rita, password):
    with pytest.raises(NotAllowed, match="not rita's password"):
        prove("rita", password=password, at=NOW)


def test_an_unknown_user_is_named():
    with pytest.raises(WrongUsage, match="no user 'nobody'"):
        prove("nobody", password=PASSWORD, at=NOW)


@pytest.mark.parametrize("how", ["password", "token"])
def test_a_user_who_is_switched_off_is_proved_by_nothing(rita, how):
    secret = PASSWORD if how == "password" else make_token(rita)
    rita.is_active = False
    rita.save()
    with pytest.raises(NotAllowed, match="switched off"):
        prove("rita", **{how: secret}, at=NOW)


def test_a_token_proves_its_user_until_it_runs_out(rita):
    token = make_token(rita, days=90)
    assert prove("rita", token=token, at=NOW + timedelta(days=89)) == rita
    with pytest.raises(NotAllowed, match="'CI' ran out"):
        prove("rita", token=token, at=NOW + timedelta(days=90))


def test_a_revoked_token_proves_nobody(rita):
    token = make_token(rita)
    AccessToken.objects.update(revoked_at=NOW)
    with pytest.raises(NotAllowed, match="revoked"):
        prove("rita", token=token, at=NOW)


def test_a_token_of_somebody_else_proves_nobody(rita):
    token = make_token(make_user(username="anton"))
    with pytest.raises(NotAllowed, match="not rita's"):
        prove("rita", token=token, at=NOW)


def test_a_password_is_no_token(rita):
    with pytest.raises(NotAllowed):
        prove("rita", token=PASSWORD, at=NOW)


def test_a_token_is_kept_as_its_hash_only(rita):
    token = make_token(rita)
    row = AccessToken.objects.get()
    assert token.startswith(PREFIX)
    assert token not in str(vars(row)) + str(list(AuditEntry.objects.values()))
    assert row.digest not in str(list(AuditEntry.objects.values_list("new")))
