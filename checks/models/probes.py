"""Questions asked of an environment, and what they answered over time."""

from django.db import models

from checks.models.environments import Environment
from checks.probers import PROBERS
from checks.verdicts import Verdict


class Probe(models.Model):
    """A question asked of an environment again and again."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="probes")
    name = models.SlugField()
    kind = models.CharField(max_length=20, choices=[(kind, kind) for kind in PROBERS])
    target = models.CharField(max_length=500, blank=True)
    options = models.JSONField(default=dict, blank=True)
    conditions = models.JSONField(default=list, blank=True, help_text='one line each: "[STATUS] == 200"')
    readings = models.JSONField(default=dict, blank=True, help_text='metric name to {"value": …, "unit": …}')
    every_seconds = models.FloatField(default=10.0)
    is_preflight = models.BooleanField(default=False, help_text="asked before a deployment starts; must pass")
    due_at = models.DateTimeField(null=True, blank=True, db_index=True)

    class Meta:
        ordering = ("environment", "name")
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="probe_once_an_environment")
        ]

    def __str__(self) -> str:
        return f"{self.environment}:{self.name}"


class ProbeResult(models.Model):
    """One answer."""

    probe = models.ForeignKey(Probe, models.CASCADE, related_name="results")
    at = models.DateTimeField()
    verdict = models.CharField(max_length=12, choices=[(verdict.value, verdict.value) for verdict in Verdict])
    message = models.TextField(blank=True)
    elapsed_ms = models.FloatField(default=0)
    in_maintenance = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at",)
        indexes = [models.Index(fields=["probe", "-at"], name="proberesult_newest")]

    def __str__(self) -> str:
        return f"{self.probe} {self.verdict}"


class Metric(models.Model):
    """One named reading of an environment."""

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="metrics")
    name = models.CharField(max_length=100)
    unit = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("environment", "name")
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="metric_once_an_environment")
        ]

    def __str__(self) -> str:
        return f"{self.environment}:{self.name}"


class MetricSnapshot(models.Model):
    """The value of a metric at a time; samples under maintenance are kept but not judged."""

    metric = models.ForeignKey(Metric, models.CASCADE, related_name="snapshots")
    at = models.DateTimeField()
    value = models.DecimalField(max_digits=24, decimal_places=6)
    in_maintenance = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at",)
        indexes = [models.Index(fields=["metric", "-at"], name="metricsnapshot_newest")]

    def __str__(self) -> str:
        return f"{self.metric} = {self.value.normalize():f}"
