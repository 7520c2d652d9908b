"""Asking probes when they are due, each once, and keeping what they answered."""

import json
import shlex
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from checks.models import Environment, Metric, MetricSnapshot, Probe, ProbeResult, Service, Variable
from checks.sampling import sample, take_due
from checks.secrets import MASK
from tests.threads import in_threads

NOW = timezone.now()
SECRET = 'a "pass" wörd/1'


@pytest.fixture
def environment(db: None, web: str) -> Environment:
    service = Service.objects.create(name="shop", title="Shop", repository="/nowhere")
    return Environment.objects.create(service=service, name="staging", folder="/", base_url=web)


def make_probe(environment: Environment, **overrides) -> Probe:
    fields = {
        "name": f"probe-{Probe.objects.count()}",
        "kind": "http",
        "target": "/stats",
        "conditions": ["[STATUS] == 200"],
        "every_seconds": 10.0,
    }
    return Probe.objects.create(environment=environment, **fields | overrides)


def test_a_new_probe_is_due_at_once_and_then_after_its_interval(environment):
    probe = make_probe(environment)
    assert take_due(NOW) == [probe]
    assert take_due(NOW + timedelta(seconds=9)) == []
    assert take_due(NOW + timedelta(seconds=10)) == [probe]


def test_the_probes_of_another_environment_are_left_alone(environment):
    other = Environment.objects.create(
        service=environment.service, name="production", folder="/", base_url=environment.base_url
    )
    make_probe(environment)
    probe = make_probe(other)
    assert take_due(NOW, environment=other) == [probe]


def test_an_answer_and_its_readings_are_kept(environment):
    Metric.objects.create(environment=environment, name="error_rate", unit="percent")
    probe = make_probe(environment, readings={"error_rate": {"value": "[BODY].error_rate"}})
    sample([probe], at=NOW)
    result, snapshot = ProbeResult.objects.get(), MetricSnapshot.objects.get()
    assert (result.verdict, result.at, float(snapshot.value)) == ("passed", NOW, 0.05)


def test_a_failed_probe_says_why(environment):
    sample([make_probe(environment, target="/nowhere")], at=NOW)
    result = ProbeResult.objects.get()
    assert result.verdict == "failed"
    assert "404" in result.message


def test_what_is_seen_under_maintenance_is_marked(environment):
    Environment.objects.update(is_fenced=True)
    Metric.objects.create(environment=environment, name="p95", unit="ms")
    make_probe(environment, readings={"p95": {"value": "[BODY].p95_ms"}})
    sample(take_due(NOW), at=NOW)
    assert ProbeResult.objects.get().in_maintenance
    assert MetricSnapshot.objects.get().in_maintenance


def test_a_reading_without_a_metric_is_not_kept(environment):
    sample([make_probe(environment, readings={"p95": {"value": "[BODY].p95_ms"}})], at=NOW)
    assert not MetricSnapshot.objects.exists()


def test_a_reading_too_large_to_store_loses_no_other(environment):
    for name in ("huge", "fine"):
        Metric.objects.create(environment=environment, name=name)
    readings = {"huge": {"value": "[BODY].error_rate"}}
    probes = [
        make_probe(environment, target="/immense", readings=readings),
        make_probe(environment, readings={"fine": {"value": "[BODY].p95_ms"}}),
    ]
    sample(probes, at=NOW)
    assert float(MetricSnapshot.objects.get().value) == 120
    assert ProbeResult.objects.exclude(verdict="passed").get().probe == probes[0]


def test_a_secret_in_an_answer_is_masked(environment):
    secret = Variable(environment=environment, name="PLACE", is_secret=True)
    secret.value = "/no-such-page"
    secret.save()
    sample([make_probe(environment, target="/no-such-page")], at=NOW)
    assert "no-such-page" not in ProbeResult.objects.get().message


@pytest.mark.parametrize(
    "spelling", [SECRET, quote(SECRET, safe=""), json.dumps(SECRET), json.dumps(SECRET, ensure_ascii=False)]
)
def test_no_spelling_of_a_secret_is_kept_or_returned(environment, spelling):
    secret = Variable(environment=environment, name="TOKEN", is_secret=True)
    secret.value = SECRET
    secret.save()
    target = f"printf %s {shlex.quote(spelling)}"
    probe = make_probe(environment, kind="command", target=target, conditions=['[OUTPUT] == "fine"'])
    ((_, answer),) = sample([probe], at=NOW)
    assert MASK in answer.facts["OUTPUT"]
    assert MASK in answer.message
    assert answer.message == ProbeResult.objects.get().message
    assert "pass" not in answer.message + answer.facts["OUTPUT"]


@pytest.mark.django_db(transaction=True)
def test_each_due_probe_goes_to_one_of_many_askers(environment):
    for _ in range(5):
        make_probe(environment)
    taken: list[Probe] = []
    in_threads(6, lambda: taken.extend(take_due(NOW)))
    assert sorted(probe.pk for probe in taken) == sorted(Probe.objects.values_list("pk", flat=True))
