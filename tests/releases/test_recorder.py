"""The one writer of state: all or nothing, fenced, audited; and leases that only one can hold."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from checks.audit import first_bad_entry
from checks.models import AuditEntry, AuditHead, Database, Variable
from releases.errors import Held, LeaseLost, StaleState
from releases.models import Approval, ChecklistItem, Deployment, Incident
from releases.recorder import (
    Add,
    Change,
    Lease,
    Move,
    claim,
    fence,
    open_attempts,
    record,
    release,
    this_owner,
)
from releases.statuses import DeploymentStatus, IncidentStatus, ItemState, Outcome
from tests.factories import (
    make_approval,
    make_attempt,
    make_deployment,
    make_environment,
    make_incident,
    make_item,
    make_release,
    make_service,
    make_user,
)
from tests.threads import in_threads

pytestmark = pytest.mark.django_db
D = DeploymentStatus
NOW = timezone.now()


def make_lease(deployment: Deployment, *, owner: str = "here:1") -> Lease:
    """A lease that the row knows of."""
    later = NOW + timedelta(hours=1)
    Deployment.objects.filter(pk=deployment.pk).update(owner=owner, epoch=7, expires_at=later)
    deployment.refresh_from_db()
    return Lease(deployment_id=deployment.pk, owner=owner, epoch=7)


def expire(deployment: Deployment) -> None:
    Deployment.objects.filter(pk=deployment.pk).update(expires_at=NOW - timedelta(hours=1))


# --- writing ------------------------------------------------------------------------------------------


def test_a_move_changes_the_row_and_is_audited():
    incident = make_incident()
    record(Move(incident, IncidentStatus.RESOLVED, {"decision": "fixed"}), by="olga", at=NOW, why="all well")
    incident.refresh_from_db()
    entry = AuditEntry.objects.get()
    assert (incident.status, incident.decision) == ("resolved", "fixed")
    assert (entry.verb, entry.subject, entry.reason) == ("resolved", f"incident:{incident.pk}", "all well")
    assert (entry.old, entry.new) == ({"status": "open"}, {"status": "resolved", "decision": "fixed"})


@pytest.mark.parametrize(
    ("status", "to"),
    [
        (D.PLANNED, D.RUNNING),
        (D.PLANNED, D.SUCCEEDED),
        (D.SUCCEEDED, D.RUNNING),
        (D.ABORTED, D.QUEUED),
        (D.WATCHING, D.RUNNING),
        (D.ROLLED_BACK, D.FAILED),
    ],
)
def test_a_move_that_no_transition_allows_writes_nothing(status, to):
    deployment, incident = make_deployment(status=status), make_incident()
    with pytest.raises(StaleState, match=f"is {status} now and cannot become {to}"):
        record(Move(incident, IncidentStatus.RESOLVED), Move(deployment, to), by="olga", at=NOW)
    incident.refresh_from_db()
    deployment.refresh_from_db()
    assert (incident.status, deployment.status) == ("open", status)
    assert not AuditEntry.objects.exists()


def test_a_row_that_another_moved_meanwhile_is_told():
    stale = make_incident()
    record(Move(Incident.objects.get(), IncidentStatus.RESOLVED), by="olga", at=NOW)
    with pytest.raises(StaleState, match="is resolved now"):
        record(Move(stale, IncidentStatus.MITIGATED), by="anton", at=NOW)


def test_a_new_row_and_a_change_are_audited_with_their_values():
    environment = make_environment()
    item = ChecklistItem(release=make_release(), key="k", text="Reviewed", ticked_by="person")
    record(Add(item), Change(environment, {"order": 3}), by="olga", at=NOW)
    added, changed = AuditEntry.objects.order_by("seq")
    assert (added.verb, added.new["ticked_by"]) == ("added", "person")
    assert (changed.old, changed.new) == ({"order": 1}, {"order": 3})


def test_the_trail_holds_no_secret_neither_new_nor_changed():
    environment = make_environment()
    row = Variable(environment=environment, name="TOKEN")
    row.value = "first-value"
    record(Add(row), by="olga", at=NOW)
    record(Change(row, {"stored": "second-value"}), by="olga", at=NOW)
    said = str(list(AuditEntry.objects.values_list("old", "new")))
    assert "first-value" not in said
    assert "second-value" not in said


def test_the_trail_holds_no_url_of_a_database():
    row = Database(environment=make_environment(), name="default", url="postgres://shop:first-value@db/shop")
    record(Add(row), by="olga", at=NOW)
    record(Change(row, {"url": "postgres://shop:second-value@db/shop"}), by="olga", at=NOW)
    added, changed = AuditEntry.objects.order_by("seq")
    assert "url" not in added.new
    assert changed.old == changed.new == {"url": "…"}


def test_a_deployment_that_stops_acting_gives_its_lease_back():
    deployment = make_deployment(status=D.RUNNING)
    record(Move(deployment, D.WAITING), by="olga", at=NOW, lease=make_lease(deployment))
    deployment.refresh_from_db()
    assert deployment.expires_at is None


def test_a_watch_keeps_its_lease_until_it_is_released():
    deployment = make_deployment(status=D.RUNNING)
    lease = make_lease(deployment)
    record(Move(deployment, D.WATCHING), by="olga", at=NOW, lease=lease)
    deployment.refresh_from_db()
    assert deployment.expires_at is not None
    release(lease)
    deployment.refresh_from_db()
    assert deployment.expires_at is None


@pytest.mark.parametrize("lost", [{"owner": "there:2"}, {"epoch": 6}])
def test_who_lost_the_lease_writes_nothing(lost):
    deployment = make_deployment(status=D.RUNNING)
    lease = make_lease(deployment)
    stale = Lease(**{"deployment_id": lease.deployment_id, "owner": lease.owner, "epoch": lease.epoch} | lost)
    incident = make_incident()
    with pytest.raises(LeaseLost, match="another worker's"):
        record(Move(incident, IncidentStatus.RESOLVED), by="olga", at=NOW, lease=stale)
    incident.refresh_from_db()
    assert incident.status == "open"
    assert not AuditEntry.objects.exists()


def test_the_heartbeat_renews_the_lease():
    deployment = make_deployment(status=D.RUNNING)
    lease = make_lease(deployment)
    expire(deployment)
    fence(lease)
    deployment.refresh_from_db()
    assert deployment.expires_at > NOW


@pytest.mark.django_db(transaction=True)
def test_the_trail_holds_after_many_moves_at_once():
    incidents = [make_incident() for _ in range(8)]
    left = iter(incidents)

    def work() -> None:
        incident = next(left)
        for status in (IncidentStatus.MITIGATED, IncidentStatus.OPEN, IncidentStatus.RESOLVED):
            record(Move(incident, status), by="olga", at=NOW)

    in_threads(len(incidents), work)
    assert Incident.objects.filter(status="resolved").count() == 8
    assert AuditHead.objects.get().seq == AuditEntry.objects.count() == 24
    assert first_bad_entry() is None


@pytest.mark.django_db(transaction=True)
def test_of_many_who_resolve_an_incident_one_does():
    make_incident()
    done: list[str] = []

    def work() -> None:
        try:
            record(Move(Incident.objects.get(), IncidentStatus.RESOLVED), by="olga", at=NOW)
            done.append("done")
        except StaleState:
            done.append("stale")

    in_threads(6, work)
    assert sorted(done) == ["done"] + ["stale"] * 5
    assert AuditEntry.objects.count() == 1


# --- leases -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [D.QUEUED, D.WAITING, D.PAUSED])
def test_a_claim_makes_a_deployment_run(status):
    deployment = make_deployment(status=status)
    lease = claim(deployment, owner="here:1", by="olga", at=NOW)
    assert (deployment.status, deployment.owner, deployment.epoch) == (D.RUNNING, "here:1", 1)
    assert deployment.expires_at > NOW
    fence(lease)


@pytest.mark.parametrize("status", [D.PLANNED, D.SUCCEEDED, D.FAILED, D.ABORTED])
def test_what_does_not_run_any_more_is_not_claimed(status):
    with pytest.raises(Held, match=status):
        claim(make_deployment(status=status), owner="here:1", by="olga", at=NOW)


def test_a_watch_is_claimed_without_becoming_a_run():
    deployment = make_deployment(status=D.WATCHING)
    claim(deployment, owner="here:1", by="olga", at=NOW)
    assert deployment.status == D.WATCHING
    with pytest.raises(Held):
        claim(Deployment.objects.get(), owner="there:2", by="olga", at=NOW)


def test_a_second_deployment_is_told_who_holds_the_environment():
    first = make_deployment(status=D.RUNNING)
    second = make_deployment(status=D.QUEUED, environment=first.environment)
    with pytest.raises(
        Held, match=rf"deployment #{first.number} \({first.release.version}, forward, running"
    ):
        claim(second, owner="here:1", by="olga", at=NOW)
    second.refresh_from_db()
    assert (second.status, second.expires_at) == (D.QUEUED, None)


def test_a_live_lease_is_not_taken_over():
    deployment = make_deployment(status=D.QUEUED)
    claim(deployment, owner="here:1", by="olga", at=NOW)
    with pytest.raises(Held):
        claim(Deployment.objects.get(), owner="there:2", by="olga", at=NOW)


def test_an_expired_lease_is_taken_over_and_the_old_holder_is_fenced_off():
    deployment = make_deployment(status=D.QUEUED)
    old = claim(deployment, owner="here:1", by="olga", at=NOW)
    expire(deployment)
    new = claim(Deployment.objects.get(), owner="there:2", by="olga", at=NOW)
    assert new.epoch == old.epoch + 1
    with pytest.raises(LeaseLost):
        fence(old)
    fence(new)


@pytest.mark.django_db(transaction=True)
def test_of_twenty_claims_of_one_environment_one_wins():
    environment = make_environment()
    release_ = make_release(service=environment.service)
    waiting = [make_deployment(environment=environment, release=release_, status=D.QUEUED) for _ in range(20)]
    left, outcome = iter(waiting), []

    def work() -> None:
        try:
            claim(next(left), owner=this_owner(), by="olga", at=NOW)
            outcome.append("won")
        except Held:
            outcome.append("held")

    in_threads(len(waiting), work)
    assert sorted(outcome) == ["held"] * 19 + ["won"]
    assert Deployment.objects.filter(status=D.RUNNING).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_of_one_deployment_one_wins():
    deployment = make_deployment(status=D.QUEUED)
    outcome: list[str] = []

    def work() -> None:
        try:
            claim(Deployment.objects.get(pk=deployment.pk), owner=this_owner(), by="olga", at=NOW)
            outcome.append("won")
        except Held:
            outcome.append("held")

    in_threads(8, work)
    assert sorted(outcome) == ["held"] * 7 + ["won"]


def test_two_claims_of_one_process_are_told_apart():
    assert this_owner() != this_owner()


def test_open_attempts_are_those_without_an_outcome():
    deployment = make_deployment(status=D.RUNNING)
    make_attempt(deployment=deployment)
    attempt = make_attempt(deployment=deployment, outcome=Outcome.OPEN)
    assert list(open_attempts(deployment)) == [attempt]


# --- what the database itself refuses ------------------------------------------------------------------


def test_an_environment_has_one_deployment_at_a_time():
    first = make_deployment(status=D.WAITING)
    with pytest.raises(IntegrityError):
        make_deployment(status=D.PAUSED, environment=first.environment)


def test_a_watch_leaves_room_for_the_next_deployment():
    first = make_deployment(status=D.WATCHING)
    assert make_deployment(status=D.RUNNING, environment=first.environment).pk


def test_a_running_deployment_has_a_lease():
    deployment = make_deployment(status=D.RUNNING)
    with pytest.raises(IntegrityError, match="running_has_a_lease"):
        Deployment.objects.filter(pk=deployment.pk).update(expires_at=None)


def test_what_does_not_act_has_no_lease():
    deployment = make_deployment(status=D.PLANNED)
    with pytest.raises(IntegrityError, match="a_lease_only_while_it_acts"):
        Deployment.objects.filter(pk=deployment.pk).update(expires_at=NOW)


def test_nobody_approves_their_own():
    user = make_user()
    with pytest.raises(IntegrityError, match="nobody_approves_their_own"):
        make_approval(by=user, requested_by=user)


def test_a_role_approves_a_deployment_once_until_it_is_withdrawn():
    first = make_approval()
    Approval.objects.update(withdrawn_at=NOW)
    make_approval(deployment=first.deployment)
    with pytest.raises(IntegrityError):
        make_approval(deployment=first.deployment)


@pytest.mark.parametrize(
    ("missing", "constraint"),
    [
        ({"evidence": {}}, "without_evidence"),
        ({"at": None}, "without_evidence"),
        ({"by": None}, "by_nobody"),
    ],
)
@pytest.mark.parametrize("state", [ItemState.TICKED, ItemState.WAIVED, ItemState.FAILED])
def test_no_box_is_closed_without_evidence_or_by_nobody(state, missing, constraint):
    with pytest.raises(IntegrityError, match=constraint):
        make_item(state=state, **missing)


def test_a_box_of_a_probe_is_closed_by_the_probe():
    assert make_item(state=ItemState.TICKED, ticked_by="probe", by=None).pk


def test_a_skipped_attempt_has_a_reason():
    with pytest.raises(IntegrityError, match="a_skip_has_a_reason"):
        make_attempt(outcome=Outcome.SKIPPED)


def test_an_action_has_one_open_attempt():
    deployment = make_deployment(status=D.RUNNING)
    make_attempt(deployment=deployment, outcome=Outcome.OPEN)
    with pytest.raises(IntegrityError):
        make_attempt(deployment=deployment, outcome=Outcome.OPEN)


def test_a_deployment_is_undone_once():
    first = make_deployment(status=D.FAILED)
    make_deployment(undoes=first)
    with pytest.raises(IntegrityError):
        make_deployment(undoes=first)


def test_a_version_is_released_once():
    service = make_service()
    make_release(service=service, version="v1")
    with pytest.raises(IntegrityError):
        make_release(service=service, version="v1")
