"""One version of a service, promoted through its environments."""

from django.conf import settings
from django.db import models

from checks.models import Service
from releases.models.runbooks import RunbookRevision
from releases.statuses import ReleaseStatus


class Release(models.Model):
    """One commit with one frozen revision of the runbook."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="releases")
    version = models.CharField(max_length=100)
    ref = models.CharField(max_length=200, help_text="tag or branch as named; resolved once to the commit")
    commit = models.CharField(max_length=40)
    revision = models.ForeignKey(RunbookRevision, models.PROTECT, related_name="releases")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    status = models.CharField(
        max_length=12,
        default=ReleaseStatus.OPEN,
        choices=[(status.value, status.value) for status in ReleaseStatus],
    )

    class Meta:
        ordering = ("-requested_at",)
        constraints = [models.UniqueConstraint(fields=["service", "version"], name="release_version_once")]

    def __str__(self) -> str:
        return f"{self.service.name} {self.version}"
