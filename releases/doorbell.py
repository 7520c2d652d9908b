"""Telling a worker that something waits in the database; losing the ring delays, never loses."""

import logging
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import transaction

logger = logging.getLogger(__name__)


def ring(task: str, *arguments: Any) -> None:
    """Ring for the task of that name after the commit; a broker that is away is logged, for beat finds what waits."""
    transaction.on_commit(lambda: _ring(task, arguments))


def _ring(task: str, arguments: tuple[Any, ...]) -> None:
    # Loaded here: Celery costs a command line that rings for nobody 80 ms, and config stands above us.
    celery, kombu = import_module(settings.CELERY_APP), import_module("kombu.exceptions")
    try:
        celery.app.send_task(task, arguments, retry=False)
    except (kombu.OperationalError, OSError) as error:
        logger.warning("the broker did not take %s: %s; beat will find what waits", task, error)
