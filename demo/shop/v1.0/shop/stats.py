"""How the shop is doing: one line a request in a log that all workers append to, and its last seconds in figures."""

import math
import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

NOT_COUNTED = ("/health/", "/stats")
TAIL = 256 * 1024  # bytes read at most: some 5000 requests


class Line(NamedTuple):
    at: float
    status: int
    milliseconds: float


class RequestLogMiddleware:
    """Appends `epoch status milliseconds method path`: one write a line, so workers do not mix."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        begun = time.perf_counter()
        response = self.get_response(request)
        if not request.path.startswith(NOT_COUNTED):
            took = (time.perf_counter() - begun) * 1000
            line = (
                f"{time.time():.3f} {response.status_code} {took:.1f} {request.method} {request.path[:200]}\n"
            )
            os.write(_log(), line.encode())
        return response


@cache
def _log() -> int:
    return os.open(settings.REQUEST_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def show(request: HttpRequest) -> JsonResponse:
    """error_rate in percent and p95_ms of the last STATS_WINDOW seconds; null where nobody asked for anything."""
    since = max(time.time() - settings.STATS_WINDOW, settings.STARTED_AT)  # not what an older version did
    lines = list(recent(since))
    return JsonResponse(
        {
            "requests": len(lines),
            "error_rate": error_rate(lines),
            "p95_ms": p95([line.milliseconds for line in lines]),
            "window_seconds": settings.STATS_WINDOW,
            "version": settings.VERSION,
        }
    )


def recent(since: float) -> Iterator[Line]:
    """The lines written after `since` (epoch seconds), from the last TAIL bytes of the log."""
    if not settings.REQUEST_LOG.exists():
        return
    with settings.REQUEST_LOG.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - TAIL))
        text = file.read().decode(errors="replace")
    whole = text if size <= TAIL else text.partition("\n")[2]
    for row in whole.splitlines():
        at, status, milliseconds, *_ = row.split(" ")
        if float(at) >= since:
            yield Line(float(at), int(status), float(milliseconds))


def error_rate(lines: list[Line]) -> float | None:
    """Percent of answers that were 5xx."""
    if not lines:
        return None
    return round(100 * sum(line.status >= 500 for line in lines) / len(lines), 2)


def p95(values: list[float]) -> float | None:
    """The nearest-rank 95th percentile."""
    if not values:
        return None
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]
