"""Stopping the line and letting it go again, with a real browser."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from releases.models import Hold
from tests import factories
from tests.browser import story
from tests.browser.conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def olga() -> str:
    """Somebody who may hold; the story's own olga has no password."""
    return factories.make_user("operator", username="grace", password=factories.PASSWORD).username


def test_an_environment_is_held_and_let_go_through_dialogs(page, olga) -> None:
    deployment = story.tell()
    sign_in(page, olga)
    page.goto(reverse("admin:checks_environment_change", args=[deployment.environment_id]))
    page.get_by_role("link", name="Hold deployments").click()
    page.locator("#dialog").get_by_label("Reason").fill("payments fail, <b>looking</b>")
    page.locator("#dialog").get_by_label("Until").fill("2126-01-02T08:00")
    page.locator("#dialog").get_by_role("button", name="Hold").click()
    banner = page.locator(".g-hold")
    expect(banner).to_contain_text("are held by grace until")
    expect(banner).to_contain_text("payments fail, <b>looking</b>")
    assert Hold.objects.get().ends_at.isoformat() == "2126-01-02T08:00:00+00:00"

    page.goto("/admin/")
    expect(page.locator(".g-place", has_text="shop/production")).to_contain_text("held")
    expect(page.locator(".g-place", has_text="shop/staging")).not_to_contain_text("held")
    page.get_by_role("link", name="payments fail").click()
    page.get_by_role("link", name="Lift").click()
    page.locator("#dialog").get_by_label("Reason").fill("the provider is back")
    page.locator("#dialog").get_by_role("button", name="Lift").click()
    expect(page.get_by_text("lifted: payments fail")).to_be_visible()
    assert Hold.objects.get().lift_reason == "the provider is back"


def test_everything_is_held_from_the_list_of_holds(page, olga) -> None:
    story.tell()
    sign_in(page, olga)
    page.get_by_role("link", name="Holds").first.click()
    page.get_by_role("link", name="Hold deployments").click()
    dialog = page.locator("#dialog")
    dialog.get_by_label("Environment").select_option("Every environment")
    dialog.get_by_label("Reason").fill("year-end freeze")
    dialog.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("every environment is held since")).to_be_visible()
    expect(page.locator("#result_list tbody tr")).to_contain_text("standing")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_hold_fits_a_telephone_and_a_desk(page, olga, width) -> None:
    deployment = story.tell()
    factories.make_hold(environment=deployment.environment, reason="waits for the provider " * 12)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, olga)
    for address in (
        reverse("admin:index"),
        reverse("admin:checks_environment_change", args=[deployment.environment_id]),
        reverse("admin:releases_hold_change", args=[Hold.objects.get().pk]),
    ):
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
