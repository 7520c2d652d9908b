"""What a reviewer decided about one part of one revision."""

from django.conf import settings
from django.db import models

from releases.models.runbooks import RunbookRevision


class Decision(models.Model):
    """One decision; `kind` and what `subject` names stand in `releases.runbooks.review.KINDS`."""

    revision = models.ForeignKey(RunbookRevision, models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=10)
    subject = models.TextField()
    value = models.CharField(max_length=200)
    why = models.TextField(blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    made_in = models.PositiveIntegerField(help_text="number of the revision it was first decided for")

    class Meta:
        ordering = ("revision", "pk")
        constraints = [
            models.UniqueConstraint(fields=["revision", "kind", "subject"], name="decision_once_a_subject")
        ]

    def __str__(self) -> str:
        return f"{self.revision}: {self.kind} {self.subject} = {self.value}"

    @property
    def is_carried(self) -> bool:
        """It was decided for an earlier revision, and what it is about did not change."""
        return self.made_in != self.revision.number
