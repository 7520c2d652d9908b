"""The fence: 503 with Retry-After for everybody but health, stats and whoever knows the smoke token."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.crypto import constant_time_compare

OPEN = ("/health/", "/stats")


def is_on() -> bool:
    """A file in the run folder is the state: all workers see a change at once, no cache can lose it."""
    return settings.MAINTENANCE_FILE.exists()


def switch(*, on: bool) -> None:
    """Raise or lift the fence."""
    if on:
        settings.MAINTENANCE_FILE.touch()
    else:
        settings.MAINTENANCE_FILE.unlink(missing_ok=True)


class MaintenanceMiddleware:
    """Stands before everything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_on() or request.path.startswith(OPEN) or _knows_the_token(request):
            return self.get_response(request)
        page = render_to_string("maintenance.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(settings.RETRY_AFTER)})


def _knows_the_token(request: HttpRequest) -> bool:
    token = request.headers.get("X-Smoke-Token", "")
    return bool(settings.SMOKE_TOKEN) and constant_time_compare(token, settings.SMOKE_TOKEN)
