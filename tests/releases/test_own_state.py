"""Gantry's own switches, maintenance, cache, doorbell and start-up checks."""

import logging
from datetime import UTC, datetime

import pytest
import redis
from django.core.cache import cache
from kombu.exceptions import OperationalError

import config.celery as celery
from releases import cache as own_cache
from releases import doorbell
from releases.errors import WrongUsage
from releases.features import own
from releases.maintenance import REMEMBERED, RowBackend
from releases.models import Feature, MaintenanceState
from releases.system_checks import cache_and_broker_apart
from tests.servers import Redis

NOW = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_a_switch_is_on_until_it_is_switched_off_and_on_again():
    assert own.is_on("automatic_rollback")
    for on in (False, True):
        own.switch({"automatic_rollback": on}, by="ada", at=NOW)
        assert own.is_on("automatic_rollback") is on
    assert Feature.objects.count() == 1


@pytest.mark.django_db
def test_an_unknown_switch_is_named_and_changes_none():
    with pytest.raises(WrongUsage, match="no feature 'automatic'"):
        own.switch({"automatic": True, "automatic_rollback": False}, by="ada", at=NOW)
    assert own.is_on("automatic_rollback")


@pytest.mark.django_db
def test_maintenance_set_by_another_process_is_seen_within_a_second(monkeypatch):
    backend = RowBackend()
    backend.set_value(False)
    MaintenanceState.objects.update(is_on=True)
    assert backend.get_value() is False
    at, value = RowBackend._seen
    monkeypatch.setattr(RowBackend, "_seen", (at - REMEMBERED - 0.1, value))
    assert backend.get_value() is True


@pytest.mark.django_db
def test_clearing_the_cache_leaves_maintenance_on():
    RowBackend().set_value(True)
    cache.set("one", 1)
    assert own_cache.clear() == 1
    RowBackend._seen = (float("-inf"), False)
    assert RowBackend().get_value() is True
    assert cache.get("one") is None


def test_clearing_the_cache_in_redis_takes_gantrys_own_keys_only(
    settings, redis_server: Redis, redis_url: str
):
    settings.REDIS_URL = redis_url
    with redis.Redis.from_url(redis_url) as client:
        for number in range(1200):
            client.set(f"gantry:1:{number}", "x")
        client.set("celery", "somebody else's")
        assert own_cache.clear() == 1200
        assert client.keys("*") == [b"celery"]


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_delays_and_raises_nothing(caplog, monkeypatch):
    def refused(*args, **kwargs):
        raise OperationalError("refused")

    monkeypatch.setattr(celery.app, "send_task", refused)
    with caplog.at_level(logging.WARNING):
        doorbell.ring("releases.deploy", 7)
    assert "the broker did not take releases.deploy: refused; beat will find what waits" in caplog.text


@pytest.mark.parametrize(
    ("cache_url", "broker", "ids"),
    [
        ("", "embedded://", []),
        ("redis://h/0", "embedded://", []),
        ("redis://h/0", "redis://h/1", []),
        ("redis://h/1", "redis://other/1", []),
        ("redis://h/0", "redis://h:6379/0", ["gantry.E001"]),
        ("redis://:p@h/0", "redis://h", ["gantry.E001"]),
        ("redis://h", "amqp://h", []),
    ],
)
def test_cache_and_broker_never_share_a_redis_database(settings, cache_url, broker, ids):
    settings.REDIS_URL, settings.CELERY_BROKER_URL = cache_url, broker
    assert [problem.id for problem in cache_and_broker_apart(None)] == ids
