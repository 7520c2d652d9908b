"""What pages need before they open, and a tab that takes no error."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import factories
from tests.releases.admin.conftest import plain_static_files

__all__ = ["page", "plain_static_files", "sign_in"]


@pytest.fixture
def page(browser: Browser, live_server) -> Iterator[Page]:
    """A tab that takes no console error, no failed request and no missing file."""
    context = browser.new_context(
        base_url=live_server.url, viewport={"width": 1440, "height": 1120}, color_scheme="light"
    )
    tab = context.new_page()
    wrong: list[str] = []
    tab.on(
        "console",
        lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None,
    )
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on(
        "response",
        lambda answer: wrong.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
    )
    tab.on("dialog", lambda opened: wrong.append(f"a dialog of the browser: {opened.message}"))
    yield tab
    context.close()
    assert wrong == []


def sign_in(page: Page, username: str) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").first.fill(factories.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="What runs where")).to_be_visible()
