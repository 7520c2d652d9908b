"""Who may do what where: the table, asked through the one question that every door asks."""

import pytest

from releases.errors import NotAllowed
from releases.permissions import ROLES, VERBS, demand, may
from tests.factories import make_environment, make_superuser, make_user

pytestmark = pytest.mark.django_db

ALLOWED = {
    "viewer": "",
    "release_manager": "review publish request tick deploy skip abort rollback hold",
    "approver": "review approve tick skip hold",
    "operator": "tick deploy abort rollback operate resolve hold",
    "administrator": "review publish request tick approve deploy skip abort rollback operate resolve hold",
}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says_and_nothing_else(role):
    user = make_user(role)
    assert [verb for verb in VERBS if may(user, verb)] == [
        verb for verb in VERBS if verb in ALLOWED[role].split()
    ]


def test_somebody_without_a_role_may_nothing():
    user = make_user()
    assert not [verb for verb in VERBS if may(user, verb)]


def test_a_superuser_may_everything_until_switched_off():
    user = make_superuser()
    assert all(may(user, verb, make_environment()) for verb in VERBS)
    user.is_active = False
    assert not any(may(user, verb) for verb in VERBS)


def test_a_role_of_one_environment_counts_there_only():
    here, there = make_environment(), make_environment()
    user = make_user("operator", environment=here)
    assert (may(user, "deploy", here), may(user, "deploy", there)) == (True, False)


def test_a_role_of_every_environment_counts_in_each():
    assert may(make_user("operator"), "deploy", make_environment())


def test_who_may_not_is_told_whom_to_ask():
    environment = make_environment()
    with pytest.raises(NotAllowed) as refused:
        demand(make_user(username="vera"), "approve", environment)
    assert str(refused.value).startswith(
        f"vera may not approve in {environment}: ask one who is approver or administrator"
    )
