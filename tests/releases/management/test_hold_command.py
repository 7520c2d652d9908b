"""`hold`: putting, lifting and listing as people and pipelines type it."""

import json
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from releases.lifecycle import holds
from releases.models import Hold
from tests.factories import make_environment, make_hold, make_service, make_user

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def production():
    return make_environment(service=make_service(name="shop"))


def standing_hold(**given):
    return make_hold(**{"starts_at": timezone.now()} | given)


@pytest.fixture
def hold(gantry, production):
    """The command, as the operator olga types it."""
    olga = make_user("operator", username="olga")
    return lambda *words: gantry("hold", *words, "--as", "olga", token_of=olga)


def test_a_hold_is_put_and_read_back(hold, gantry, production):
    seen = hold("shop/production", "--reason", "payments fail", "--until", "2126-01-02T08:00")
    (row,) = holds.standing(production, timezone.now())
    assert (seen.code, seen.err, row.reason, row.by.username) == (0, "", "payments fail", "olga")
    assert seen.out.startswith(f"hold {row.pk}: no new deployment of shop/production from ")
    assert seen.out.endswith("until 2126-01-02 08:00 UTC, olga: payments fail\n")
    listed = gantry("hold", "--list")
    assert (listed.code, listed.out.split()[:3]) == (0, [str(row.pk), "shop/production", "standing"])


def test_everything_is_held_and_lifted_by_its_number(hold, production):
    hold("all", "--reason", "year-end freeze")
    number = str(Hold.objects.get().pk)
    seen = hold("all", "--lift", number, "--reason", "the year is new")
    assert (seen.code, seen.out) == (0, f"hold {number} is lifted\n")
    assert holds.standing(production, timezone.now()) == []


def test_lifting_one_says_that_another_stands(hold, production):
    first, _ = standing_hold(environment=production), standing_hold(environment=None)
    seen = hold("shop/production", "--lift", str(first.pk), "--reason", "done")
    assert seen.out == f"hold {first.pk} is lifted; 1 more: `hold --list`\n"


def test_a_window_begins_and_ends_by_the_clock_with_its_zone(hold):
    given = ["--from", "2126-12-23T18:00+01:00", "--until", "19:30"]
    seen = hold("shop/production", "--reason", "move of the data centre", *given)
    row = Hold.objects.get()
    assert (row.starts_at.isoformat(), row.ends_at.isoformat()) == (
        "2126-12-23T17:00:00+00:00",
        "2126-12-23T19:30:00+00:00",
    ), seen


def test_a_list_for_programs_tells_every_field_and_needs_nobody(gantry, production):
    standing_hold(environment=None, reason="freeze", by=make_user(username="rita"))
    standing_hold(environment=make_environment())
    (row,) = json.loads(gantry("hold", "shop/production", "--list", "--json").out)
    assert (row["environment"], row["state"], row["by"], row["reason"]) == (
        "all",
        "standing",
        "rita",
        "freeze",
    )
    assert row["ends_at"] is None


def test_what_is_over_is_not_listed(gantry, production):
    make_hold(environment=production, starts_at=LONG_AGO, ends_at=timezone.now())
    assert gantry("hold", "--list").out == "nothing is held\n"


def test_a_hold_that_was_put_is_told_to_programs(hold):
    (row,) = json.loads(hold("shop/production", "--reason", "x", "--json").out)
    assert row["number"] == Hold.objects.get().pk


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "say what to hold: SERVICE/ENVIRONMENT or all"),
        ("shop/nowhere --reason x", "no environment 'shop/nowhere'"),
        ("shop/production", "needs a reason: say what is waited for with --reason TEXT"),
        ("shop/production --reason x --until soon", "--until is 'soon'; write 18:00"),
        ("shop/production --reason x --from then", "--from is 'then'; write 18:00"),
        ("shop/production --reason x --until 2020-01-01", "give a later --until"),
        ("shop/production --lift 99 --reason x", "there is no hold 99"),
        ("all --lift 1 --list", "not allowed with"),
    ],
)
def test_bad_input_gets_one_line_that_names_it(hold, words, message):
    seen = hold(*words.split())
    assert (seen.code, message in seen.err) == (2, True), seen
    assert not Hold.objects.exists()


def test_a_hold_of_another_place_is_not_lifted_by_a_slip(hold, production):
    other = standing_hold(environment=None)
    seen = hold("shop/production", "--lift", str(other.pk), "--reason", "x")
    assert (seen.code, f"`hold all --lift {other.pk} --reason TEXT --as USER`" in seen.err) == (2, True)
    other.refresh_from_db()
    assert other.lifted_at is None


def test_who_may_not_hold_is_refused(gantry, production):
    vera = make_user("viewer", username="vera")
    seen = gantry("hold", "shop/production", "--reason", "x", "--as", "vera", token_of=vera)
    assert (seen.code, "vera may not hold in shop/production" in seen.err) == (2, True)


def test_holding_proves_who_it_is(gantry, production):
    seen = gantry("hold", "shop/production", "--reason", "x")
    assert (seen.code, "say who decides" in seen.err) == (2, True)
