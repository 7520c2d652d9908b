"""`--apply HASH`: the plan that was looked at runs, or nothing."""

import json
import re

import pytest

from releases.models import Approval, Deployment
from releases.statuses import DeploymentStatus
from tests.factories import make_variable
from tests.releases.world import RUNBOOK, World, commit, git

pytestmark = pytest.mark.django_db
D = DeploymentStatus


def hash_shown(deploy, *words: str) -> str:
    """The hash that a dry run prints, for people or for programs."""
    shown = deploy("--dry-run", *words).out
    if words:
        return json.loads(shown)["plan_hash"]
    found = re.match(r"Plan (\w+):", shown)
    assert found, shown
    return found[1]


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_hash_that_a_dry_run_prints_runs(deploy, world: World, words):
    world.approved()
    seen = deploy("--apply", hash_shown(deploy, *words))
    assert (seen.code, world.started) == (0, ["v2"]), seen


def test_a_hash_may_come_with_the_blanks_and_capitals_of_a_pipeline(deploy, world: World):
    world.approved()
    assert deploy("--apply", f" {hash_shown(deploy).upper()}\n").code == 0


def new_variable(world: World) -> None:
    make_variable(environment=world.environment, name="GREETING", value="hello")


def new_secret(world: World) -> None:
    make_variable(environment=world.environment, name="KEY", value="not-so-common-a-secret", is_secret=True)


def other_secret(world: World) -> None:
    variable = world.environment.variables.get(name="PASSWORD")
    variable.value = "another-uncommon-secret"
    variable.save()


def other_switch(world: World) -> None:
    world.environment.features.create(key="new_basket", is_on=True)


def code_by_hand(world: World) -> None:
    git(world.folder, "checkout", "--quiet", "--detach", "v2")


@pytest.mark.parametrize("change", [new_variable, new_secret, other_secret, other_switch, code_by_hand])
def test_a_plan_that_changed_since_is_refused_with_both_hashes_and_starts_nothing(
    deploy, world: World, change
):
    make_variable(environment=world.environment, name="PASSWORD", value="uncommon-secret-one", is_secret=True)
    approved = world.approved()
    looked_at = hash_shown(deploy)
    change(world)
    seen = deploy("--apply", looked_at)
    now = Deployment.objects.latest("pk")
    assert (seen.code, seen.err.count("\n")) == (3, 1), seen
    assert f"the plan is {now.plan_hash[:12]} now, not {looked_at}" in seen.err
    assert (now.status, world.started, now.pk != approved.pk) == (D.PLANNED, [], True)
    assert Deployment.objects.get(pk=approved.pk).status == D.ABORTED
    assert not Approval.objects.filter(withdrawn_at__isnull=True).exists()


def test_a_tag_that_moved_is_refused_before_anything_is_touched_for_a_ref_is_resolved_once(
    deploy, world: World
):
    frozen = world.approved().release.commit
    looked_at = hash_shown(deploy)
    commit(world.repository, {"VERSION": "v3\n"}, tag="v2")
    seen = deploy("--apply", looked_at)
    assert Deployment.objects.get().release.commit == frozen
    assert (seen.code, world.running, world.started) == (1, "v1", []), seen
    assert "create a release with a new version; nothing was changed, v1 runs as before" in seen.err


def test_another_runbook_is_another_release_and_changes_nothing_of_this_one(deploy, world: World):
    world.approved()
    looked_at = hash_shown(deploy)
    world.publish(RUNBOOK + "\nMore words.\n")
    assert deploy("--apply", looked_at).code == 0


def test_a_hash_that_was_mistyped_starts_nothing_and_keeps_the_approval(deploy, world: World):
    approved = world.approved()
    seen = deploy("--apply", "0123456789ab")
    assert (seen.code, f"the plan is {approved.plan_hash[:12]} now, not 0123456789ab" in seen.err) == (
        3,
        True,
    )
    approved.refresh_from_db()
    assert (approved.status, approved.approvals.get().withdrawn_at) == (D.PLANNED, None)


def test_a_refused_hash_ticks_no_box(deploy, world: World):
    world.publish(
        RUNBOOK.replace("## Deployment", "## Before\n\n- [ ] Read <!-- by: confirm -->\n\n## Deployment")
    )
    release = world.release()
    deploy("--apply", "0123456789ab", "--yes", "--evidence", "read")
    assert not release.items.filter(state="ticked").exists()


@pytest.mark.parametrize("given", ["", " ", "3f2a", "3f2a9c0"])
def test_a_hash_too_short_to_mean_anything_is_refused_before_anything_is_planned(deploy, world: World, given):
    world.release()
    seen = deploy("--apply", given)
    assert (seen.code, f"--apply is '{given}': give at least 8 characters" in seen.err) == (2, True), seen
    assert not Deployment.objects.exists()


def test_what_is_taken_up_may_be_named_by_its_hash_as_well(deploy, world: World):
    world.publish(RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}"))
    waiting = world.approved()
    marker = world.mark("no-start")
    assert deploy().code == 3
    marker.unlink()
    assert deploy("--resume", "--retry", "--apply", "0123456789ab").code == 3
    assert waiting.attempts.filter(outcome="aborted").count() == 0
    assert deploy("--resume", "--retry", "--apply", waiting.plan_hash[:12]).code == 0
