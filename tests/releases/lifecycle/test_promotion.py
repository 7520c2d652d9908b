"""From staging to production: what must have succeeded there, and what that proves of a box."""

import pytest

from releases.errors import WaitsForPerson
from releases.lifecycle import promotion
from tests.factories import (
    make_deployment,
    make_environment,
    make_item,
    make_release,
    make_revision,
    make_service,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staging():
    return make_environment(service=make_service(name="tea"), name="staging")


@pytest.fixture
def production(staging):
    return make_environment(service=staging.service, name="production", after=staging)


@pytest.fixture
def release(staging):
    return make_release(service=staging.service, version="v2")


def deployed(release, environment, status: str = "succeeded", **overrides):
    return make_deployment(release=release, environment=environment, status=status, **overrides)


def test_what_did_not_run_in_the_earlier_environment_waits_for_it(release, production):
    found = promotion.obstacle(release, production)
    assert isinstance(found, WaitsForPerson)
    assert str(found) == (
        f"tea/production comes after tea/staging, and tea v2 ({release.commit[:10]}, revision 1 of the runbook) "
        "has to succeed there first: `deploy_release tea v2 --environment staging`"
    )


def test_what_succeeded_there_may_go_on(release, staging, production):
    deployed(release, staging)
    assert promotion.obstacle(release, production) is None


def test_an_environment_that_comes_after_none_demands_nothing(release, staging):
    assert promotion.obstacle(release, staging) is None


def test_the_same_commit_and_revision_count_under_another_version(release, staging, production):
    candidate = make_release(
        service=staging.service, version="v2-rc1", commit=release.commit, revision=release.revision
    )
    deployed(candidate, staging)
    assert promotion.obstacle(release, production) is None


def test_another_commit_says_nothing(release, staging, production):
    deployed(make_release(service=staging.service, revision=release.revision), staging)
    assert promotion.obstacle(release, production)


def test_another_revision_is_told(release, staging, production):
    other = make_revision(runbook=release.revision.runbook, text="# Another\n")
    before = make_release(service=staging.service, commit=release.commit, revision=other)
    deployed(before, staging)
    assert "succeeded there by revision 2 only (#1); it has to by the same one" in str(
        promotion.obstacle(release, production)
    )


@pytest.mark.parametrize("status", ["queued", "running", "waiting", "paused", "watching"])
def test_one_that_is_not_over_is_waited_for(release, staging, production, status):
    deployed(release, staging, status)
    assert f"is still {status} there as #1; it has to succeed first" in str(
        promotion.obstacle(release, production)
    )


@pytest.mark.parametrize("status", ["failed", "aborted", "rolled_back", "planned", "unknown"])
def test_one_that_went_wrong_or_never_ran_proves_nothing(release, staging, production, status):
    deployed(release, staging, status)
    assert "has to succeed there first" in str(promotion.obstacle(release, production))


def test_the_success_of_a_way_back_proves_nothing(release, staging, production):
    deployed(None, staging, undoes=deployed(release, staging, "rolled_back"))
    assert promotion.obstacle(release, production)


# --- boxes ------------------------------------------------------------------------------------------------


def test_a_box_about_staging_is_offered_what_happened_there(release, staging):
    deployment = deployed(release, staging)
    box = make_item(release=release, text="Deployed to staging")
    assert promotion.offered(box, release) == (
        f"staging #1 of v2 ({release.commit[:10]}), successful, 2026-03-03 12:02 UTC, requested by "
        f"{deployment.requested_by.username}; log 0001-v2-forward.md"
    )
    box.refresh_from_db()
    assert box.state == "open"


@pytest.mark.parametrize("text", ["Deployed to production", "Code is reviewed"])
def test_other_boxes_are_offered_nothing(release, staging, production, text):
    deployed(release, staging)
    assert promotion.offered(make_item(release=release, text=text), release) == ""


def test_a_box_of_a_later_deployment_is_offered_it_too(release, staging, production):
    first = deployed(release, staging)
    box = make_item(deployment=deployed(release, production, "planned"), text="Tested on staging")
    assert promotion.offered(box, release).startswith("staging #1 of v2")
    assert promotion.offered(make_item(deployment=first, text="Tested on staging"), release) == ""


@pytest.mark.parametrize("status", ["watching", "failed", "rolled_back"])
def test_only_a_success_is_offered(release, staging, status):
    deployed(release, staging, status)
    assert promotion.offered(make_item(release=release, text="Deployed to staging"), release) == ""


def test_a_box_never_keeps_a_release_out_of_the_environment_that_it_tells_of(release, staging, production):
    box = make_item(release=release, text="Deployed to staging")
    assert (promotion.blocks(box, staging), promotion.blocks(box, production)) == (False, True)


def test_the_environment_of_a_box_is_one_of_the_service(release, staging, production):
    assert promotion.about("Tested on staging", [production, staging]) == staging
    assert promotion.about("Tested at home", [production, staging]) is None
