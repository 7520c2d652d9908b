"""People at the admin with a real browser: they sign in, look around, and tick a box."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from tests import factories
from tests.browser import story
from tests.browser.conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
# Where pictures are kept, `docs/images` to make those of the documents anew; else they are thrown away.
PICTURES = os.environ.get("GANTRY_PICTURES", "")


def visitor(role: str = "") -> str:
    given: dict[str, Any] = {"username": "grace", "password": factories.PASSWORD}
    return (factories.make_user(role, **given) if role else factories.make_superuser(**given)).username


def picture(page: Page, name: str, folder: Path) -> None:
    """Keep what is seen; a picture of the documents is only written when it is asked for."""
    page.evaluate("document.fonts.ready")
    path = folder / name
    page.screenshot(path=path, animations="disabled")
    assert path.stat().st_size > 20_000
    if PICTURES:
        shutil.copy(path, Path(PICTURES) / name)


def test_a_wrong_password_opens_nothing(browser, live_server) -> None:
    tab = browser.new_page(base_url=live_server.url)
    tab.goto("/")
    tab.get_by_label("Username").fill(visitor())
    tab.get_by_label("Password").first.fill("guessed")
    tab.get_by_role("button", name="Log in").click()
    expect(tab.get_by_text("Please enter the correct username and password")).to_be_visible()
    tab.close()


def test_the_overview_shows_what_runs_where(page, tmp_path) -> None:
    story.tell()
    sign_in(page, visitor())
    production = page.locator(".g-place", has_text="shop/production")
    expect(production.locator(".g-version b")).to_have_text("v1.1")
    expect(production.locator(".g-flight")).to_contain_text("to v1.3")
    expect(page.locator(".g-place", has_text="shop/staging").locator(".g-scale")).to_have_text("×240")
    expect(production.locator("polyline")).to_have_count(3)
    picture(page, "admin.png", tmp_path)


def test_a_deployment_shows_its_steps_and_outputs(page, tmp_path) -> None:
    deployment = story.tell()
    sign_in(page, visitor())
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    expect(page.locator(".g-stop")).to_have_count(len(deployment.plan["steps"]))
    action = page.locator(".g-action", has_text="pg_dump")
    action.first.locator("summary").click()
    expect(page.get_by_text("read back: 9 tables").first).to_be_visible()
    action.first.locator("summary").click()
    picture(page, "deployment.png", tmp_path)


def test_a_box_is_ticked_through_the_dialog(page) -> None:
    deployment = story.tell()
    sign_in(page, visitor("operator"))
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    box = page.locator(".g-box", has_text="Nobody is in the middle of a campaign")
    box.get_by_role("link", name="Tick").click()
    page.get_by_label("Evidence").fill("asked Noor, nothing planned <b>today</b>")
    page.locator("#dialog").get_by_role("button", name="Tick").click()
    expect(box).to_have_attribute("data-state", "ticked")
    expect(box).to_contain_text("asked Noor, nothing planned <b>today</b>")
    assert deployment.items.get(text__startswith="Nobody is in").state == "ticked"


def test_a_dialog_without_evidence_says_so_and_stays(page) -> None:
    deployment = story.tell()
    sign_in(page, visitor("operator"))
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    page.locator(".g-box", has_text="Nobody is in").get_by_role("link", name="Tick").click()
    page.locator("#dialog").get_by_role("button", name="Tick").click()
    expect(page.get_by_text("This field is required")).to_be_visible()


def test_a_refusal_is_a_sentence_on_the_page(page) -> None:
    deployment = factories.make_deployment()
    sign_in(page, visitor("viewer"))
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    page.get_by_role("link", name="Approve").click()
    page.locator("#dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_text("may not approve")).to_be_visible()


def test_release_and_runbook_open_with_their_boxes_and_text(page) -> None:
    deployment = story.tell()
    sign_in(page, visitor())
    page.goto(reverse("admin:releases_release_change", args=[deployment.release_id]))
    expect(page.locator(".g-ladder li")).to_have_count(2)
    page.goto(reverse("admin:releases_runbookrevision_change", args=[deployment.release.revision_id]))
    expect(page.locator(".g-text")).to_contain_text("Tea shop: deployment checklist")


def test_an_open_output_stays_open_when_the_page_renews_itself(page) -> None:
    deployment = factories.make_deployment(status="running")
    factories.make_attempt(deployment=deployment, tail="all is well")
    sign_in(page, visitor())
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    page.locator("#action-preflight summary").click()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        pass
    expect(page.get_by_text("all is well")).to_be_visible()


@pytest.mark.parametrize("name", ["checks_environment", "releases_deployment", "releases_checklistitem"])
def test_lists_and_forms_open_without_an_error(page, name) -> None:
    story.tell()
    sign_in(page, visitor())
    page.goto(reverse(f"admin:{name}_changelist"))
    page.locator("#result_list tbody tr th a").first.click()
    expect(page.locator("#content")).to_be_visible()
