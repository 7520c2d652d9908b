"""What stops deployments of an environment, or of every one: freeze windows, stop-the-line, locks."""

from datetime import datetime
from enum import StrEnum

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from checks.models import Environment


class HoldState(StrEnum):
    """Where a hold is in its life; the clock tells it, so no row keeps it."""

    AHEAD = "to come"
    STANDING = "standing"
    OVER = "over"
    LIFTED = "lifted"


class HoldQuerySet(models.QuerySet["Hold"]):
    """Holds by what the clock says of them."""

    def current(self, at: datetime) -> "HoldQuerySet":
        """Neither over nor lifted: what stands and what is to come."""
        return self.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), lifted_at__isnull=True)

    def standing(self, at: datetime, environment: Environment | None = None) -> "HoldQuerySet":
        """Begun, neither over nor lifted; with an environment, only those that hold deployments there."""
        found = self.current(at).filter(starts_at__lte=at)
        if environment is None:
            return found
        return found.filter(Q(environment__isnull=True) | Q(environment=environment))

    def ahead(self, at: datetime) -> "HoldQuerySet":
        """Not begun and not lifted."""
        return self.current(at).filter(starts_at__gt=at)

    def past(self, at: datetime) -> "HoldQuerySet":
        """Over without anybody lifting them."""
        return self.filter(lifted_at__isnull=True, ends_at__lte=at)


class Hold(models.Model):
    """Until it is over or lifted nothing new is deployed there; ways back and what is halfway are never held."""

    environment = models.ForeignKey(
        Environment, models.PROTECT, null=True, blank=True, related_name="holds", help_text="none: everywhere"
    )
    reason = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True, help_text="none: until it is lifted")
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    lift_reason = models.TextField(blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        ordering = ("-starts_at", "-pk")
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="a_hold_has_a_reason"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="a_hold_ends_after_it_begins",
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True, lifted_by__isnull=True, lift_reason="")
                | (Q(lifted_at__isnull=False, lifted_by__isnull=False) & ~Q(lift_reason="")),
                name="a_lifted_hold_says_who_and_why",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"

    def state(self, at: datetime) -> HoldState:
        """What the clock says of it."""
        if self.lifted_at:
            return HoldState.LIFTED
        if at < self.starts_at:
            return HoldState.AHEAD
        return HoldState.OVER if self.ends_at and self.ends_at <= at else HoldState.STANDING
