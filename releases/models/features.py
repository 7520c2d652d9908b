"""Switches: of a service's environment as last observed, or of Gantry itself."""

from django.db import models
from django.db.models import Q

from checks.models import Environment


class Feature(models.Model):
    """A flag; `environment` is null for Gantry's own."""

    environment = models.ForeignKey(
        Environment, models.CASCADE, null=True, blank=True, related_name="features"
    )
    key = models.SlugField(max_length=100)
    is_on = models.BooleanField(default=False)
    changed_by = models.CharField(max_length=200, blank=True)
    changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("environment", "key")
        constraints = [
            models.UniqueConstraint(fields=["environment", "key"], name="feature_once_an_environment"),
            models.UniqueConstraint(
                fields=["key"], condition=Q(environment__isnull=True), name="own_feature_once"
            ),
        ]

    def __str__(self) -> str:
        return self.key
