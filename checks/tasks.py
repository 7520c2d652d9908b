"""The doors of Celery: ask what is due."""

from celery import shared_task
from django.utils import timezone

from checks.models import Probe
from checks.sampling import sample, take_due


@shared_task(name="checks.tick", ignore_result=True)
def tick() -> int:
    """Ask every probe that is due, each once however many workers tick; returns how many."""
    at = timezone.now()
    due = take_due(at)
    if due:
        sample(due, at=at)
    return len(due)


@shared_task(name="checks.run", ignore_result=True)
def run(environment_id: int) -> int:
    """Ask every probe of one environment now; returns how many."""
    probes = list(Probe.objects.filter(environment=environment_id).select_related("environment__service"))
    sample(probes, at=timezone.now())
    return len(probes)
