"""A team's checklist in front of its reviewers: what is open is decided, and the text is published."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from releases.models import RunbookRevision
from tests import factories
from tests.browser.conftest import sign_in
from tests.releases.admin.test_review import TEXT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft() -> RunbookRevision:
    for username, role in {"rita": "release_manager", "anton": "approver"}.items():
        factories.make_user(role, username=username, password=factories.PASSWORD)
    return factories.make_revision(status="draft", text=TEXT)


def open_review(page: Page, revision: RunbookRevision, username: str) -> None:
    page.context.clear_cookies()
    sign_in(page, username)
    page.goto(reverse("admin:releases_runbookrevision_change", args=[revision.pk]))


def step(page: Page, heading: str):
    return page.locator(".g-step", has=page.get_by_role("heading", name=heading))


def answer(page: Page, button: str, why: str) -> None:
    page.get_by_label("Reason").fill(why)
    page.locator("#dialog").get_by_role("button", name=button).click()
    expect(page.locator("#dialog")).not_to_be_visible()


def test_a_problem_leads_to_its_line_while_the_review_stays_where_it_is(page, draft) -> None:
    open_review(page, draft, "rita")
    problem = page.locator(".g-rows li", has_text="drops something").first
    before = page.evaluate("scrollY")
    problem.locator(".g-at").click()
    line = page.locator("#line-21")
    expect(line).to_be_in_viewport()
    expect(line).to_contain_text("DROP TABLE")
    assert page.evaluate("scrollY") == before


def test_from_import_to_publishing_by_two_people(page, draft) -> None:
    open_review(page, draft, "anton")
    expect(page.get_by_text("things stop publishing")).to_be_visible()
    step(page, "2. Table").get_by_role("link", name="Accept").click()
    answer(page, "Accept", "nothing reads the table since v1.2")
    expect(step(page, "2. Table")).to_contain_text("nothing reads the table since v1.2")

    open_review(page, draft, "rita")
    step(page, "3. Cache").get_by_role("button", name="cache:forget").click()
    expect(page.get_by_text("Nothing stops publishing.")).to_be_visible()
    step(page, "1. Restart").get_by_role("link", name="auto").click()
    answer(page, "Decide", "rehearsed on staging")
    expect(step(page, "1. Restart").locator("[aria-current]")).to_have_text("auto")
    step(page, "1. Restart").get_by_role("button", name="confirm").click()
    expect(step(page, "1. Restart").locator("[aria-current]")).to_have_text("confirm")

    page.locator(".g-next").get_by_role("link", name="Publish").click()
    page.locator("#dialog").get_by_role("button", name="Publish").click()
    expect(page.get_by_text("Next: create a release.")).to_be_visible()
    draft.refresh_from_db()
    assert (draft.status, draft.published_by.username) == ("published", "rita")


def test_a_refusal_is_read_where_the_reviewer_is(page, draft) -> None:
    factories.make_user("viewer", username="vera", password=factories.PASSWORD)
    open_review(page, draft, "vera")
    step(page, "1. Restart").get_by_role("button", name="guide").click()
    expect(page.locator(".g-toast")).to_contain_text("vera may not review")
    expect(page.locator(".g-toast")).to_be_in_viewport()


def test_what_was_unfolded_stays_so_after_a_decision(page, draft) -> None:
    open_review(page, draft, "rita")
    command = step(page, "4. Smoke").locator("details")
    command.locator("summary").click()
    step(page, "4. Smoke").get_by_role("button", name="guide").click()
    expect(step(page, "4. Smoke").locator("[aria-current]")).to_have_text("guide")
    expect(command).to_have_attribute("open", "")


def test_nothing_sticks_out_of_a_telephone(page, draft) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    open_review(page, draft, "rita")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
