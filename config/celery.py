"""The Celery app: the doorbell of the engine, whose truth is in the database."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

TRANSPORT_ALIASES["embedded"] = "config.embedded_broker:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("gantry", namespace="CELERY")
app.conf.update(
    accept_content=["json"],
    task_serializer="json",
    result_serializer="json",
    task_ignore_result=True,
    # A doorbell is acknowledged when it is heard (Celery's default): beat finds what a dead worker left, and a worker
    # that has nothing to acknowledge does not care whether its broker is away when a long run ends.
    worker_prefetch_multiplier=1,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    # Due times are fields of our rows. `expires`: ticks that nobody took must not pile up.
    beat_schedule={
        name: {"task": name, "schedule": 1.0, "options": {"expires": 1.0}}
        for name in ("checks.tick", "releases.tick")
    },
)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["checks", "releases"])
