"""Pausing a run, answering what went wrong and going on, with a real browser; the worker is played by its rows."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from releases import doorbell, tasks
from releases.models import Deployment
from releases.plan.model import from_json
from releases.statuses import DeploymentStatus
from tests import factories
from tests.browser import story
from tests.browser.conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)
MENU = re.compile(r"\bMore\b")


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    """The deployments for which a worker was rung."""
    found: list[int] = []
    monkeypatch.setattr(
        doorbell, "ring", lambda task, pk, *by: found.append(pk) if task == tasks.deploy.name else None
    )
    return found


@pytest.fixture
def people() -> dict[str, str]:
    """Two who may do different things, and can sign in."""
    given = {"grace": "release_manager", "ada": "approver"}
    return {
        role: factories.make_user(role, username=name, password=factories.PASSWORD).username
        for name, role in given.items()
    }


def running() -> Deployment:
    """The story's deployment while a worker is at it."""
    deployment = story.tell()
    becomes(deployment, status="running", message="", expires_at=factories.NOON.replace(year=2126))
    deployment.environment.is_fenced = False
    deployment.environment.save()
    return deployment


def becomes(deployment: Deployment, **fields) -> None:
    """As a worker would leave it."""
    Deployment.objects.filter(pk=deployment.pk).update(**fields)


def stumbles(deployment: Deployment, outcome: str) -> None:
    """The next action that changes something ends like that, and it waits for an answer."""
    tried = set(deployment.attempts.values_list("action", flat=True))
    actions = from_json(deployment.plan).actions
    action = next(each for each in actions if each.changes and each.key not in tried)
    message = "the connection broke while it ran; nobody knows how far it came"
    given = {"outcome": outcome, "result": {"message": message}, "command": action.text}
    factories.make_attempt(deployment=deployment, action=action.key, kind=action.kind, **given)
    becomes(deployment, status=DeploymentStatus.WAITING, wants="", message=message, expires_at=None)


def press(page: Page, name: str, **given: str) -> None:
    """Press a button above the page, fill in its dialog and send it."""
    page.locator("#header-inner").get_by_role("link", name=name).click()
    answer(page, name, **given)


def choose(page: Page, name: str, **given: str) -> None:
    """The same for what stands in the menu."""
    page.locator("#header-inner a", has_text=MENU).click()
    page.get_by_role("link", name=name).click()
    answer(page, name, **given)


def answer(page: Page, name: str, **given: str) -> None:
    dialog = page.locator("#dialog")
    for label, text in given.items():
        dialog.get_by_label(label.capitalize()).fill(text)
    dialog.get_by_role("button", name=name, exact=True).click()


def test_a_run_is_paused_answered_and_goes_on(page, people, rung) -> None:
    deployment = running()
    sign_in(page, people["release_manager"])
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    press(page, "Pause", reason="orders look <b>odd</b>")
    expect(page.get_by_text("is asked to pause at its next safe point")).to_be_visible()
    expect(page.get_by_text("It was asked to pause, and does so")).to_be_visible()
    assert Deployment.objects.get(pk=deployment.pk).wants == "pause"

    # The page and its buttons renew themselves when the worker comes to the safe point.
    becomes(deployment, status="paused", wants="", expires_at=None, message="paused by grace")
    expect(page.locator("#header-inner").get_by_role("link", name="Go on")).to_be_visible()
    expect(page.locator("#header-inner").get_by_role("link", name="Pause")).to_have_count(0)

    stumbles(deployment, "unknown")
    page.reload()
    choose(page, "Count as done", reason="the table has its new column")
    expect(page.get_by_text("counts as done; Go on takes it up again")).to_be_visible()
    press(page, "Go on")
    expect(page.get_by_text("goes on as soon as a worker is free").first).to_be_visible()
    assert (Deployment.objects.get(pk=deployment.pk).wants, rung) == ("resume", [deployment.pk])


def test_a_second_person_agrees_to_a_skip(page, people) -> None:
    deployment = running()
    stumbles(deployment, "failed")
    address = reverse("admin:releases_deployment_change", args=[deployment.pk])
    sign_in(page, people["release_manager"])
    page.goto(address)
    choose(page, "Skip", reason="that column is there")
    expect(page.get_by_text("A second person has to agree, by ticking")).to_be_visible()
    box = page.locator(".g-box", has_text="that column is there")
    box.get_by_role("link", name="Agree").click()
    page.locator("#dialog").get_by_label("Evidence").fill("so I say")
    page.locator("#dialog").get_by_role("button", name="Tick").click()
    expect(page.get_by_text("cannot agree to it: ask somebody else")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page, people["approver"])
    page.goto(address)
    box.get_by_role("link", name="Agree").click()
    page.locator("#dialog").get_by_label("Evidence").fill("I saw the column")
    page.locator("#dialog").get_by_role("button", name="Tick").click()
    expect(box).to_have_attribute("data-state", "ticked")
    expect(page.locator("#header-inner").get_by_role("link", name="Go on")).to_be_visible()


def test_an_open_menu_stays_open_when_the_page_renews_itself(page, people) -> None:
    deployment = running()
    stumbles(deployment, "unknown")
    becomes(deployment, due_at=factories.NOON)
    sign_in(page, people["release_manager"])
    page.goto(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    page.locator("#header-inner a", has_text=MENU).click()
    with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
        pass
    expect(page.get_by_role("link", name="Count as done")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_the_pages_of_a_run_fit_a_telephone_and_a_desk(page, people, width) -> None:
    deployment = running()
    stumbles(deployment, "unknown")
    becomes(deployment, starts_at=deployment.started_at)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, people["release_manager"])
    for row in (deployment, deployment.attempts.last()):
        page.goto(reverse(f"admin:releases_{row._meta.model_name}_change", args=[row.pk]))
        assert page.evaluate("document.documentElement.scrollWidth") <= width, row
