"""Telling a worker that something waits in the database; losing the ring delays, never loses."""

import logging
from importlib import import_module
from typing import Any

from celery import Task
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: Task, *arguments: Any) -> None:
    """Ring after the commit; a broker that is away is logged, for beat finds what waits anyway."""
    transaction.on_commit(lambda: _ring(task, arguments))


def _ring(task: Task, arguments: tuple[Any, ...]) -> None:
    # By name: without its app a shared task would ring at Celery's default broker, and config stands above us.
    import_module(settings.CELERY_APP)
    try:
        task.apply_async(arguments, retry=False)
    except (OperationalError, OSError) as error:
        logger.warning("the broker did not take %s: %s; beat will find what waits", task.name, error)
