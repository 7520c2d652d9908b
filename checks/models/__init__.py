"""What is known of the world: services and their environments, probes and metrics, the audit trail."""

from checks.models.audit import AuditEntry, AuditHead
from checks.models.environments import Database, Environment, Host, Service, Variable
from checks.models.probes import Metric, MetricSnapshot, Probe, ProbeResult

__all__ = [
    "AuditEntry",
    "AuditHead",
    "Database",
    "Environment",
    "Host",
    "Metric",
    "MetricSnapshot",
    "Probe",
    "ProbeResult",
    "Service",
    "Variable",
]
