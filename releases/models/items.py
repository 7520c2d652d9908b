"""One box of the checklist, with who or what ticked it and what was seen."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from releases.models.deployments import Attempt, Deployment
from releases.models.releases import Release
from releases.statuses import ItemState


class ChecklistItem(models.Model):
    """A box; `deployment` is null for what is ticked once a release (review, tests, documents)."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="items")
    deployment = models.ForeignKey(Deployment, models.PROTECT, null=True, blank=True, related_name="items")
    key = models.CharField(max_length=100)
    text = models.TextField()
    heading = models.TextField(blank=True)
    line = models.PositiveIntegerField(default=0)
    ticked_by = models.CharField(
        max_length=20, help_text="person, confirm, step, probe, threshold or trigger"
    )
    command = models.TextField(blank=True, help_text="what a person runs by hand, or agrees to")
    choice = models.CharField(max_length=40, blank=True, help_text="of the boxes with this key one is ticked")
    is_required = models.BooleanField(default=True)
    is_claimed = models.BooleanField(
        default=False, help_text="ticked in the file already: a claim, not evidence"
    )
    state = models.CharField(
        max_length=8, default=ItemState.OPEN, choices=[(s.value, s.value) for s in ItemState]
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="who asked for it and cannot tick it",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    attempt = models.ForeignKey(Attempt, models.PROTECT, null=True, blank=True, related_name="items")
    evidence = models.JSONField(default=dict, blank=True)
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("release", "line", "pk")
        constraints = [
            models.UniqueConstraint(
                fields=["release", "key"], condition=Q(deployment__isnull=True), name="item_once_a_release"
            ),
            models.UniqueConstraint(fields=["deployment", "key"], name="item_once_a_deployment"),
            models.CheckConstraint(
                condition=Q(state=ItemState.OPEN) | (Q(at__isnull=False) & ~Q(evidence={})),
                name="no_box_is_closed_without_evidence",
            ),
            models.CheckConstraint(
                condition=Q(asked_by__isnull=True) | Q(by__isnull=True) | ~Q(by=F("asked_by")),
                name="nobody_agrees_to_what_they_asked_for",
            ),
            models.CheckConstraint(
                condition=Q(state=ItemState.OPEN)
                | Q(by__isnull=False)
                | Q(attempt__isnull=False)
                | Q(ticked_by__in=["probe", "threshold"]),
                name="no_box_is_closed_by_nobody",
            ),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_settled(self) -> bool:
        """Nothing more is asked of anybody."""
        return not self.is_required or self.state in (ItemState.TICKED, ItemState.WAIVED)
