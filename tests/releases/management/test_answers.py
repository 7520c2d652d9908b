"""`--resume` with an answer: again, counts as done, without it; who may, and what does not go together."""

import re
import shlex

import pytest
from django.utils import timezone

from releases.models import Deployment
from releases.statuses import DeploymentStatus
from tests.factories import make_user
from tests.releases.engine.test_run import outcomes
from tests.releases.management.terminals import fresh
from tests.releases.world import RUNBOOK, World

pytestmark = pytest.mark.django_db
D = DeploymentStatus
FAILS = RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}")
LOOK_FAILS = RUNBOOK.replace("{name=look}", "{name=look on_fail=wait}")


@pytest.fixture
def broken(world: World, deploy) -> Deployment:
    """It waits, for the step that starts the service failed; it would succeed now."""
    world.publish(FAILS)
    waiting = world.approved()
    marker = world.mark("no-start")
    assert deploy().code == 3
    marker.unlink()
    return fresh(waiting)


@pytest.fixture
def unknown(broken: Deployment) -> Deployment:
    """It waits, and nobody knows how far its last step came."""
    broken.attempts.filter(outcome="failed").update(outcome="unknown")
    return broken


def test_what_failed_is_tried_again(deploy, world: World, broken: Deployment):
    seen = deploy("--resume", "--retry")
    assert (seen.code, outcomes(fresh(broken))["start"]) == (0, "failed aborted succeeded"), seen


def test_without_an_answer_it_goes_on_waiting_and_names_the_answers(deploy, world: World, broken: Deployment):
    seen = deploy("--resume")
    assert (seen.code, fresh(broken).status, world.started) == (3, D.WAITING, ["v2"])
    for way in ("--retry", "--count-as-done", "--skip", "rollback_release", "stop_release --abort"):
        assert way in seen.err


def test_what_nobody_knows_counts_as_done(deploy, world: World, unknown: Deployment):
    seen = deploy("--resume", "--count-as-done", "the service shows v2")
    done = fresh(unknown)
    assert (seen.code, done.status, world.started) == (0, D.SUCCEEDED, ["v2"]), seen
    assert "counts as done: the service shows v2" in done.attempts.latest("pk").reason


def test_what_failed_does_not_count_as_done(deploy, broken: Deployment):
    seen = deploy("--resume", "--count-as-done", "I hope so")
    assert (seen.code, "nothing of tea/production #1 was interrupted in the middle" in seen.err) == (2, True)
    assert fresh(broken).status == D.WAITING


def skip(deploy, world: World) -> list[str]:
    """The operator's colleague asks to go on without it; the line that the second person is told to type."""
    seen = deploy("--resume", "--skip", "it runs already", who=world.rita)
    assert (seen.code, seen.err.count("\n"), "a second person has to agree" in seen.err) == (3, 1, True), seen
    found = re.search(r"`(tick_item .*?)`", seen.err)
    assert found, seen.err
    return shlex.split(found[1].replace("TEXT", "seen").replace("--as SECOND", ""))


def test_a_step_that_changes_the_service_is_skipped_by_two(deploy, gantry, world: World, broken: Deployment):
    agree = skip(deploy, world)
    refused = gantry(*agree, "--as", "rita", token_of=world.rita)
    assert (refused.code, "and cannot agree to it: ask somebody else" in refused.err) == (2, True)
    assert deploy("--resume").code == 3
    assert gantry(*agree, "--as", "anton", token_of=world.anton).code == 0
    assert deploy("--resume").code == 0
    assert (fresh(broken).status, outcomes(fresh(broken))["start"]) == (D.SUCCEEDED, "failed skipped")


def test_who_only_carries_out_can_neither_skip_nor_agree(deploy, gantry, world: World, broken: Deployment):
    seen = deploy("--resume", "--skip", "it runs already")
    assert (seen.code, "olga may not skip in tea/production" in seen.err) == (2, True), seen
    refused = gantry(*skip(deploy, world), "--as", "olga", token_of=world.olga)
    assert (refused.code, "olga may not skip" in refused.err) == (2, True)


def test_asked_twice_it_is_one_box_and_the_same_line(deploy, world: World, broken: Deployment):
    assert skip(deploy, world) == skip(deploy, world)


def test_a_second_person_who_does_not_agree_is_named(deploy, gantry, world: World, broken: Deployment):
    agree = skip(deploy, world)
    assert gantry(*agree, "--waive", "--as", "anton", token_of=world.anton).code == 0
    seen = deploy("--resume", "--skip", "it runs already", who=world.rita)
    assert (seen.code, "anton turned it down (seen)" in seen.err) == (2, True), seen
    assert fresh(broken).status == D.WAITING


def test_a_look_is_skipped_by_one(deploy, world: World):
    world.publish(LOOK_FAILS)
    waiting = world.approved()
    (world.folder / "no-look").touch()
    assert deploy().code == 3
    seen = deploy("--resume", "--skip", "known", who=world.rita)
    assert (seen.code, outcomes(fresh(waiting))["look"]) == (0, "failed skipped"), seen


TOGETHER = [
    ("--retry", "--retry, --count-as-done and --skip go with --resume"),
    ("--skip known", "--retry, --count-as-done and --skip go with --resume"),
    ("--count-as-done seen", "--retry, --count-as-done and --skip go with --resume"),
    ("--skip ''", "--retry, --count-as-done and --skip go with --resume"),
    ("--resume --at ''", "--at is for a deployment that begins; --resume goes on at once"),
    ("--follow --retry", "--retry, --count-as-done and --skip go with --resume"),
    ("--resume --retry --skip known", "say one of --retry, --count-as-done and --skip"),
    ("--resume --count-as-done seen --skip known", "say one of --retry, --count-as-done and --skip"),
    ("--resume --skip ''", "it needs a reason: --skip REASON"),
    ("--resume --skip ' '", "it needs a reason: --skip REASON"),
    ("--resume --count-as-done ''", "it needs a reason: --count-as-done REASON"),
    ("--resume --queue", "--queue is for a deployment that begins; --resume goes on at once"),
    ("--resume --at 18:00", "--at is for a deployment that begins; --resume goes on at once"),
    ("--follow --resume", "--follow only looks: say it without --resume"),
    ("--follow --detach --queue", "--follow only looks: say it without --queue and --detach"),
    ("--follow --yes --evidence x", "--follow only looks: say it without --yes"),
    ("--dry-run --detach", "--dry-run only shows the plan: say it without --detach"),
    ("--dry-run --apply 0123456789ab", "--dry-run only shows the plan: say it without --apply"),
    ("--yes", "--yes needs --evidence TEXT"),
]


@pytest.mark.parametrize(("line", "message"), TOGETHER, ids=[line for line, _ in TOGETHER])
def test_what_does_not_go_together_is_one_line_and_changes_nothing(
    deploy, world: World, broken: Deployment, line, message
):
    before = broken.attempts.count(), broken.items.count()
    seen = deploy(*shlex.split(line), who=world.rita)
    assert (seen.code, seen.err.count("\n"), message in seen.err) == (2, 1, True), seen
    assert ((broken.attempts.count(), broken.items.count()), fresh(broken).status) == (before, D.WAITING)


@pytest.mark.parametrize("words", [["--retry"], ["--count-as-done", "x"], ["--skip", "x"], ["--detach"], []])
def test_who_may_not_deploy_answers_nothing(deploy, world: World, broken: Deployment, words):
    vera = make_user("viewer", username="vera")
    seen = deploy("--resume", *words, who=vera)
    assert (seen.code, "vera may not deploy in tea/production" in seen.err) == (2, True), seen
    assert fresh(broken).attempts.count() == broken.attempts.count()


def test_where_nothing_is_broken_an_answer_is_refused(deploy, world: World):
    deployment = world.queued()
    Deployment.objects.update(status=D.PAUSED, message="paused by olga", started_at=timezone.now())
    for words in (["--retry"], ["--count-as-done", "x"], ["--skip", "x"]):
        seen = deploy("--resume", *words, who=world.rita)
        assert (seen.code, "no step of tea/production #1 is broken" in seen.err) == (2, True), seen
    assert fresh(deployment).status == D.PAUSED


def test_nothing_that_waits_takes_no_answer(deploy, world: World):
    world.approved()
    seen = deploy("--resume", "--retry")
    assert (seen.code, "no deployment of tea v2 in tea/production waits" in seen.err) == (2, True)
