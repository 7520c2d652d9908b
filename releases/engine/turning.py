"""When something is wrong: stop as before, go back by itself, or wait for a person; and the end of a way back."""

from datetime import datetime, timedelta

from django.utils import timezone

from checks.thresholds import Judgement
from releases import repository
from releases.actions.restart import ask_health
from releases.actions.trigger import shows
from releases.engine.lease import Run, scaled
from releases.engine.perform import skipped_after
from releases.errors import GantryError
from releases.features.own import is_on
from releases.lifecycle import going_back, stops
from releases.models import Attempt, ChecklistItem, Deployment, Incident
from releases.plan.journal import Broken
from releases.plan.model import PlannedLimit, from_json
from releases.recorder import Add, Change, Move
from releases.runbooks.review import first_command
from releases.statuses import (
    DeploymentStatus,
    IncidentStatus,
    Outcome,
    ReleaseStatus,
    RollbackClass,
)

D = DeploymentStatus
BY_ITSELF_MINUTES = 60.0
ON_FAIL = "on_fail=continue"
CONTINUED = (Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT)
HOW_ON = (
    "look at the service, then --resume with --retry, --count-as-done REASON or --skip REASON, take it back with "
    "rollback_release, or end it with stop_release --abort"
)
LOOK_AGAIN = timedelta(seconds=5)
ALWAYS_BY_ITSELF = (RollbackClass.FLAGS, RollbackClass.CODE)


def decide(run: Run, broken: Broken) -> bool:
    """A step did not succeed: False when the run stops here, True when it goes on, as its own way back."""
    attempt = run.deployment.attempts.filter(action=broken.action.key).last()
    why = _why(broken, attempt)
    run.progress.note(why)
    response = broken.action.options.get("on_fail", "rollback")
    if attempt and response == "continue" and broken.outcome in CONTINUED:
        return _accept(
            run, attempt, f"{ON_FAIL}: {broken.outcome.replace('_', ' ')} is accepted by the runbook"
        )
    if run.plan.direction == "back":
        return _fail_back(run, why)
    if response == "wait":
        return _call_person(run, why, HOW_ON, severity="P2")
    if broken.outcome == Outcome.UNKNOWN:
        is_comparison = attempt is not None and bool(attempt.result.get("compare"))
        return _call_person(run, why, HOW_ON, severity="" if is_comparison else "P2")
    if not going_back.is_touched(run.deployment):
        return _stop_as_before(run, why)
    return go_back(run, why)


def pull(run: Run, firing: list[tuple[PlannedLimit, Judgement]]) -> None:
    """Rollback triggers fired while users are served: take it back, or call for a person and watch on."""
    fresh = [pair for pair in firing if not is_known(run.deployment, f"'{pair[0].text}'")]
    if not fresh:
        return
    why = "; ".join(f"rollback trigger '{limit.text}': {judged.message}" for limit, judged in fresh)
    run.progress.note(why)
    go_back(run, why)


def pull_by_hand(run: Run, box: ChecklistItem) -> None:
    """A person pulled a trigger that nothing measures: take it back, or call for a decision."""
    why = f"rollback trigger '{box.text}' pulled by {box.by}: {box.evidence.get('said', '')}"
    run.progress.note(why)
    if run.deployment.status == D.RUNNING and not going_back.is_touched(run.deployment):
        _stop_as_before(run, why)
        return
    go_back(run, why)


def investigate(run: Run, box: ChecklistItem) -> None:
    """A person saw what the runbook wants looked at first: an incident, and the run goes on."""
    why = f"'{box.text}' seen by {box.by}: {box.evidence.get('said', '')}"
    now = timezone.now()
    run.record(Add(incident_of(run, f"{why}; the runbook says to investigate first", "P3", now)), at=now)
    run.progress.note(f"{why}; an incident is open, the runbook says to investigate first")


def was_heeded(deployment: Deployment, box: ChecklistItem) -> bool:
    """Has this pull an incident already, open or settled? What a person decided about it stands."""
    return deployment.incidents.filter(cause__contains=f"'{box.text}'").exists()


def go_back(run: Run, why: str) -> bool:
    """Turn round if that may happen without a person, else call for one with an incident; True when it turned."""
    kind = going_back.kind_now(run.deployment)
    obstacle = _obstacle(run, kind)
    if obstacle:
        return _call_person(run, why, f"it does not go back by itself: {obstacle}", severity="P1")
    forward = run.deployment
    run.deployment, run.lease = going_back.turn_back(
        forward, lease=run.lease, covers=kind, by=run.by, why=why
    )
    run.plan, run.handed_on = from_json(run.deployment.plan), None
    run.progress.note(f"going back to {run.plan.previous_version} ({kind})")
    return True


def is_known(deployment: Deployment, cause: str) -> bool:
    """Has this cause an open incident of the deployment already, so that a person decides?"""
    return deployment.incidents.filter(status=IncidentStatus.OPEN, cause__contains=cause).exists()


def supersede(run: Run, now: datetime) -> None:
    """A newer deployment runs here: this watch is over, its open boxes stay open."""
    done = Move(
        run.deployment, D.SUCCEEDED, {"ended_at": now, "due_at": None, "message": "superseded while watched"}
    )
    run.record(done, at=now)
    run.progress.note("a newer deployment took over; this watch ends")


def finish_back(run: Run, now: datetime) -> None:
    """The way back succeeded: the version is bad, the incident mitigated."""
    back, undone = run.deployment, run.deployment.undoes
    assert undone is not None
    wrong = _still_there(run)
    if wrong:
        _fail_back(run, wrong)
        return
    message = f"{run.plan.previous_version} runs again{_left_elsewhere(run)}"
    changes: list[Move | Change] = [
        Move(back, D.SUCCEEDED, {"ended_at": now, "message": message}),
        Move(undone, D.ROLLED_BACK, {"ended_at": now, "message": f"rolled back: {back.reason}"}),
    ]
    if undone.release.status == ReleaseStatus.OPEN:
        changes.append(Move(undone.release, ReleaseStatus.BAD))
    changes += [
        Move(incident, IncidentStatus.MITIGATED, {"decision": f"rolled back to {run.plan.previous_version}"})
        for incident in undone.incidents.filter(status=IncidentStatus.OPEN)
    ]
    run.record(*changes, at=now)
    run.progress.note(
        f"{run.plan.previous_version} runs again in {run.plan.environment}{_left_elsewhere(run)}"
    )


def _still_there(run: Run) -> str:
    """What speaks against the way back having worked: the version that answers, else what the folder holds."""
    plan, environment = run.plan, run.deployment.environment
    if environment.service.health.get("ready"):
        health = ask_health(environment)
        if shows(health, plan.previous_version, plan.previous_commit):
            return ""
        seen = health.version or health.commit or health.message
        return f"{seen} answers, {plan.previous_version} should"
    if plan.commit == plan.previous_commit or repository.look(environment.folder).commit != plan.commit:
        return ""
    return f"{environment.folder} still holds {plan.version}"


def _left_elsewhere(run: Run) -> str:
    """A way back that worked on another host or at a provider leaves the folder here where it was: say so."""
    folder = run.deployment.environment.folder
    try:
        tree = repository.look(folder)
    except GantryError as problem:
        return f"; {problem}"
    if tree.commit == run.plan.previous_commit:
        return ""
    return (
        f"; but {folder} is at {tree.name}: check {run.plan.previous_version} out there, plans start from it"
    )


def _accept(run: Run, attempt: Attempt, reason: str) -> bool:
    """The run goes on without it, as the author said: that is written down as a skipped attempt."""
    now = timezone.now()
    skipped = skipped_after(attempt, lease=run.lease, reason=reason, by=run.by, at=now)
    run.record(Add(skipped), at=now)
    run.progress.note(reason)
    return True


def abort(run: Run) -> bool:
    """A person ends it here; False where it must not end: under the fence, or once it is live."""
    deployment, now = run.deployment, timezone.now()
    refused = stops.why_not_aborted(deployment)
    if refused:
        as_before = {"wants": "", "message": deployment.message}
        run.record(Change(deployment, as_before, verb="abort refused"), at=now, why=refused)
        run.progress.note(refused)
        return False
    left = "what was done stays as it is" if going_back.is_touched(deployment) else _as_before(run)
    asked = Deployment.objects.values_list("message", flat=True).get(pk=deployment.pk)
    message = f"{asked}; {left}"
    run.record(Move(deployment, D.ABORTED, {"ended_at": now, "message": message}), at=now)
    run.progress.note(message)
    return True


def _why(broken: Broken, attempt: Attempt | None) -> str:
    message = attempt.result.get("message", "") if attempt else ""
    return f"{broken.step.title}: {broken.action.title} {broken.outcome.replace('_', ' ')}: {message}"


def _obstacle(run: Run, kind: RollbackClass) -> str:
    """Why this may not go back without a person; empty when it may."""
    if not is_on("automatic_rollback"):
        return "automatic_rollback is switched off"
    way = going_back.way_back(run.deployment, covers=kind)
    if way is None:
        return f"the runbook has no method for {kind}"
    # A method that covers more than is needed may put the databases back, too.
    if kind in ALWAYS_BY_ITSELF and not going_back.restores(way):
        return _too_late(run)
    if _copied_under_fence(run.deployment) and run.deployment.environment.is_fenced:
        return ""
    return "restoring would lose what was written since; decide with `rollback_release … --restore-data`"


def _too_late(run: Run) -> str:
    live = run.deployment.live_at
    if live and timezone.now() - live > scaled(BY_ITSELF_MINUTES, run.plan) + timedelta(seconds=5):
        return f"it went live more than {BY_ITSELF_MINUTES:g} minutes ago"
    return ""


def _copied_under_fence(deployment: Deployment) -> bool:
    return deployment.backups.filter(under_fence=True, status="verified").exists()


def _stop_as_before(run: Run, why: str) -> bool:
    now = timezone.now()
    message = f"{why}; {_as_before(run)}"
    run.record(Move(run.deployment, D.FAILED, {"ended_at": now, "message": message}), at=now)
    return False


def _as_before(run: Run) -> str:
    """What to say where nothing that is known to change the service has run."""
    ran = run.deployment.attempts.filter(kind="shell", outcome=Outcome.SUCCEEDED)
    scripts = "; ".join(dict.fromkeys(first_command(attempt.command) for attempt in ran))
    as_before = "nothing was changed" if not scripts else f"only what counts as a look had run ({scripts})"
    return f"{as_before}, {run.plan.previous_version} runs as before"


def _fail_back(run: Run, why: str) -> bool:
    """The way back failed: maintenance stays as it is, a person is called."""
    now = timezone.now()
    fence = "maintenance stays ON" if run.deployment.environment.is_fenced else "maintenance is off"
    message = f"the way back failed: {why}; {fence}; call someone, and go on with --resume when it is mended"
    # It waits, and holds the environment: nobody deploys over an unknown state, and --resume tries again.
    waiting = Move(run.deployment, D.WAITING, {"message": message})
    incidents = [] if is_known(run.deployment, why) else [Add(incident_of(run, message, "P1", now))]
    run.record(waiting, *incidents, at=now)
    run.progress.note(message)
    return False


def _call_person(run: Run, why: str, what: str, *, severity: str) -> bool:
    """Stop for a person, with an incident opened once unless `severity` is empty; a live version stays watched.

    Always False: it did not turn.
    """
    now = timezone.now()
    message = f"{why}; {what}"
    changes: list[Add | Move | Change] = []
    if severity and not is_known(run.deployment, why):
        changes.append(Add(incident_of(run, message, severity, now)))
    if run.deployment.status == D.RUNNING:
        changes.append(Move(run.deployment, D.WAITING, {"message": message}))
    else:
        fields = {"message": message, "due_at": now + LOOK_AGAIN}
        changes.append(Change(run.deployment, fields, verb="needs a person"))
    run.record(*changes, at=now)
    run.progress.note(what)
    return False


def incident_of(run: Run, cause: str, severity: str, at: datetime) -> Incident:
    """An incident of this deployment, not yet written."""
    return Incident(
        environment=run.deployment.environment,
        deployment=run.deployment,
        severity=severity,
        title=f"{run.plan.version} in {run.plan.environment}: {cause}"[:200],
        cause=cause,
        opened_by=run.by,
        opened_at=at,
    )
