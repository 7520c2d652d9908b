"""Gantry's own maintenance mode, shared by all its processes."""

from django.db import models


class MaintenanceState(models.Model):
    """One row: is Gantry itself closed to everybody but staff?"""

    is_on = models.BooleanField(default=False)
    by = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return "on" if self.is_on else "off"
