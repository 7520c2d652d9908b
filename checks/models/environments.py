"""A service and the places where it runs."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from checks import secrets


class Service(models.Model):
    """What is run: its repository, how its health is read, and the commands it declares."""

    name = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    repository = models.CharField(max_length=500, help_text="git repository that releases are cut from")
    migrations = models.JSONField(
        default=list, blank=True, help_text="path globs: a change there is a schema change"
    )
    health = models.JSONField(
        default=dict, blank=True, help_text="paths: live, ready, public; keys: version, started"
    )
    commands = models.JSONField(
        default=dict, blank=True, help_text="the documented operations in this service's words"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """One place where a service runs."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="environments")
    name = models.SlugField()
    folder = models.CharField(max_length=500, help_text="git working tree that runs; commands start here")
    base_url = models.URLField(max_length=300)
    order = models.PositiveSmallIntegerField(default=1, help_text="place in the promotion order")
    is_protected = models.BooleanField(default=False)
    is_demo = models.BooleanField(default=False)
    time_scale = models.PositiveIntegerField(
        default=1, help_text="divides offsets, windows and sustained-for"
    )
    is_fenced = models.BooleanField(
        default=False, help_text="under maintenance, as last observed from outside"
    )

    class Meta:
        ordering = ("service", "order", "name")
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="environment_once_a_service"),
            models.CheckConstraint(condition=Q(time_scale__gte=1), name="environment_time_scale_from_1"),
            models.CheckConstraint(
                condition=Q(time_scale=1) | Q(is_protected=False) | Q(is_demo=True),
                name="environment_protected_runs_in_real_time",
                violation_error_message="time_scale is refused on a protected environment that is not a demo",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name}/{self.name}"

    def url(self, path: str) -> str:
        """The absolute URL of `path` in this environment."""
        return self.base_url.rstrip("/") + "/" + path.lstrip("/")


class Variable(models.Model):
    """One variable exported to an environment's commands; a secret is encrypted at rest and masked everywhere."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="variables")
    name = models.CharField(max_length=100)
    stored = models.TextField(blank=True, editable=False)
    is_secret = models.BooleanField(default=False)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="variable_once_an_environment")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def value(self) -> str:
        """The plain value."""
        return secrets.decrypt(self.stored) if self.is_secret else self.stored

    @value.setter
    def value(self, plain: str) -> None:
        self.stored = secrets.encrypt(plain) if self.is_secret else plain

    @property
    def shown(self) -> str:
        """The value as a page or a log may show it."""
        return secrets.MASK if self.is_secret else self.stored


class Database(models.Model):
    """A database of an environment: what a backup copies and SQL checks ask."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="databases")
    name = models.SlugField(default="default")
    url = models.CharField(
        max_length=500, help_text="sqlite:////path or postgres://…; $VARIABLES are filled in"
    )

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="database_once_an_environment")
        ]

    def __str__(self) -> str:
        return f"{self.environment}:{self.name}"


class Host(models.Model):
    """A machine that blocks run on by ssh: `name` is what a runbook writes, `address` where it is."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="hosts")
    name = models.CharField(
        max_length=200,
        validators=[RegexValidator(r"^\S+$", "a host's name is one word")],
        help_text="as the runbook writes it: user@your-server",
    )
    address = models.CharField(
        max_length=300,
        # A leading dash would be an option of ssh.
        validators=[
            RegexValidator(r"^[\w.][\w.@:%-]*$", "an address is user@host, or a Host of ssh's own config")
        ],
        help_text="user@host, or a Host of ssh's own configuration",
    )
    port = models.PositiveIntegerField(
        default=22, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    identity_file = models.CharField(
        max_length=500, blank=True, help_text="private key; empty: what ssh's own configuration says"
    )

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="host_once_an_environment")
        ]

    def __str__(self) -> str:
        return self.name
