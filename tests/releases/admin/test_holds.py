"""Holds in the admin: put and lifted through dialogs, shown where somebody would deploy."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from checks.models import AuditEntry
from releases.models import Hold
from tests import factories

pytestmark = pytest.mark.django_db
LATER = "2126-01-02T08:00"


@pytest.fixture
def production():
    return factories.make_environment(service=factories.make_service(name="shop"))


def standing(**given) -> Hold:
    return factories.make_hold(**{"starts_at": timezone.now() - timedelta(minutes=5)} | given)


def press(client: Client, user, name: str, *args: object, **given: str) -> list[str]:
    """Fill in a dialog as `user`; returns the messages of the page that comes next."""
    client.force_login(user)
    answer = client.post(
        reverse(f"admin:{name}", args=args),
        {"_form_submitted": "on", **given},
        headers={"HX-Request": "true"},
    )
    assert "HX-Redirect" in answer.headers, answer.content.decode()
    return [str(message) for message in get_messages(answer.wsgi_request)]


def page(client: Client, name: str, *args: object) -> str:
    return client.get(reverse(f"admin:{name}", args=args)).content.decode()


# --- putting ------------------------------------------------------------------------------------------------


def test_an_environment_is_held_from_its_own_page(client, production) -> None:
    olga = factories.make_user("operator", username="olga")
    given = {"reason": "payments fail", "ends_at": LATER}
    (said,) = press(client, olga, "checks_environment_hold", production.pk, **given)
    hold = Hold.objects.get()
    assert said.startswith("shop/production is held since ")
    assert said.endswith("until 2126-01-02 08:00 UTC")
    assert (hold.environment, hold.by, hold.ends_at) == (
        production,
        olga,
        datetime(2126, 1, 2, 8, tzinfo=UTC),
    )
    assert AuditEntry.objects.get(subject=f"hold:{hold.pk}").reason == "payments fail"


def test_everything_is_held_from_the_list(client, production) -> None:
    given = {"environment": "all", "reason": "year-end freeze", "starts_at": LATER}
    press(client, factories.make_superuser(), "releases_hold_put", **given)
    hold = Hold.objects.get()
    assert (hold.environment, hold.starts_at, hold.ends_at) == (
        None,
        datetime(2126, 1, 2, 8, tzinfo=UTC),
        None,
    )


def test_one_environment_is_picked_from_the_list(client, production) -> None:
    given = {"environment": str(production.pk), "reason": "stop"}
    press(client, factories.make_user("approver"), "releases_hold_put", **given)
    assert Hold.objects.get().environment == production


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"environment": "all"}, "This field is required"),
        ({"reason": "stop"}, "This field is required"),
        ({"environment": "0", "reason": "stop"}, "Select a valid choice"),
        ({"environment": "all", "reason": "stop", "ends_at": "soon"}, "Enter a valid date/time"),
    ],
)
def test_a_dialog_that_is_not_filled_in_says_so_and_holds_nothing(client, given, said) -> None:
    client.force_login(factories.make_superuser())
    answer = client.post(reverse("admin:releases_hold_put"), {"_form_submitted": "on", **given})
    assert said in answer.content.decode()
    assert not Hold.objects.exists()


def test_a_hold_that_would_be_over_already_is_refused_in_words(client, production) -> None:
    given = {"reason": "stop", "ends_at": "2020-01-01T08:00"}
    user = factories.make_superuser()
    (said,) = press(client, user, "checks_environment_hold", production.pk, **given)
    assert "cannot end at 2020-01-01 08:00 UTC" in said
    assert not Hold.objects.exists()


def test_who_only_looks_holds_and_lifts_nothing_and_is_told_whom_to_ask(client, production) -> None:
    vera, hold = factories.make_user("viewer"), standing()
    (said,) = press(client, vera, "checks_environment_hold", production.pk, reason="stop")
    assert "may not hold in shop/production: ask one who is release manager" in said
    *_, said = press(client, vera, "releases_hold_lift", hold.pk, reason="go")
    assert "may not hold" in said
    assert Hold.objects.get().lifted_at is None


# --- lifting ------------------------------------------------------------------------------------------------


def test_a_hold_is_lifted_with_a_reason(client, production) -> None:
    hold, olga = standing(environment=production, reason="payments fail"), factories.make_user("operator")
    (said,) = press(client, olga, "releases_hold_lift", hold.pk, reason="the provider is back")
    hold.refresh_from_db()
    assert said == "lifted: payments fail (shop/production)"
    assert (hold.lifted_by, hold.lift_reason) == (olga, "the provider is back")


def test_a_hold_is_not_lifted_without_a_reason(client) -> None:
    hold = standing()
    client.force_login(factories.make_superuser())
    answer = client.post(reverse("admin:releases_hold_lift", args=[hold.pk]), {"_form_submitted": "on"})
    assert "This field is required" in answer.content.decode()
    assert Hold.objects.get().lifted_at is None


@pytest.mark.parametrize(
    ("ends_at", "is_offered"), [(None, True), (timezone.now() - timedelta(minutes=1), False)]
)
def test_only_what_still_holds_can_be_lifted(client, ends_at, is_offered) -> None:
    hold = standing(ends_at=ends_at)
    client.force_login(factories.make_superuser())
    address = reverse("admin:releases_hold_lift", args=[hold.pk])
    assert (address in page(client, "releases_hold_change", hold.pk)) is is_offered


# --- seeing -------------------------------------------------------------------------------------------------


@pytest.fixture
def four(production) -> dict[str, Hold]:
    """A hold of every state."""
    now, olga = timezone.now(), factories.make_user("operator")
    return {
        "standing": standing(environment=production, reason="stands now"),
        "to come": standing(environment=None, reason="comes later", starts_at=now + timedelta(hours=1)),
        "over": standing(reason="went by", ends_at=now - timedelta(minutes=1)),
        "lifted": standing(reason="was ended", lifted_at=now, lifted_by=olga, lift_reason="done"),
    }


def test_the_list_tells_what_stands_and_what_does_not(client, four) -> None:
    client.force_login(factories.make_user("viewer"))
    shown = page(client, "releases_hold_changelist")
    for state, hold in four.items():
        assert hold.reason in shown
        found = client.get(reverse("admin:releases_hold_changelist"), {"state": state}).context["cl"].queryset
        assert list(found) == [hold]
    assert "every environment" in shown
    assert "it is lifted" in shown


def test_the_page_of_a_hold_tells_its_end_and_of_a_lifted_one_who_and_why(client, four) -> None:
    client.force_login(factories.make_user("viewer"))
    lifted, standing_one = (
        page(client, "releases_hold_change", four[key].pk) for key in ("lifted", "standing")
    )
    assert "it is lifted" in standing_one and "Lift reason" not in standing_one
    assert "done" in lifted and "Lift reason" in lifted
    assert f"{timezone.now():%Y}," in lifted.partition("lifted\N{NO-BREAK SPACE}")[2]


def test_the_page_of_an_environment_says_that_it_is_held_and_how_to_lift_it(client, four, production) -> None:
    everywhere = standing(
        environment=None, reason="year-end freeze", ends_at=datetime(2126, 1, 2, 8, tzinfo=UTC)
    )
    client.force_login(factories.make_user("viewer"))
    shown = page(client, "checks_environment_change", production.pk)
    for hold in (four["standing"], everywhere):
        assert hold.reason in shown
        assert reverse("admin:releases_hold_lift", args=[hold.pk]) in shown
    assert "until Wed 2 Jan 2126, 08:00 UTC" in shown
    for state in ("to come", "over", "lifted"):
        assert four[state].reason not in shown


def test_the_overview_marks_what_is_held_and_lists_what_stands_and_comes(client, four, production) -> None:
    factories.make_environment()
    client.force_login(factories.make_user("viewer"))
    shown = page(client, "index")
    assert shown.count("lock_clock</span>held") == 1
    assert "stands now" in shown and "comes later" in shown
    assert "went by" not in shown and "was ended" not in shown


def test_a_hold_of_everywhere_marks_every_environment(client, production) -> None:
    factories.make_environment()
    standing(environment=None)
    client.force_login(factories.make_user("viewer"))
    assert page(client, "index").count("lock_clock</span>held") == 2


def test_the_side_bar_counts_what_stands(client, four) -> None:
    client.force_login(factories.make_user("viewer"))
    items = client.get(reverse("admin:index")).context["sidebar_navigation"][1]["items"]
    (holds,) = [item for item in items if item["title"] == "Holds"]
    assert holds["badge"] == "1"


def test_nothing_is_said_of_holds_where_there_are_none(client, production) -> None:
    client.force_login(factories.make_user("viewer"))
    assert "are held" not in page(client, "checks_environment_change", production.pk)
    assert "lock_clock</span>held" not in page(client, "index")


def test_a_longer_list_asks_no_more_of_the_database(client, four) -> None:
    client.force_login(factories.make_user("viewer"))
    for address in (reverse("admin:index"), reverse("admin:releases_hold_changelist")):
        before = queries(client, address)
        for _ in range(3):
            standing(environment=four["standing"].environment)
        assert len(queries(client, address)) == len(before)


def queries(client: Client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    # Gantry's own maintenance is asked about once a second, whatever page is opened.
    return [query["sql"] for query in captured if "maintenancestate" not in query["sql"]]
