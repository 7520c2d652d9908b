"""What is released, by whom, how it went: runbooks, releases, deployments, backups, incidents."""

from releases.models.backups import Backup
from releases.models.deployments import Approval, Attempt, Deployment
from releases.models.features import Feature
from releases.models.holds import Hold
from releases.models.incidents import Incident
from releases.models.items import ChecklistItem
from releases.models.maintenance import MaintenanceState
from releases.models.permissions import AccessToken, Grant
from releases.models.releases import Release
from releases.models.reviews import Decision
from releases.models.runbooks import Runbook, RunbookRevision

__all__ = [
    "AccessToken",
    "Approval",
    "Attempt",
    "Backup",
    "ChecklistItem",
    "Decision",
    "Deployment",
    "Feature",
    "Grant",
    "Hold",
    "Incident",
    "MaintenanceState",
    "Release",
    "Runbook",
    "RunbookRevision",
]
