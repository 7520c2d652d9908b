"""What a load balancer and a release ask: does it live, is it ready, which version, since when."""

import os

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse

from shop import maintenance, processes


def live(request: HttpRequest) -> JsonResponse:
    """Always 200: the process answers."""
    return JsonResponse({"status": "alive"})


def ready(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503; open in maintenance too."""
    database = _database_answers()
    answer = {
        "status": "ready" if database else "unavailable",
        "version": settings.VERSION,
        "started_at": settings.STARTED_AT,
        "pid": os.getpid(),
        "database": "ok" if database else "away",
        "worker": "ok" if processes.running(settings.RUN_DIR / "worker.json") else "away",
        "maintenance": maintenance.is_on(),
    }
    return JsonResponse(answer, status=200 if database else 503)


def _database_answers() -> bool:
    # a table of ours, not SELECT 1: SQLite makes a new empty file where the database was taken away
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM orders_product LIMIT 1")
    except DatabaseError:
        return False
    return True
