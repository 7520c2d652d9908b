"""Something went wrong with a release."""

from django.db import models

from checks.models import Environment
from releases.models.deployments import Deployment
from releases.statuses import IncidentStatus


class Incident(models.Model):
    """What went wrong where, how bad it is, and what was decided."""

    environment = models.ForeignKey(Environment, models.PROTECT, related_name="incidents")
    deployment = models.ForeignKey(
        Deployment, models.PROTECT, null=True, blank=True, related_name="incidents"
    )
    severity = models.CharField(max_length=2, choices=[(level, level) for level in ("P1", "P2", "P3", "P4")])
    title = models.CharField(max_length=200)
    cause = models.TextField(help_text="what was seen, with its numbers")
    decision = models.TextField(blank=True)
    status = models.CharField(
        max_length=10, default=IncidentStatus.OPEN, choices=[(s.value, s.value) for s in IncidentStatus]
    )
    opened_by = models.CharField(max_length=200)
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-opened_at",)

    def __str__(self) -> str:
        return f"{self.severity} {self.title}"
