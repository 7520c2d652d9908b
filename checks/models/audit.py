"""The append-only, hash-chained record of who did what."""

from django.db import models


class AuditEntry(models.Model):
    """One change: who, what, to which row, from which value to which, and why."""

    seq = models.PositiveBigIntegerField(unique=True)
    prev = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=200)
    verb = models.CharField(max_length=60)
    subject = models.CharField(max_length=200, db_index=True)
    old = models.JSONField(default=dict, blank=True)
    new = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-seq",)
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.seq} {self.actor} {self.verb} {self.subject}"


class AuditHead(models.Model):
    """The newest entry's number and hash; locked last in every audited transaction."""

    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.seq} {self.hash[:12]}"
