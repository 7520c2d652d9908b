"""Holds: who may stop what, from when until when, and what they say."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from checks.audit import first_bad_entry
from checks.models import AuditEntry
from releases.errors import Held, NotAllowed, StaleState, WrongUsage
from releases.lifecycle import holds
from releases.models import Hold
from tests.factories import NOON, make_environment, make_hold, make_service, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
EVENING = datetime(2026, 3, 3, 18, 0, tzinfo=UTC)


@pytest.fixture
def production():
    return make_environment(service=make_service(name="shop"))


@pytest.fixture
def olga():
    return make_user("operator", username="olga")


# --- what stands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [
        (NOON, None, "standing"),
        (NOON - HOUR, NOON + HOUR, "standing"),
        (NOON - HOUR, NOON, "over"),
        (NOON + HOUR, None, "to come"),
    ],
)
def test_a_hold_stands_from_its_beginning_until_its_end(production, begins, ends, state):
    hold = make_hold(environment=production, starts_at=begins, ends_at=ends)
    assert hold.state(NOON) == state
    assert holds.standing(production, NOON) == ([hold] if state == "standing" else [])


def test_a_lifted_hold_holds_nothing(production, olga):
    hold = make_hold(environment=production)
    holds.lift(hold, reason="the provider is back", user=olga, at=NOON)
    assert hold.state(NOON) == "lifted"
    assert holds.standing(production, NOON) == []


def test_a_hold_of_everywhere_holds_every_environment_and_one_of_another_place_none(production):
    everywhere = make_hold(environment=None)
    make_hold(environment=make_environment())
    assert holds.standing(production, NOON) == [everywhere]


def test_the_one_that_lasts_longest_is_named_first(production):
    short = make_hold(environment=production, ends_at=NOON + HOUR)
    long = make_hold(environment=production, ends_at=NOON + 2 * HOUR)
    endless = make_hold(environment=production)
    assert holds.standing(production, NOON) == [endless, long, short]


def test_every_state_is_found_by_its_query(production, olga):
    rows = {
        "standing": make_hold(environment=production),
        "to come": make_hold(environment=production, starts_at=NOON + HOUR),
        "over": make_hold(environment=production, starts_at=NOON - HOUR, ends_at=NOON),
    }
    holds.lift(make_hold(environment=production), reason="x", user=olga, at=NOON)
    known = Hold.objects
    assert [known.standing(NOON).get(), known.ahead(NOON).get(), known.past(NOON).get()] == list(
        rows.values()
    )


# --- in words -------------------------------------------------------------------------------------------


def test_nothing_is_said_where_nothing_is_held(production):
    assert holds.as_error(production, NOON) is None


def test_a_held_deployment_is_told_who_why_until_when_and_the_way_out(production, olga):
    hold = make_hold(environment=production, by=olga, reason="payments fail,\nlooking.", ends_at=EVENING)
    said = holds.as_error(production, NOON)
    assert isinstance(said, Held)
    assert said.exit_code == 5
    assert str(said) == (
        "shop/production is held by olga since 2026-03-03 12:00 UTC until 2026-03-03 18:00 UTC: payments fail, looking "
        f"(hold {hold.pk}; lift it with `hold shop/production --lift {hold.pk} --reason TEXT --as USER`)"
    )


def test_a_hold_of_everywhere_says_how_to_lift_it_everywhere_and_how_many_more_stand(production):
    everywhere = make_hold(environment=None)
    make_hold(environment=production, ends_at=EVENING)
    said = str(holds.as_error(production, NOON))
    assert "until it is lifted" in said
    assert (
        f"`hold all --lift {everywhere.pk} --reason TEXT --as USER`; 1 more: `hold shop/production --list`"
        in said
    )


# --- putting --------------------------------------------------------------------------------------------


def test_a_hold_is_put_with_its_audit_entry(production, olga):
    hold = holds.put(production, reason=" year-end freeze ", user=olga, at=NOON, ends_at=EVENING)
    hold.refresh_from_db()
    assert (hold.reason, hold.by, hold.starts_at, hold.ends_at) == ("year-end freeze", olga, NOON, EVENING)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.reason) == ("added", f"hold:{hold.pk}", "year-end freeze")
    assert entry.actor.startswith("olga ")


def test_a_hold_does_not_claim_to_have_stood_before_it_was_put(production, olga):
    hold = holds.put(production, reason="x", user=olga, at=NOON, starts_at=NOON - HOUR)
    assert hold.starts_at == NOON


def test_a_hold_without_a_reason_is_refused(production, olga):
    with pytest.raises(WrongUsage, match="needs a reason"):
        holds.put(production, reason=" \n", user=olga, at=NOON)
    assert not Hold.objects.exists()


@pytest.mark.parametrize("ends", [NOON - HOUR, NOON, EVENING])
def test_a_hold_that_would_end_before_it_begins_is_refused(production, olga, ends):
    with pytest.raises(WrongUsage, match="give a later --until"):
        holds.put(production, reason="x", user=olga, at=NOON, starts_at=EVENING, ends_at=ends)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"ends_at": NOON},
        {"lifted_at": NOON},
        {"lift_reason": "why"},
    ],
)
def test_the_database_refuses_what_no_hold_can_be(production, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        make_hold(environment=production, **wrong)


# --- lifting --------------------------------------------------------------------------------------------


def test_lifting_says_who_and_why_and_is_audited(production, olga):
    hold = make_hold(environment=production)
    holds.lift(hold, reason="the provider is back", user=olga, at=EVENING)
    hold.refresh_from_db()
    assert (hold.lifted_at, hold.lifted_by, hold.lift_reason) == (EVENING, olga, "the provider is back")
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.subject, entry.reason) == ("lifted", f"hold:{hold.pk}", "the provider is back")
    assert first_bad_entry() is None


def test_a_hold_that_is_to_come_can_be_called_off(production, olga):
    hold = make_hold(environment=production, starts_at=EVENING)
    holds.lift(hold, reason="called off", user=olga, at=NOON)
    assert holds.standing(production, EVENING) == []


def test_a_hold_is_not_lifted_without_a_reason(production, olga):
    hold = make_hold(environment=production)
    with pytest.raises(WrongUsage, match="needs a reason"):
        holds.lift(hold, reason="", user=olga, at=NOON)
    assert holds.standing(production, NOON) == [hold]


def test_a_hold_is_lifted_once_and_the_first_reason_stays(production, olga):
    hold, stale = make_hold(environment=production), Hold.objects.get()
    holds.lift(hold, reason="first", user=olga, at=NOON)
    with pytest.raises(StaleState, match=r"was lifted already, by olga at 2026-03-03 12:00 UTC"):
        holds.lift(stale, reason="second", user=make_user("operator"), at=EVENING)
    assert Hold.objects.get().lift_reason == "first"


def test_a_hold_that_is_over_is_not_lifted(production, olga):
    hold = make_hold(environment=production, starts_at=NOON - HOUR, ends_at=NOON)
    with pytest.raises(StaleState, match="is over since"):
        holds.lift(hold, reason="x", user=olga, at=NOON)


# --- who may --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["release_manager", "approver", "operator", "administrator"])
def test_whoever_has_a_part_in_a_release_may_stop_it(production, role):
    user = make_user(role)
    hold = holds.put(production, reason="stop", user=user, at=NOON)
    holds.lift(hold, reason="go", user=user, at=NOON)


@pytest.mark.parametrize("role", ["", "viewer"])
def test_who_only_looks_stops_and_frees_nothing(production, role):
    user, hold = make_user(role), make_hold(environment=production)
    with pytest.raises(NotAllowed, match="may not hold in shop/production: ask one who is release manager"):
        holds.put(production, reason="stop", user=user, at=NOON)
    with pytest.raises(NotAllowed):
        holds.lift(hold, reason="go", user=user, at=NOON)


def test_a_role_of_one_environment_holds_that_one_and_neither_another_nor_all(production):
    user = make_user("operator", environment=production)
    holds.put(production, reason="stop", user=user, at=NOON)
    for place in (None, make_environment()):
        with pytest.raises(NotAllowed):
            holds.put(place, reason="stop", user=user, at=NOON)
    with pytest.raises(NotAllowed, match="in every environment at once"):
        holds.lift(make_hold(environment=None), reason="go", user=user, at=NOON)
