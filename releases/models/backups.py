"""A copy of a database."""

from django.db import models

from checks.models import Database
from releases.models.deployments import Deployment
from releases.statuses import BackupStatus


class Backup(models.Model):
    """A dump with checksum, size and place; it counts when it was read back whole."""

    database = models.ForeignKey(Database, models.PROTECT, related_name="backups")
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, blank=True, related_name="backups")
    path = models.CharField(max_length=500)
    sha256 = models.CharField(max_length=64, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text="bytes")
    commit = models.CharField(max_length=40, blank=True, help_text="what ran when the copy was made")
    under_fence = models.BooleanField(default=False, help_text="made while nobody could write")
    status = models.CharField(
        max_length=10, default=BackupStatus.RUNNING, choices=[(s.value, s.value) for s in BackupStatus]
    )
    evidence = models.JSONField(
        default=dict, blank=True, help_text="rows by table as read back from the dump"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return f"{self.database} {self.started_at:%Y-%m-%d %H:%M:%S}"
