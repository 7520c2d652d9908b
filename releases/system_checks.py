"""System checks of the settings: what would bite in production is said at start-up."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register()
def cache_and_broker_apart(app_configs: Any, **options: Any) -> list[CheckMessage]:
    """Clearing or filling the cache must never touch the broker's messages."""
    if not settings.REDIS_URL or not settings.CELERY_BROKER_URL.startswith(("redis://", "rediss://")):
        return []
    if _place(settings.REDIS_URL) != _place(settings.CELERY_BROKER_URL):
        return []
    message = "REDIS_URL and CELERY_BROKER_URL name the same Redis database"
    return [Error(message, hint="give the broker another number: redis://host:6379/1", id="gantry.E001")]


def _place(url: str) -> tuple[str | None, int, str]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 6379, parts.path.strip("/") or "0"
