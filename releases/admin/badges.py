"""What colour a status has, on lists and pages alike."""

from releases.models.holds import HoldState
from releases.statuses import (
    BackupStatus,
    DeploymentStatus,
    IncidentStatus,
    ItemState,
    Outcome,
    ReleaseStatus,
    RevisionStatus,
    RollbackClass,
)

GOOD, BAD, LOOK, MOVING, CALM = "success", "danger", "warning", "info", "default"

DEPLOYMENTS = {
    DeploymentStatus.PLANNED.value: CALM,
    DeploymentStatus.QUEUED.value: MOVING,
    DeploymentStatus.RUNNING.value: MOVING,
    DeploymentStatus.WAITING.value: LOOK,
    DeploymentStatus.PAUSED.value: LOOK,
    DeploymentStatus.WATCHING.value: MOVING,
    DeploymentStatus.SUCCEEDED.value: GOOD,
    DeploymentStatus.FAILED.value: BAD,
    DeploymentStatus.ABORTED.value: CALM,
    DeploymentStatus.ROLLED_BACK.value: LOOK,
    DeploymentStatus.UNKNOWN.value: BAD,
}
OUTCOMES = {
    "open": MOVING,
    Outcome.SUCCEEDED.value: GOOD,
    Outcome.FAILED.value: BAD,
    Outcome.ERROR.value: BAD,
    Outcome.TIMED_OUT.value: BAD,
    Outcome.UNKNOWN.value: LOOK,
    Outcome.SKIPPED.value: CALM,
    Outcome.ABORTED.value: CALM,
}
ITEMS = {
    ItemState.OPEN.value: LOOK,
    ItemState.TICKED.value: GOOD,
    ItemState.WAIVED.value: CALM,
    ItemState.FAILED.value: BAD,
}
RELEASES = {
    ReleaseStatus.OPEN.value: MOVING,
    ReleaseStatus.BAD.value: BAD,
    ReleaseStatus.WITHDRAWN.value: CALM,
}
REVISIONS = {RevisionStatus.DRAFT.value: LOOK, RevisionStatus.PUBLISHED.value: GOOD}
INCIDENTS = {
    IncidentStatus.OPEN.value: BAD,
    IncidentStatus.MITIGATED.value: LOOK,
    IncidentStatus.RESOLVED.value: GOOD,
}
HOLDS = {
    HoldState.AHEAD.value: MOVING,
    HoldState.STANDING.value: LOOK,
    HoldState.OVER.value: CALM,
    HoldState.LIFTED.value: GOOD,
}
SEVERITIES = {"P1": BAD, "P2": BAD, "P3": LOOK, "P4": CALM}
BACKUPS = {
    BackupStatus.RUNNING.value: MOVING,
    BackupStatus.VERIFIED.value: GOOD,
    BackupStatus.FAILED.value: BAD,
}
CLASSES = {
    RollbackClass.FLAGS.value: GOOD,
    RollbackClass.CODE.value: GOOD,
    RollbackClass.RESTORE.value: LOOK,
    RollbackClass.FORWARD_ONLY.value: BAD,
}
