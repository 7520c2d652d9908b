"""People's verbs up to the start: import, publish, release, tick, plan, approve, queue."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from releases.errors import Held, NotAllowed, StaleState, WaitsForPerson, WrongUsage
from releases.lifecycle import deployments, going_back, items, releases, runbooks, starting
from releases.models import Approval, Deployment, Release, RunbookRevision
from releases.plan.model import from_json
from releases.recorder import Add, record
from releases.statuses import DeploymentStatus
from tests.factories import make_deployment, make_incident, make_item, make_release, make_service, make_user
from tests.releases.world import RUNBOOK, World, commit, git
from tests.threads import in_threads

pytestmark = pytest.mark.django_db
D = DeploymentStatus
NOW = timezone.now()


def bring(service, text: str) -> tuple[RunbookRevision, bool]:
    return runbooks.import_text(service, text, name="RUNBOOK.md", by="rita", at=NOW)


# --- runbooks ---------------------------------------------------------------------------------------------


def test_an_imported_text_is_a_draft_and_the_same_text_the_same_revision():
    service = make_service()
    first, is_new = bring(service, RUNBOOK)
    again, is_new_again = bring(service, RUNBOOK)
    other, _ = bring(service, RUNBOOK + "\nMore.\n")
    assert (first.status, is_new, is_new_again, again) == ("draft", True, False, first)
    assert (first.number, other.number) == (1, 2)


@pytest.mark.parametrize("text", ["", "  \n\n"])
def test_an_empty_text_is_not_imported(text):
    with pytest.raises(WrongUsage, match="empty"):
        bring(make_service(), text)
    assert not RunbookRevision.objects.exists()


def test_a_text_with_errors_is_not_published():
    revision, _ = bring(make_service(), RUNBOOK.replace("{name=look}", "{name=look timeout=soon}"))
    with pytest.raises(WaitsForPerson, match="timeout=soon"):
        runbooks.publish(revision, user=make_user("release_manager"), at=NOW)
    revision.refresh_from_db()
    assert revision.status == "draft"


def test_who_may_not_publish_is_told():
    revision, _ = bring(make_service(), RUNBOOK)
    with pytest.raises(NotAllowed):
        runbooks.publish(revision, user=make_user("operator"), at=NOW)


# --- releases ---------------------------------------------------------------------------------------------


def test_a_release_is_one_commit_of_its_ref(world: World):
    release = world.release("v2")
    assert release.commit == git(world.repository, "rev-parse", "v2")
    assert world.release("v2") == release


def test_a_moved_tag_makes_no_release_of_the_same_version(world: World):
    world.release("v2")
    commit(world.repository, {"VERSION": "other"}, tag="v2")
    with pytest.raises(WrongUsage, match=r"exists with commit .* choose a new version"):
        world.release("v2")


def test_a_missing_ref_is_named(world: World):
    with pytest.raises(WrongUsage, match="has no tag or branch 'v9'"):
        world.release("v9")


def test_a_draft_makes_no_release(world: World):
    draft, _ = bring(world.service, RUNBOOK + "\nMore.\n")
    with pytest.raises(WrongUsage, match="is a draft"):
        releases.create(world.service, "v2", ref="v2", revision=draft, user=world.rita, at=NOW)


@pytest.mark.parametrize("version", ["../v2", "a/b", "", "-v2", "v 2", "v2\n", "v" * 101])
def test_a_version_that_could_name_no_file_is_refused(world: World, version):
    revision = runbooks.newest(world.service)
    with pytest.raises(WrongUsage, match="is no version"):
        releases.create(world.service, version, ref="v2", revision=revision, user=world.rita, at=NOW)


def test_who_creates_a_release_a_moment_later_gets_the_same_one(world: World, monkeypatch):
    def late(*changes: Add, **how: Any) -> None:
        monkeypatch.undo()
        made.append(world.release())
        record(*changes, **how)

    made: list[Release] = []
    monkeypatch.setattr(releases, "record", late)
    assert [world.release()] == made
    assert Release.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_create_a_release_at_once_one_does(world: World):
    revision, seen = runbooks.newest(world.service), []
    in_threads(
        4,
        lambda: seen.append(
            releases.create(world.service, "v2", ref="v2", revision=revision, user=world.rita, at=NOW)
        ),
    )
    assert sorted(is_new for _, is_new in seen) == [False, False, False, True]
    assert len({release.pk for release, _ in seen}) == 1


# --- boxes ------------------------------------------------------------------------------------------------


@pytest.fixture
def release():
    release = make_release()
    for line, text in ((3, "Code is reviewed"), (4, "Docs are reviewed"), (30, "Team is told"), (31, "Team")):
        make_item(release=release, line=line, text=text, key=f"{line:x}a{line}")
    return release


@pytest.mark.parametrize(
    ("asked", "line"), [("code", 3), ("4", 4), ("30", 30), ("is told", 30), ("team", 31), ("3a3", 3)]
)
def test_a_box_is_found_by_its_line_its_text_or_its_key(release, asked, line):
    assert items.find(release, asked).line == line


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("reviewed", "several boxes fit 'reviewed'.*3: Code is reviewed; 4: Docs"),
        ("nothing", "Open ones: 3: Code"),
    ],
)
def test_a_text_that_fits_no_box_or_several_names_them(release, asked, message):
    with pytest.raises(WrongUsage, match=message):
        items.find(release, asked)


def test_a_tick_keeps_who_when_and_what_was_seen(release):
    olga, box = make_user("operator", username="olga"), items.find(release, "code")
    items.tick(box, user=olga, evidence=" PR 12 ", at=NOW)
    box.refresh_from_db()
    assert (box.state, box.by, box.at, box.evidence) == ("ticked", olga, NOW, {"said": "PR 12", "by": "olga"})


@pytest.mark.parametrize("evidence", ["", "  "])
def test_no_box_is_ticked_without_evidence(release, evidence):
    with pytest.raises(WrongUsage, match="needs evidence"):
        items.tick(items.find(release, "code"), user=make_user("operator"), evidence=evidence, at=NOW)


@pytest.mark.parametrize("close", ["tick", "waive"])
def test_a_closed_box_is_not_closed_again(release, close):
    olga = make_user("operator", username="olga")
    items.tick(items.find(release, "code"), user=olga, evidence="seen", at=NOW)
    with pytest.raises(StaleState, match="is ticked already, by olga"):
        if close == "tick":
            items.tick(items.find(release, "code"), user=olga, evidence="seen", at=NOW)
        else:
            items.waive(items.find(release, "code"), user=olga, reason="seen", at=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_tick_a_box_at_once_one_does(release):
    olga, done = make_user("operator"), []

    def work() -> None:
        try:
            items.tick(items.find(release, "code"), user=olga, evidence="seen", at=NOW)
            done.append("ticked")
        except StaleState:
            done.append("stale")

    in_threads(4, work)
    assert sorted(done) == ["stale"] * 3 + ["ticked"]


# --- plans and approvals ------------------------------------------------------------------------------------


def test_the_same_plan_is_the_same_deployment(world: World):
    assert world.planned() == world.planned()


def test_the_requester_stays_the_one_who_created_the_release(world: World):
    assert world.planned().requested_by == world.rita


def test_a_changed_plan_withdraws_its_approval(world: World):
    first = world.approved()
    environment = world.environment
    environment.variables.create(name="COLOUR", stored="blue")
    second = world.planned()
    first.refresh_from_db()
    assert (second.pk != first.pk, first.status) == (True, D.ABORTED)
    assert Approval.objects.get().withdrawn_at is not None
    assert deployments.approval_of(second) is None


def test_a_service_that_moved_on_makes_another_plan(world: World):
    first = world.planned()
    git(world.folder, "checkout", "--quiet", "v2")
    assert world.planned().plan_hash != first.plan_hash


def test_a_bad_release_is_not_planned(world: World):
    release = world.release()
    release.status = "bad"
    release.save()
    with pytest.raises(WrongUsage, match="is bad"):
        deployments.plan(release, world.environment, user=world.rita, at=NOW)


def test_an_approval_signs_the_hash_and_a_second_one_changes_nothing(world: World):
    deployment = world.planned()
    first, is_new = deployments.approve(deployment, user=world.anton, at=NOW)
    again, is_new_again = deployments.approve(deployment, user=make_user("approver"), at=NOW)
    assert (first.plan_hash, is_new) == (deployment.plan_hash, True)
    assert (again, is_new_again) == (first, False)


def test_nobody_approves_their_own_release(world: World):
    world.rita.is_superuser = True
    with pytest.raises(NotAllowed, match="rita requested tea v2 and cannot approve it"):
        deployments.approve(world.planned(), user=world.rita, at=NOW)


def test_who_may_not_approve_is_told(world: World):
    with pytest.raises(NotAllowed, match="olga may not approve"):
        deployments.approve(world.planned(), user=world.olga, at=NOW)


def test_a_plan_with_problems_is_not_approved(world: World):
    world.publish(RUNBOOK.split("## Rollback procedure")[0])
    with pytest.raises(WaitsForPerson, match="no rollback method"):
        deployments.approve(world.planned(), user=world.anton, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_approve_at_once_both_are_answered_and_one_signed(world: World):
    deployment = world.planned()
    people, seen = iter([world.anton, make_user("approver")]), []
    in_threads(2, lambda: seen.append(deployments.approve(deployment, user=next(people), at=NOW)))
    assert sorted(is_new for _, is_new in seen) == [False, True]
    assert Approval.objects.count() == 1


# --- what keeps it from starting -------------------------------------------------------------------------------


def test_what_keeps_a_deployment_from_starting_is_named_the_most_important_first(world: World):
    world.publish(
        RUNBOOK.replace("## Deployment", "## Pre-deployment\n\n- [ ] Code is reviewed\n\n## Deployment")
    )
    deployment = world.planned()
    make_incident(environment=world.environment)
    make_deployment(environment=world.environment, release=deployment.release, status=D.WAITING)
    found = obstacles(deployment)
    assert [type(each).__name__ for each in found] == ["Held", "Held", "WaitsForPerson", "WaitsForPerson"]
    said = [str(each) for each in found]
    for number, words in enumerate(
        ["is held by deployment", "open incident", "is not approved", "Code is reviewed"]
    ):
        assert words in said[number]
    with pytest.raises(Held, match="is held by deployment"):
        starting.queue(deployment, user=world.olga, at=NOW)


def test_an_approved_deployment_with_its_boxes_ticked_may_start(world: World):
    deployment = world.approved()
    assert obstacles(deployment) == []
    starting.queue(deployment, user=world.olga, at=NOW)
    assert deployment.status == D.QUEUED


def test_who_may_not_deploy_is_told(world: World):
    with pytest.raises(NotAllowed, match="anton may not deploy"):
        starting.queue(world.approved(), user=world.anton, at=NOW)


# --- a person takes it back -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [(D.RUNNING, Held, "stop it first"), (D.QUEUED, Held, "about to take it")],
)
def test_what_still_runs_is_not_taken_back(status, error, message):
    deployment = make_deployment(status=status)
    with pytest.raises(error, match=message):
        back(deployment)


def test_a_way_back_needs_a_reason():
    with pytest.raises(WrongUsage, match="--reason"):
        back(make_deployment(status=D.SUCCEEDED), reason=" ")


def test_a_deployment_is_taken_back_once():
    deployment = make_deployment(status=D.SUCCEEDED)
    assert back(deployment).undoes == deployment
    with pytest.raises(WrongUsage, match="taken back already"):
        back(deployment)


def test_the_newest_is_taken_back_first():
    first = make_deployment(status=D.SUCCEEDED)
    make_deployment(environment=first.environment, release=first.release, status=D.SUCCEEDED)
    with pytest.raises(WrongUsage, match="take the newer one back first"):
        back(first)


def test_a_watched_release_that_is_taken_back_is_watched_no_more():
    deployment = make_deployment(status=D.WATCHING)
    back(deployment)
    deployment.refresh_from_db()
    assert (deployment.status, deployment.due_at) == (D.FAILED, None)


def obstacles(deployment: Deployment) -> list:
    approved = deployments.approval_of(deployment) is not None
    made = from_json(deployment.plan)
    return starting.obstacles(deployment.release, deployment.environment, made, approved=approved, at=NOW)


def back(deployment: Deployment, *, reason: str = "orders fail") -> Deployment:
    return going_back.roll_back(
        deployment, user=make_user("operator"), reason=reason, restore_data=False, at=NOW + timedelta(hours=1)
    )
