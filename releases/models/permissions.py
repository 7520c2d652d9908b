"""Who may do what where, and tokens that prove who it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from checks.models import Environment
from releases.permissions import ROLES


class Grant(models.Model):
    """A role of a user, in one environment or (null) in all."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=20, choices=[(role, role.replace("_", " ")) for role in ROLES])
    environment = models.ForeignKey(Environment, models.CASCADE, null=True, blank=True, related_name="grants")

    class Meta:
        ordering = ("user", "role")
        constraints = [
            models.UniqueConstraint(fields=["user", "role", "environment"], name="grant_once_an_environment"),
            models.UniqueConstraint(
                fields=["user", "role"], condition=Q(environment__isnull=True), name="grant_once_everywhere"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} in {self.environment or 'every environment'}"


class AccessToken(models.Model):
    """A token for pipelines in place of a password; only its sha256 is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    label = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("user", "label")

    def __str__(self) -> str:
        return f"{self.user}: {self.label}"
