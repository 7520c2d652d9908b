"""A service and the places where it runs."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from checks import secrets, windows


def check_window(text: str) -> None:
    """Raises ValidationError for a window that cannot be read."""
    try:
        windows.parse(text)
    except windows.WindowError as error:
        raise ValidationError(str(error)) from None


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
    after = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="promotes_to",
        help_text="the same commit and runbook must have succeeded there first",
    )
    window = models.CharField(
        max_length=300,
        blank=True,
        validators=[check_window],
        help_text="when deployments may start: Mon-Thu 09:00-17:00 Europe/Berlin; Fri 09:00-12:00 Europe/Berlin",
    )
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
            models.CheckConstraint(
                condition=Q(after__isnull=True) | ~Q(after=F("id")),
                name="environment_not_after_itself",
                violation_error_message="an environment does not come after itself",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.name}/{self.name}"

    def clean(self) -> None:
        """Raises ValidationError for an earlier environment of another service, and for a circle of them."""
        super().clean()
        if self.after and self.after.service_id != self.service_id:
            raise ValidationError({"after": f"{self.after} belongs to another service"})
        chain = [self]
        while earlier := chain[-1].after:
            chain.append(earlier)
            if earlier in chain[:-1]:
                names = " after ".join(each.name for each in chain)
                raise ValidationError({"after": f"that is a circle: {names}"})

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
        place = self.environment
        names = secrets.names_of(place.service.name, place.name)
        self.stored = secrets.encrypt(plain, names=names) if self.is_secret else plain

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
