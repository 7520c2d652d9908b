"""How far steps are automated: by hand, by one key, by themselves; what a fence asks for; triggers that people pull."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.errors import WrongUsage
from releases.features import own
from releases.lifecycle import answers, going_back, items
from releases.lifecycle.going_back import is_touched
from releases.lifecycle.reviews import decide
from releases.management.commands.deploy_release import exit_code, later_boxes
from releases.models import ChecklistItem, Deployment, Incident, RunbookRevision
from releases.plan.model import PlannedItem
from releases.statuses import DeploymentStatus, ItemState
from tests.factories import make_probe
from tests.releases.engine.test_run import Loud, outcomes, run, take
from tests.releases.world import RUNBOOK, World

pytestmark = pytest.mark.django_db
D = DeploymentStatus
WATCHED = """
### 4. Look again (T+600 minutes)

```bash {name=again}
true
```

## Rollback triggers

- Data corruption detected
- Orders vanish

**Investigate first:**

- Slow pages on old phones
"""


class Beside(Silent):
    """A person who sits beside the run and agrees to everything, or says nothing."""

    def __init__(self, says: str) -> None:
        self.says = says
        self.asked: list[str] = []

    def answer(self, item: PlannedItem, tick: Callable[[], None]) -> str:
        tick()
        self.asked.append(item.text)
        return self.says


def tick(world: World, deployment: Deployment, text: str) -> None:
    box = ChecklistItem.objects.get(deployment=deployment, text__contains=text)
    items.tick(box, user=world.olga, evidence="seen", at=timezone.now())


def test_a_guided_step_waits_for_a_person_and_shows_the_command(world: World):
    world.publish(RUNBOOK, level="guide")
    done = run(world.queued("v2"))
    assert done.status == D.WAITING
    box = done.items.get(text__contains="Done by hand: test ! -e no-look")
    assert "$RELEASE_VERSION over" in box.command
    assert not world.mark("look").read_text()


def test_a_guided_run_comes_to_its_end_box_by_box(world: World):
    world.publish(RUNBOOK.replace(" <!-- by: step -->", ""), level="guide")
    done = run(world.queued("v2"), progress=Beside("did it"))
    assert (done.status, done.message) == (D.SUCCEEDED, "successful")
    assert outcomes(done) == {"Pre-flight": "succeeded"}
    assert world.running == "v1", "a person did it, or said so"


def test_a_confirmed_step_runs_after_one_agrees(world: World):
    world.publish(RUNBOOK, level="confirm")
    deployment = world.queued("v2")
    assert run(deployment).status == D.WAITING
    assert world.running == "v1"
    tick(world, deployment, "Run: look")
    assert run(deployment).message == "waits for a person: 'Run: code'"
    for text in ("Run: code", "Run: start"):
        tick(world, deployment, text)
    assert run(deployment).status == D.SUCCEEDED
    assert (world.running, world.started) == ("v2", ["v2"])


def test_a_person_beside_the_run_is_asked_before_each_command(world: World):
    world.publish(RUNBOOK, level="confirm")
    beside = Beside("agreed at the terminal")
    done = run(world.queued("v2"), progress=beside)
    assert done.status == D.SUCCEEDED
    assert beside.asked == ["Run: look", "Run: code", "Run: start"]
    assert done.items.get(text="Run: start").by == world.olga


def test_agreeing_in_bulk_is_counted(world: World):
    world.publish(RUNBOOK, level="confirm")
    deployment = world.queued("v2")
    agreed = items.confirm_all(
        deployment.items.all(), user=world.olga, evidence="rehearsed", at=timezone.now()
    )
    assert len(agreed) == 3
    assert run(deployment).status == D.SUCCEEDED
    assert all(box.evidence["in_bulk"] for box in agreed)


def test_a_way_back_that_nobody_raised_waits_for_agreement(world: World):
    world.publish(RUNBOOK, level="confirm")
    world.mark("no-start")
    deployment = world.queued("v2")
    items.confirm_all(deployment.items.all(), user=world.olga, evidence="rehearsed", at=timezone.now())
    run(deployment)
    back = Deployment.objects.get(undoes=deployment)
    assert back.status == D.WAITING
    assert exit_code(Deployment.objects.get(pk=deployment.pk)) == 3
    items.confirm_all(back.items.all(), user=world.olga, evidence="go", at=timezone.now())
    assert run(back).status == D.SUCCEEDED
    assert world.running == "v1"


def test_a_failure_that_the_runbook_accepts_does_not_stop_the_run(world: World):
    world.publish(RUNBOOK.replace("{name=start}", "{name=start on_fail=continue}"))
    world.mark("no-start")
    done = run(world.queued("v2"))
    assert done.status == D.SUCCEEDED
    assert outcomes(done)["start"] == "failed skipped"
    box = done.items.get(text="The new version runs")
    assert (box.state, box.evidence["said"]) == (
        "waived",
        "on_fail=continue: failed is accepted by the runbook",
    )


def test_a_failure_may_wait_for_a_person_instead_of_going_back(world: World):
    world.publish(RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}"))
    world.mark("no-start")
    done = run(world.queued("v2"))
    assert done.status == D.WAITING
    assert not Deployment.objects.filter(undoes=done).exists()


def test_the_probe_of_a_fence_has_the_last_word(world: World):
    make_probe(environment=world.environment, name="pages", kind="tcp", target="127.0.0.1:1")
    world.publish(RUNBOOK.replace("{name=start}", "{name=start probe=pages}"))
    done = run(world.queued("v2"))
    assert done.status == D.ROLLED_BACK
    assert done.attempts.latest("pk").result["evidence"]["probe"]["verdict"] in ("failed", "error")


def test_a_fence_that_names_a_probe_nobody_declared_holds_the_plan(world: World):
    world.publish(RUNBOOK.replace("{name=start}", "{name=start probe=pages}"))
    assert any("has no probe 'pages'" in problem for problem in world.planned("v2").plan["problems"])


@pytest.fixture
def live(world: World) -> Deployment:
    """A release that went live and is watched for hours."""
    world.publish(RUNBOOK.replace("## Rollback procedure", WATCHED + "\n## Rollback procedure"))
    deployment = run(world.queued("v2"), attended=False)
    assert deployment.status == D.WATCHING
    return deployment


def test_a_trigger_that_a_person_pulls_takes_the_release_back(world: World, live: Deployment):
    tick(world, live, "Data corruption")
    done = run(live, attended=False)
    assert done.status == D.ROLLED_BACK
    assert "pulled by olga: seen" in done.message
    assert world.running == "v1"


def test_what_is_to_be_investigated_first_opens_an_incident_and_takes_nothing_back(
    world: World, live: Deployment
):
    tick(world, live, "Slow pages")
    assert run(live, attended=False).status == D.WATCHING
    assert run(live, attended=False).status == D.WATCHING
    assert [incident.severity for incident in Incident.objects.all()] == ["P3"]


def test_where_all_triggers_must_hold_one_alone_takes_nothing_back(world: World):
    text = RUNBOOK.replace("## Rollback procedure", WATCHED + "\n## Rollback procedure")
    world.publish(
        text.replace("## Rollback triggers\n", "## Rollback triggers\n\nGo back if ALL of these hold:\n")
    )
    deployment = world.queued("v2")
    assert run(deployment, attended=False).status == D.WATCHING
    tick(world, deployment, "Data corruption")
    assert run(deployment, attended=False).status == D.WATCHING
    tick(world, deployment, "Orders vanish")
    assert run(deployment, attended=False).status == D.ROLLED_BACK


def test_a_trigger_of_a_run_that_is_over_names_the_way_to_go_back(world: World, live: Deployment):
    going_back.roll_back(live, user=world.olga, reason="enough", restore_data=False, at=timezone.now())
    with pytest.raises(WrongUsage, match="rollback_release tea v2"):
        tick(world, Deployment.objects.get(pk=live.pk), "Orders vanish")


def test_of_several_boxes_one_is_picked_and_the_others_do_not_apply(world: World, live: Deployment):
    boxes = [
        ChecklistItem.objects.create(
            release=live.release, deployment=live, key=text, text=text, ticked_by="person", choice="issues"
        )
        for text in ("None", "Minor", "Major")
    ]
    items.tick(boxes[1], user=world.olga, evidence="a typo", at=timezone.now())
    states = [ChecklistItem.objects.get(pk=box.pk).state for box in boxes]
    assert states == [ItemState.WAIVED, ItemState.TICKED, ItemState.WAIVED]


def test_what_people_did_by_hand_has_touched_the_service(world: World):
    world.publish(RUNBOOK, level="guide")
    deployment = world.queued("v2")
    assert not is_touched(deployment)
    run(deployment)
    tick(world, deployment, "Done by hand: test")
    assert is_touched(deployment)


def test_boxes_of_the_long_watch_are_not_agreed_to_beforehand(world: World):
    world.publish(
        RUNBOOK.replace("## Rollback procedure", WATCHED + "\n## Rollback procedure"), level="confirm"
    )
    later = later_boxes(world.planned("v2"))
    assert {ChecklistItem.objects.get(key=key).text for key in later} == {"Run: again"}


def test_an_action_that_a_person_counts_as_done_ticks_the_box_of_its_step(world: World):
    world.publish(RUNBOOK.replace("cat VERSION >> ../started\ntest ! -e ../no-start", "echo begun; sleep 30"))
    deployment = world.queued("v2")
    run(deployment, progress=Loud(interrupt="begun"))
    assert outcomes(Deployment.objects.get(pk=deployment.pk))["start"] == "unknown"
    paused = Deployment.objects.get(pk=deployment.pk)
    answers.count_as_done(paused, user=world.olga, reason="it answers", at=timezone.now())
    done = carry_on(paused, take(paused), by="olga", progress=Silent())
    assert done.status == D.SUCCEEDED
    assert deployment.items.get(text="The new version runs").evidence["said"] == "counts as done: it answers"


def test_after_go_live_a_command_that_nobody_agreed_to_does_not_stop_the_next_look(world: World):
    looks = WATCHED.replace("### 4. Look again (T+600 minutes)", "### 4. First (T+1 minute)", 1).replace(
        "## Rollback triggers",
        "### 5. Second (T+2 minutes)\n\n```bash {name=second}\ntrue\n```\n\n## Rollback triggers",
        1,
    )
    world.environment.time_scale = 600
    world.environment.save()
    world.publish(RUNBOOK.replace("## Rollback procedure", looks + "\n## Rollback procedure"))
    revision = RunbookRevision.objects.latest("number")
    first = next(step for step in revision.document.steps if "First" in step.heading)
    decide(revision, "level", first.key, "confirm", user=world.anton, at=timezone.now())
    deployment = world.queued("v2")
    run(deployment)
    assert outcomes(Deployment.objects.get(pk=deployment.pk))["second"] == "succeeded"
    assert "again" not in outcomes(deployment)
    tick(world, deployment, "Run: again")
    assert run(deployment).status == D.SUCCEEDED


def test_what_a_person_decided_about_a_pull_stands(world: World, live: Deployment):
    own.switch({"automatic_rollback": False}, by="ada", at=timezone.now())
    tick(world, live, "Data corruption")
    run(live, attended=False)
    Incident.objects.update(status="resolved")
    own.switch({"automatic_rollback": True}, by="ada", at=timezone.now())
    assert run(live, attended=False).status == D.WATCHING


def test_a_second_pull_is_heeded_though_the_first_waits_for_a_decision(world: World, live: Deployment):
    own.switch({"automatic_rollback": False}, by="ada", at=timezone.now())
    for text in ("Data corruption", "Slow pages", "Orders vanish"):
        tick(world, live, text)
        run(live, attended=False)
    assert sorted(incident.severity for incident in Incident.objects.all()) == ["P1", "P1", "P3"]


def test_a_way_back_that_leaves_the_bad_version_is_no_success(world: World):
    text = RUNBOOK.replace('git checkout "$PREVIOUS_VERSION"\n', "false || true\n")
    world.publish(text)
    world.mark("no-start")
    deployment = run(world.queued("v2"))
    back = Deployment.objects.get(undoes=deployment.undoes or deployment)
    assert back.status == D.WAITING
    assert "still holds v2" in back.message
    assert exit_code(back) == 6
