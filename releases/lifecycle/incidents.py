"""What people decide about incidents."""

from datetime import datetime

from django.contrib.auth.models import User

from releases.errors import WrongUsage
from releases.models import Incident
from releases.permissions import demand
from releases.recorder import Move, record
from releases.statuses import IncidentStatus


def resolve(incident: Incident, *, user: User, decision: str, at: datetime) -> None:
    """Close an incident with what was decided; raises WrongUsage without one and StaleState when it is closed."""
    demand(user, "resolve", incident.environment)
    if not decision.strip():
        raise WrongUsage(f"'{incident}' needs a decision: say what was done and why that settles it")
    fields = {"decision": decision.strip(), "resolved_at": at}
    record(Move(incident, IncidentStatus.RESOLVED, fields), by=user.username, at=at, why=decision.strip())
