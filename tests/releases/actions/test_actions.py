"""What the kinds of actions conclude from what they see."""

import json
from datetime import UTC, datetime

import pytest

from releases.actions import ACTIONS, action
from releases.actions.base import Action
from releases.actions.features import asked, observe
from releases.actions.restart import Health, _problem, same_version
from releases.models import Feature
from releases.recorder import record
from releases.runbooks.typed import ACTIONS as NAMED
from tests.factories import make_environment, make_feature, make_service

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", ACTIONS)
def test_every_kind_is_an_action_that_says_what_it_does(kind):
    assert isinstance(action(kind), Action)
    assert type(action(kind)).__doc__


def test_every_kind_that_a_runbook_can_name_is_known():
    assert {name for name, *_ in NAMED} <= set(ACTIONS)


# --- features ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("configure_features --enable tips", {"tips": True}),
        ("configure_features --enable=tips --disable new-cart", {"tips": True, "new-cart": False}),
        ("configure_features --disable-all", {"tips": False, "cart": False}),
        ("configure_features --disable-all --enable tips", {"tips": True, "cart": False}),
        ("configure_features --set rate=5", {}),
    ],
)
def test_the_switches_of_a_command_line_are_read(text, wanted):
    assert asked(text, {"tips": False, "cart": True}) == wanted


def service_that_says(text: str):
    service = make_service(commands={"show_config": f"cat <<'END'\n{text}\nEND"})
    return make_environment(service=service, folder="/")


@pytest.mark.django_db
def test_features_are_done_when_they_are_seen_as_asked():
    environment = service_that_says(json.dumps({"features": {"tips": True, "cart": False}}))
    make_feature(environment=environment, key="cart", is_on=True)
    seen = observe("--enable tips --disable cart", environment, {"PATH": "/bin:/usr/bin"}, by="olga")
    assert (seen.done, seen.message) == (True, "cart off, tips on")
    record(*seen.changes, by="olga", at=NOW)
    assert dict(Feature.objects.values_list("key", "is_on")) == {"cart": False, "tips": True}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "done", "message"),
    [
        ('{"features": {"tips": false}}', None, "after the command tips is off"),
        ('{"features": {}}', None, "after the command tips is absent"),
        ('{"other": 1}', False, "did not print JSON with a 'features' object"),
        ('{"features": [1]}', False, "did not print JSON with a 'features' object"),
        ("[]", False, "did not print JSON"),
        ("no json", False, "did not print JSON"),
    ],
)
def test_features_that_are_not_seen_as_asked_are_not_done(text, done, message):
    seen = observe("--enable tips", service_that_says(text), {"PATH": "/bin:/usr/bin"}, by="olga")
    assert (seen.done, message in seen.message) == (done, True), seen


# --- restart -------------------------------------------------------------------------------------------------

GOOD = {"ready": True, "version": "v2", "started": 1000.0, "message": "answers 200"}


@pytest.mark.parametrize(
    ("seen", "problem"),
    [
        ({}, ""),
        ({"version": "2"}, ""),
        ({"started": 999.5}, ""),
        ({"ready": False, "message": "answers 503"}, "not ready: answers 503"),
        ({"started": 900.0}, "the OLD process still answers"),
        ({"started": 0.0}, "the OLD process still answers"),
        ({"version": "v1"}, "version v1 answers, v2 should"),
        ({"version": ""}, "version unknown answers"),
    ],
)
def test_only_the_new_process_of_the_right_version_is_success(seen, problem):
    found = _problem(Health(**GOOD | seen), "v2", 1000.0)
    assert found.startswith(problem)
    assert bool(found) == bool(problem)


@pytest.mark.parametrize(
    ("one", "other", "same"), [("v1.1", "1.1", True), ("1.1", "1.1", True), ("1.1", "1.10", False)]
)
def test_a_version_is_the_same_with_and_without_its_v(one, other, same):
    assert same_version(one, other) is same
