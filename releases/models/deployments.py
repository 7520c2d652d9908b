"""One run of a release into one environment, forward or back, with its journal and approvals."""

from pathlib import Path

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from checks.models import Environment
from releases.models.releases import Release
from releases.statuses import OCCUPYING, WANTS, DeploymentStatus, Outcome, RollbackClass


class Leased(models.Model):
    """A row that one worker at a time owns until `expires_at`, on the database's clock; `epoch` fences the stale."""

    owner = models.CharField(max_length=200, blank=True)
    epoch = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class Deployment(Leased):
    """Born when planned, for approvals hang on its plan; `undoes` names the deployment that a way back takes back."""

    release = models.ForeignKey(Release, models.PROTECT, related_name="deployments")
    environment = models.ForeignKey(Environment, models.PROTECT, related_name="deployments")
    number = models.PositiveIntegerField()
    undoes = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="undone_by")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField(blank=True)
    plan = models.JSONField()
    plan_hash = models.CharField(max_length=64)
    made_from = models.CharField(
        max_length=64,
        blank=True,
        help_text="sha256 of what the plan was made from; while it is the same, so is the plan",
    )
    rollback_class = models.CharField(
        max_length=20, choices=[(kind.value, kind.value) for kind in RollbackClass]
    )
    status = models.CharField(
        max_length=12,
        default=DeploymentStatus.PLANNED,
        choices=[(s.value, s.value) for s in DeploymentStatus],
    )
    wants = models.CharField(
        max_length=12,
        blank=True,
        choices=[(each, each) for each in WANTS],
        help_text="what the run is asked to do: at its next safe point, or (stop) at once",
    )
    message = models.TextField(blank=True, help_text="what it waits for, or how it ended, in one line")
    planned_at = models.DateTimeField()
    starts_at = models.DateTimeField(
        null=True, blank=True, help_text="T-0 on the clock: steps start no earlier than their offset from it"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    live_at = models.DateTimeField(null=True, blank=True, help_text="T-0: when the new version met its users")
    ended_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True, db_index=True, help_text="when the watch looks next")

    class Meta:
        ordering = ("-planned_at", "-number")
        constraints = [
            models.UniqueConstraint(
                fields=["environment"],
                condition=Q(status__in=OCCUPYING),
                name="one_deployment_an_environment",
            ),
            models.UniqueConstraint(fields=["environment", "number"], name="deployment_number_once"),
            models.UniqueConstraint(
                fields=["release", "environment"],
                condition=Q(status=DeploymentStatus.PLANNED),
                name="one_plan_of_a_release_an_environment",
            ),
            models.CheckConstraint(
                condition=~Q(status=DeploymentStatus.RUNNING) | Q(expires_at__isnull=False),
                name="running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(expires_at__isnull=True)
                | Q(status__in=[DeploymentStatus.RUNNING, DeploymentStatus.WATCHING]),
                name="a_lease_only_while_it_acts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.environment} #{self.number}"

    @property
    def direction(self) -> str:
        """`back` for the undoing of another deployment, else `forward`."""
        return "back" if self.undoes_id else "forward"

    @property
    def state(self) -> DeploymentStatus:
        """The status as its enum."""
        return DeploymentStatus(self.status)


def output_path(name: str) -> Path:
    """Where an attempt's output lies; made with mode 0700, for outputs are masked but private."""
    folder = Path(settings.VAR_DIR) / "outputs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / name


class Attempt(models.Model):
    """One execution of one action: the intent before it, the outcome after it."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="attempts")
    action = models.CharField(max_length=80, help_text="the action's key in the plan")
    kind = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    epoch = models.PositiveIntegerField()
    command = models.TextField(blank=True, help_text="exactly what was run, secrets masked")
    variables = models.JSONField(default=dict, blank=True, help_text="what the command saw, secrets masked")
    idempotency_key = models.CharField(
        max_length=120, blank=True, help_text="the same for every attempt at one effect: $GANTRY_KEY"
    )
    process = models.JSONField(default=dict, blank=True, help_text="where it ran, pid and start time")
    outcome = models.CharField(
        max_length=12,
        blank=True,
        default=Outcome.OPEN,
        choices=[(o.value, o.value or "open") for o in Outcome],
    )
    result = models.JSONField(
        default=dict, blank=True, help_text="exit code, message, evidence, variables handed on"
    )
    tail = models.TextField(blank=True, help_text="the last lines of the output")
    output = models.CharField(max_length=200, blank=True, help_text="file name below var/outputs")
    by = models.CharField(max_length=200)
    reason = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = [
            models.UniqueConstraint(fields=["deployment", "action", "number"], name="attempt_number_once"),
            models.UniqueConstraint(
                fields=["deployment", "action"], condition=Q(outcome=""), name="one_open_attempt_an_action"
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.SKIPPED) | ~Q(reason=""), name="a_skip_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deployment} {self.action} try {self.number}"

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is open."""
        return (self.closed_at - self.opened_at).total_seconds() if self.closed_at else None


class Approval(models.Model):
    """A sign-off by a role for exactly one plan; nobody approves their own request."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="approvals")
    role = models.CharField(max_length=60)
    plan_hash = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("at",)
        constraints = [
            models.CheckConstraint(condition=~Q(by=F("requested_by")), name="nobody_approves_their_own"),
            models.UniqueConstraint(
                fields=["deployment", "role"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_approval_a_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} for {self.deployment}"
