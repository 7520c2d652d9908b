"""Asking an environment's probes when they are due, and keeping what they answered."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q

from checks import secrets
from checks.models import Environment, Metric, MetricSnapshot, Probe, ProbeResult
from checks.observe import ask
from checks.probers.base import Answer, Question
from checks.variables import secrets_of, variables_of
from checks.verdicts import Verdict


def question_of(probe: Probe, variables: Mapping[str, str]) -> Question:
    """The probe as a question with everything its prober needs."""
    return Question(
        kind=probe.kind,
        target=probe.target,
        options=probe.options,
        conditions=tuple(probe.conditions),
        readings={name: str(reading["value"]) for name, reading in probe.readings.items()},
        base_url=probe.environment.base_url,
        folder=probe.environment.folder,
        variables=variables,
    )


def take_due(at: datetime, *, environment: Environment | None = None) -> list[Probe]:
    """Claim the probes that are due: each goes to exactly one caller, however many ask at once."""
    due = Probe.objects.filter(Q(due_at__isnull=True) | Q(due_at__lte=at)).select_related(
        "environment__service"
    )
    if environment is not None:
        due = due.filter(environment=environment)
    return [probe for probe in due if _claim(probe, at)]


def _claim(probe: Probe, at: datetime) -> bool:
    unchanged = Probe.objects.filter(pk=probe.pk, due_at=probe.due_at)
    return bool(unchanged.update(due_at=at + timedelta(seconds=probe.every_seconds)))


def sample(probes: Iterable[Probe], *, at: datetime) -> list[tuple[Probe, Answer]]:
    """Ask the probes all at once, store answers and readings, and return both."""
    probes = list(probes)
    known = {probe.environment_id: variables_of(probe.environment) for probe in probes}
    answers = ask([question_of(probe, known[probe.environment_id]) for probe in probes])
    hidden = {probe.environment_id: secrets_of(probe.environment) for probe in probes}
    pairs = [
        (probe, _masked(answer, hidden[probe.environment_id]))
        for probe, answer in zip(probes, answers, strict=True)
    ]
    ProbeResult.objects.bulk_create([_result(probe, answer, at) for probe, answer in pairs])
    MetricSnapshot.objects.bulk_create([each for pair in pairs for each in _snapshots(*pair, at=at)])
    return pairs


def _masked(answer: Answer, hidden: tuple[str, ...]) -> Answer:
    facts = {name: secrets.mask(text, hidden) for name, text in answer.facts.items()}
    return replace(answer, message=secrets.mask(answer.message, hidden), facts=facts)


def _result(probe: Probe, answer: Answer, at: datetime) -> ProbeResult:
    return ProbeResult(
        probe=probe,
        at=at,
        verdict=answer.verdict,
        message=answer.message,
        elapsed_ms=answer.elapsed_ms,
        in_maintenance=probe.environment.is_fenced,
    )


def _snapshots(probe: Probe, answer: Answer, *, at: datetime) -> list[MetricSnapshot]:
    metrics = {metric.name: metric for metric in Metric.objects.filter(environment=probe.environment)}
    return [
        MetricSnapshot(
            metric=metrics[name], at=at, value=round(value, 6), in_maintenance=probe.environment.is_fenced
        )
        for name, value in answer.readings.items()
        if name in metrics
    ]


def ask_by_name(environment: Environment, name: str, *, at: datetime) -> tuple[Verdict, str]:
    """Ask one probe of an environment now: its verdict and message; a probe that does not exist is an error."""
    probe = environment.probes.filter(name=name).first()
    if probe is None:
        return Verdict.ERROR, f"{environment} has no probe '{name}'"
    ((_, answer),) = sample([probe], at=at)
    return answer.verdict, answer.message
