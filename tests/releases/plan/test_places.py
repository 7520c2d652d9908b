"""Which environment a box talks about."""

import pytest

from releases.plan.places import about, let_in
from tests.releases.plan.test_make import FULL, plan_of, step_named

NAMES = ("production", "staging", "pre-prod", "eu")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Deployed to staging", "staging"),
        ("deployed to STAGING.", "staging"),
        ("Tested in staging environment", "staging"),
        ("Tested in the staging environment by QA", "staging"),
        ("Staging deployment verified", "staging"),
        ("**Staging** tests pass", "staging"),
        ("All tests pass on `staging`", "staging"),
        ("Rolled out to staging, then to production", "staging"),
        ("Tested on pre-prod", "pre-prod"),
        ("Tested in the pre prod environment", "pre-prod"),
        ("Smoke test on production", "production"),
        ("Runs in eu", "eu"),
        ("", ""),
        ("Code is reviewed", ""),
        ("Staging", ""),
        ("Upstaging tests pass", ""),
        ("Deployed to staging-2", ""),
        ("Deployed to staging.example.org", ""),
        ("Look at docs/staging tests", ""),
        ("Is europe ok", ""),
        ("Production database is backed up", ""),
        ("A backup of the production database exists", ""),
        ("Disk space checked on production servers", ""),
        ("Secrets set in the production settings", ""),
        ("Production traffic is low", ""),
        ("Announced to production users", ""),
    ],
)
def test_a_box_is_about_the_place_where_something_was_done(text, name):
    assert about(text, NAMES) == name


def test_a_name_is_no_pattern():
    assert about("Deployed to anything", ["a.*"]) == ""


@pytest.mark.parametrize(
    ("text", "environment", "required"),
    [
        ("Deployed to staging", "shop/staging", False),
        ("Deployed to staging", "shop/production", True),
        ("Code is reviewed", "shop/staging", True),
        ("Deployed to staging", "", True),
    ],
)
def test_a_box_holds_no_deployment_into_the_environment_that_it_tells_of(text, environment, required):
    boxes = step_named(plan_of(FULL.replace("Code is reviewed", text)), "Pre-deployment")
    assert [item.required for item in let_in(boxes, environment).items if item.text == text] == [required]
