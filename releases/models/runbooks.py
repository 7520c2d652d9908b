"""The Markdown checklist of a service and its immutable texts."""

from functools import cached_property

from django.conf import settings
from django.db import models

from checks.models import Service
from releases.runbooks.document import Document
from releases.statuses import RevisionStatus


class Runbook(models.Model):
    """A service's checklist, whatever its text is today."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="runbooks")
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ("service", "name")
        constraints = [models.UniqueConstraint(fields=["service", "name"], name="runbook_once_a_service")]

    def __str__(self) -> str:
        return f"{self.service.name}: {self.name}"


class RunbookRevision(models.Model):
    """One text of a runbook, never changed after import; only a published one runs."""

    runbook = models.ForeignKey(Runbook, models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    text = models.TextField()
    status = models.CharField(
        max_length=12,
        default=RevisionStatus.DRAFT,
        choices=[(status.value, status.value) for status in RevisionStatus],
    )
    imported_by = models.CharField(max_length=200)
    imported_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("runbook", "-number")
        constraints = [
            models.UniqueConstraint(fields=["runbook", "number"], name="revision_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.runbook} r{self.number}"

    @cached_property
    def document(self) -> Document:
        """The text as read, before anybody decided anything; reading is deterministic and takes milliseconds."""
        # Loaded on use: the reader's grammar costs 0.17 s of start-up, and most commands never read a text.
        from releases.runbooks.reader import read
        from releases.runbooks.words import load

        return read(self.text, words=load(settings.RUNBOOK_WORDS))

    @property
    def reviewed(self) -> Document:
        """The text as its reviewers decided: what is planned and run."""
        from releases.runbooks.review import reviewed

        return reviewed(self.document, self.decided)

    @property
    def decided(self) -> dict[tuple[str, str], str]:
        """(kind, subject) -> value of every decision."""
        return {(row.kind, row.subject): row.value for row in self.decisions.all()}
