"""Whole runs of a small real runbook: to live, to where they wait, and back."""

import threading
from datetime import timedelta

import psutil
import pytest
from django.utils import timezone

from checks.audit import first_bad_entry
from checks.gates.identity import this_place
from checks.secrets import MASK
from releases.actions.code import Code
from releases.engine.context import leftover
from releases.engine.lease import Run
from releases.engine.progress import Silent
from releases.engine.resume import settle
from releases.engine.run import carry_on
from releases.errors import LeaseLost, WaitsForPerson
from releases.features import own
from releases.lifecycle import answers, going_back, items, logbook
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.plan.model import from_json
from releases.recorder import Lease, claim, this_owner
from releases.statuses import DeploymentStatus, Outcome
from tests.factories import make_attempt, make_database, make_deployment, make_variable
from tests.releases.world import RUNBOOK, World, git
from tests.servers import wait_until

pytestmark = pytest.mark.django_db
D = DeploymentStatus


class Loud(Silent):
    """Progress that keeps what it is told, and asks for an end at once when an action says `interrupt`."""

    def __init__(self, *, interrupt: str = "") -> None:
        self.notes: list[str] = []
        self.said = ""
        self.interrupt = interrupt

    def output(self, text: str) -> None:
        self.said += text

    def note(self, text: str) -> None:
        self.notes.append(text)

    def asked(self) -> str:
        """As Ctrl-C twice would."""
        return "stop" if self.interrupt and self.interrupt in self.said else ""


def take(deployment: Deployment) -> Lease:
    return claim(deployment, owner=this_owner(), by="olga", at=timezone.now())


def run(deployment: Deployment, *, progress: Silent | None = None, attended: bool = True) -> Deployment:
    """Claim, settle and carry on, as the doors do."""
    found = Deployment.objects.get(pk=deployment.pk)
    lease = take(found)
    watched = progress or Loud()
    asked = watched.asked if isinstance(watched, Loud) else str
    return carry_on(found, lease, by="olga", progress=watched, attended=attended, asked=asked)


def outcomes(deployment: Deployment) -> dict[str, str]:
    """Title of each action to the outcome of its attempts, in order."""
    titles = {
        action["key"]: action["title"] for step in deployment.plan["steps"] for action in step["actions"]
    }
    found: dict[str, str] = {}
    for attempt in deployment.attempts.all():
        found[titles[attempt.action]] = f"{found.get(titles[attempt.action], '')} {attempt.outcome}".strip()
    return found


def last_attempt(deployment: Deployment) -> Attempt:
    return Attempt.objects.filter(deployment=deployment).latest("pk")


def test_a_release_goes_live_step_by_step(world: World):
    done = run(world.queued())
    assert (done.status, done.message) == (D.SUCCEEDED, "successful")
    assert outcomes(done) == dict.fromkeys(["Pre-flight", "look", "code", "start"], "succeeded")
    assert (world.running, world.started) == ("v2", ["v2"])
    assert world.mark("look").read_text() == "v2 over v1\n"
    assert first_bad_entry() is None


def test_a_box_is_ticked_by_the_step_that_did_it(world: World):
    done = run(world.queued())
    box = done.items.get()
    assert (box.state, box.by, box.attempt) == ("ticked", None, last_attempt(done))
    assert box.evidence["attempts"] == ["start: succeeded"]


def test_the_log_tells_the_run(world: World):
    text = logbook.path_of(run(world.queued())).read_text()
    assert "**successful**" in text
    assert "v1 → v2" in text
    assert "approver: **anton**" in text
    assert "The new version runs" in text


def test_a_log_that_cannot_be_written_is_a_note(world: World, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    deployment, progress = world.queued(), Loud()
    logbook.path_of(deployment).mkdir(parents=True)
    done = run(deployment, progress=progress)
    assert (done.status, world.running) == (D.SUCCEEDED, "v2")
    assert any("the log could not be written" in note for note in progress.notes)


def test_what_fails_before_anything_was_changed_leaves_all_as_it_was(world: World):
    make_database(environment=world.environment, url=f"sqlite:///{world.mark('shop.sqlite3')}")
    world.publish(
        RUNBOOK.replace(
            "### 1.", "### 0. Ask (T-20 minutes)\n\n```sql\nSELECT 1;\n```\n\nExpected: 2\n\n### 1."
        )
    )
    done = run(world.queued())
    assert done.status == D.FAILED
    assert not Deployment.objects.filter(undoes=done).exists()
    assert (world.running, world.started) == ("v1", [])


def test_a_script_that_fails_before_the_first_change_is_a_look_and_leaves_all_as_it_was(world: World):
    (world.folder / "no-look").touch()
    done = run(world.queued())
    assert (done.status, world.started) == (D.FAILED, [])


def test_a_script_that_fails_after_it_may_have_changed_something_and_is_taken_back(world: World):
    world.mark("no-start").touch()
    done = run(world.queued())
    assert (done.status, world.started[-1]) == (D.ROLLED_BACK, "v1")


def test_a_pre_flight_that_fails_stops_before_anything(world: World):
    deployment = world.queued()
    git(world.folder, "remote", "set-url", "origin", str(world.folder / "nowhere"))
    (world.folder / "VERSION").write_text("by hand\n")
    done = run(deployment)
    assert (done.status, outcomes(done)) == (D.FAILED, {"Pre-flight": "failed"})
    assert "nothing was changed, v1 runs as before" in done.message


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda world: (world.folder / "VERSION").write_text("by hand\n"), "+by hand"),
        (lambda world: git(world.repository, "tag", "--force", "v2", "v1"), "v2 was moved"),
        (lambda world: git(world.repository, "tag", "--delete", "v2"), "has no tag or branch 'v2'"),
        (lambda world: (world.folder / ".git" / "index.lock").touch(), "index.lock when no git runs"),
    ],
)
def test_a_world_that_changed_since_the_plan_stops_it(world: World, spoil, why):
    deployment = world.queued()
    spoil(world)
    done = run(deployment)
    assert (done.status, why in done.message) == (D.FAILED, True), done.message


def test_a_plan_that_would_come_out_differently_now_is_withdrawn(world: World):
    deployment = world.queued()
    git(world.folder, "checkout", "--quiet", "v2")
    done = run(deployment)
    assert (done.status, done.attempts.count()) == (D.ABORTED, 0)
    assert "plan and approve again" in done.message


def test_what_fails_after_a_change_takes_itself_back(world: World):
    world.mark("no-start")
    done = run(world.queued())
    back = Deployment.objects.get(undoes=done)
    assert (done.status, back.status, done.release.status) == (D.ROLLED_BACK, D.SUCCEEDED, "bad")
    assert (world.running, world.started) == ("v1", ["v2", "v1"])
    assert done.incidents.get().status == "mitigated"
    assert "failed and rolled back" in logbook.path_of(done).read_text()


def test_a_bug_in_an_action_is_the_error_of_its_attempt_and_the_run_decides(world: World, monkeypatch):
    def confirm(*_: object) -> None:
        raise ZeroDivisionError("by nought")

    monkeypatch.setattr(Code, "confirm", confirm)
    done = run(world.queued())
    attempt = done.attempts.get(kind="code")
    assert (attempt.outcome, attempt.result["message"]) == ("error", "ZeroDivisionError: by nought")
    assert (done.status, world.started) == (D.FAILED, [])


def test_a_way_back_that_fails_calls_a_person(world: World):
    world.mark("no-start")
    world.mark("no-way-back")
    done = run(world.queued())
    back = Deployment.objects.get(undoes=done)
    assert (done.status, back.status) == (D.FAILED, D.WAITING)
    assert "the way back failed" in back.message
    assert back.incidents.get().severity == "P1"


def test_without_automatic_rollback_it_waits_for_a_person(world: World):
    own.switch({"automatic_rollback": False}, by="ada", at=timezone.now())
    world.mark("no-start")
    done = run(world.queued())
    assert (done.status, world.running) == (D.WAITING, "v2")
    assert "automatic_rollback is switched off" in done.message
    assert done.incidents.count() == 1


RESTORING = RUNBOOK.replace("### Code rollback", "### Database restore").replace(
    "{name=back-code}\ngit checkout",
    "{name=back}\npg_restore --dbname=shop copy\n```\n\n```bash\ngit checkout",
)


def test_databases_are_not_put_back_without_a_person_though_only_code_changed(world: World):
    world.publish(RESTORING)
    world.mark("no-start")
    done = run(world.queued())
    assert (done.status, world.running) == (D.WAITING, "v2")
    assert "--restore-data" in done.message
    with pytest.raises(WaitsForPerson, match="restore-data"):
        going_back.roll_back(done, user=world.olga, reason="x", restore_data=False, at=timezone.now())


# --- waiting for people -----------------------------------------------------------------------------------


def test_an_open_box_holds_the_run_until_it_is_ticked(world: World):
    world.publish(
        RUNBOOK.replace("### 2.", "- [ ] The team is told <!-- by: person; scope: deployment -->\n\n### 2.")
    )
    deployment = world.queued()
    done = run(deployment)
    assert (done.status, world.running) == (D.WAITING, "v1")
    assert "'The team is told'" in done.message
    items.tick(done.items.get(text="The team is told"), user=world.olga, evidence="mailed", at=timezone.now())
    assert run(deployment).status == D.SUCCEEDED
    assert world.started == ["v2"]


LATER = """

### 4. Smoke (T+15 minutes)

```bash {name=smoke}
echo x >> ../smoked
test ! -e ../no-smoke
```

### 5. Look again (T+2 hours)

```bash {name=again}
test ! -e ../not-again
```

## Rollback procedure"""


@pytest.fixture
def fast(world: World) -> World:
    """The world with checks after go-live, and a clock that is 7200 times faster: 1 h = 0.5 s."""
    world.environment.time_scale = 7200
    world.environment.save()
    world.publish(RUNBOOK.replace("\n## Rollback procedure", LATER))
    return world


def test_somebody_stays_beside_it_until_the_attended_window_ends(fast: World):
    deployment, progress = fast.queued(), Loud()
    done = run(deployment, progress=progress)
    assert (done.status, done.expires_at) == (D.WATCHING, None)
    assert outcomes(done)["smoke"] == "succeeded"
    assert "again" not in outcomes(done)
    assert any("the watch goes on until" in note for note in progress.notes)


def test_the_long_watch_is_ended_by_whoever_looks_next(fast):
    deployment = fast.queued()
    run(deployment)
    due = Deployment.objects.get(pk=deployment.pk).live_at + timedelta(hours=2) / 7200
    wait_until(lambda: timezone.now() > due)
    done = run(deployment, attended=False)
    assert (done.status, outcomes(done)["again"]) == (D.SUCCEEDED, "succeeded")


def test_a_check_that_fails_after_go_live_takes_it_back(fast: World):
    fast.mark("no-smoke")
    done = run(fast.queued())
    assert (done.status, fast.running, fast.started) == (D.ROLLED_BACK, "v1", ["v2", "v1"])


@pytest.mark.parametrize("attended", [True, False])
def test_a_live_release_that_may_not_go_back_by_itself_is_watched_on(fast: World, attended):
    own.switch({"automatic_rollback": False}, by="ada", at=timezone.now())
    fast.mark("no-smoke")
    deployment = fast.queued()
    for _ in range(3):
        done = in_time(lambda: run(deployment, attended=attended))
        wait_until(lambda: timezone.now() > done.live_at + timedelta(hours=1) / 7200)  # noqa: B023
    assert (done.status, done.expires_at) == (D.WATCHING, None)
    assert done.incidents.count() == 1
    assert (outcomes(done)["smoke"], fast.running) == ("failed", "v2")


def in_time(work):
    """The result of `work`, which must not go on for ever."""
    stuck = threading.Timer(20, lambda: psutil.Process().send_signal(2))
    stuck.start()
    try:
        return work()
    finally:
        stuck.cancel()


def test_a_newer_deployment_ends_the_watch_of_the_one_before(fast: World):
    first = fast.queued()
    run(first)
    newer = make_deployment(
        environment=fast.environment, release=first.release, status=D.QUEUED, plan=from_json(first.plan)
    )
    assert run(first, attended=False).status == D.WATCHING
    Deployment.objects.filter(pk=newer.pk).update(status=D.FAILED)
    make_attempt(deployment=newer, action="preflight")
    assert run(first, attended=False).status == D.WATCHING
    changing = next(action for action in from_json(first.plan).actions if action.changes)
    make_attempt(deployment=newer, action=changing.key)
    done = run(first, attended=False)
    assert (done.status, done.message) == (D.SUCCEEDED, "superseded while watched")


# --- interrupted --------------------------------------------------------------------------------------------

SLOW = RUNBOOK.replace("cat VERSION >>", "echo begun; sleep 60 & test -e ../go || wait; cat VERSION >>", 1)


@pytest.mark.parametrize(("attributes", "outcome"), [(" idempotent=true", "aborted"), ("", "unknown")])
def test_an_end_at_once_pauses_and_ends_what_runs(world: World, attributes, outcome):
    world.publish(SLOW.replace("{name=start}", "{name=start" + attributes + "}"))
    deployment = world.queued()
    run(deployment, progress=Loud(interrupt="begun"))
    paused = Deployment.objects.get(pk=deployment.pk)
    assert (paused.status, outcomes(paused)["start"]) == (D.PAUSED, outcome)
    assert not psutil.pid_exists(last_attempt(paused).process["pid"])


def test_what_was_paused_goes_on_where_it_was(world: World):
    world.publish(SLOW.replace("{name=start}", "{name=start idempotent=true}"))
    deployment = world.queued()
    run(deployment, progress=Loud(interrupt="begun"))
    world.mark("go")
    done = run(deployment)
    assert (done.status, world.started) == (D.SUCCEEDED, ["v2"])
    assert outcomes(done) == {
        "Pre-flight": "succeeded", "look": "succeeded", "code": "succeeded", "start": "aborted succeeded"
    }  # fmt: skip


def test_what_nobody_knows_waits_for_a_person_who_takes_it_back(world: World):
    world.publish(SLOW)
    deployment = world.queued()
    run(deployment, progress=Loud(interrupt="begun"))
    for _ in range(2):
        waiting = run(deployment)
    assert (waiting.status, waiting.incidents.count()) == (D.WAITING, 1)
    back = going_back.roll_back(
        waiting, user=world.olga, reason="unclear", restore_data=False, at=timezone.now()
    )
    assert run(back).status == D.SUCCEEDED
    waiting.refresh_from_db()
    assert (waiting.status, world.running) == (D.ROLLED_BACK, "v1")


def test_a_worker_that_lost_its_lease_stops_without_acting(world: World):
    world.publish(SLOW)
    deployment = world.queued()

    class Robbed(Loud):
        def output(self, text: str) -> None:
            Deployment.objects.filter(pk=deployment.pk).update(owner="there:2", epoch=9)

    with pytest.raises(LeaseLost):
        run(deployment, progress=Robbed())
    attempt = last_attempt(deployment)
    assert attempt.outcome == Outcome.OPEN
    assert not psutil.pid_exists(attempt.process["pid"])
    assert world.started == []


def test_a_way_back_that_failed_goes_on_when_what_was_wrong_is_mended(world: World):
    world.mark("no-start").touch()
    world.mark("no-way-back").touch()
    done = run(world.queued())
    back = Deployment.objects.get(undoes=done)
    assert back.status == D.WAITING
    world.mark("no-way-back").unlink()
    answers.try_again(back, user=world.olga, at=timezone.now())
    assert run(back).status == D.SUCCEEDED
    done.refresh_from_db()
    assert done.status == D.ROLLED_BACK


@pytest.fixture
def interrupted(world: World) -> Deployment:
    """A deployment whose first script was cut off by Ctrl-C, so that nobody knows how far it came."""
    world.publish(RUNBOOK.replace("test ! -e no-look", "test ! -e no-look\necho looking\nsleep 1"))
    deployment = world.queued()
    run(deployment, progress=Loud(interrupt="looking"))
    assert run(deployment).status == D.WAITING
    return Deployment.objects.get(pk=deployment.pk)


def test_an_interrupted_script_is_tried_again_when_a_person_says_so(world: World, interrupted: Deployment):
    answers.retry(interrupted, user=world.olga, at=timezone.now())
    carry_on(interrupted, take(interrupted), by="olga", progress=Silent())
    assert outcomes(interrupted)["look"] == "unknown aborted succeeded"
    assert world.running == "v2"


def test_an_interrupted_script_counts_as_done_when_a_person_looked(world: World, interrupted: Deployment):
    answers.count_as_done(interrupted, user=world.olga, reason="the file is there", at=timezone.now())
    carry_on(interrupted, take(interrupted), by="olga", progress=Silent())
    assert outcomes(interrupted)["look"] == "unknown skipped"
    assert world.running == "v2"


def test_what_a_dead_command_said_is_kept_masked(world: World, settings, tmp_path):
    settings.VAR_DIR = tmp_path / "var"
    make_variable(environment=world.environment, name="TOKEN", value="s3cret-value", is_secret=True)
    deployment = world.queued()
    lease, action = take(deployment), from_json(deployment.plan).actions[1]
    gone = {"place": this_place(), "pid": 1, "started": 0.5}
    attempt = make_attempt(
        deployment=deployment, action=action.key, outcome=Outcome.OPEN, output="it.log", process=gone
    )
    raw, variables = leftover(attempt, ".raw"), leftover(attempt, ".vars")
    raw.write_text("half of it: s3cret-value\n")
    variables.write_text("TOKEN=s3cret-value")
    settle(
        Run(deployment=deployment, lease=lease, plan=from_json(deployment.plan), by="olga", progress=Silent())
    )
    attempt.refresh_from_db()
    assert attempt.tail == output_path(attempt.output).read_text() == f"half of it: {MASK}\n"
    assert not raw.exists()
    assert not variables.exists()


def test_a_dead_run_is_taken_back_without_resuming_it(world: World):
    deployment = world.queued()
    take(deployment)
    Deployment.objects.filter(pk=deployment.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    deployment.refresh_from_db()
    back = going_back.roll_back(
        deployment, user=world.olga, reason="dead", restore_data=False, at=timezone.now()
    )
    assert run(back).status == D.SUCCEEDED
