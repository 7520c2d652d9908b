"""The Celery application of the shop."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import worker_ready
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
TRANSPORT_ALIASES["filesystem"] = "shop.broker:Transport"

app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["orders"])


@worker_ready.connect
def note_that_the_worker_listens(**kwargs: Any) -> None:
    """`bin/shop start` waits for this file."""
    Path(settings.RUN_DIR, "worker.ready").touch()
