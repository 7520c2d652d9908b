"""Clearing Gantry's own cache by its key prefix; the one file that speaks to Redis."""

from pathlib import Path

from django.conf import settings
from django.core.cache import cache


def clear() -> int:
    """Delete Gantry's own keys and return how many; `RedisCache.clear()` would be FLUSHDB and take others' too."""
    if not settings.REDIS_URL:
        entries = len(list(Path(settings.CACHES["default"]["LOCATION"]).glob("*.djcache")))
        cache.clear()
        return entries
    # Loaded on use: the embedded default has no Redis.
    import redis

    client = redis.Redis.from_url(settings.REDIS_URL)
    keys = list(client.scan_iter(match=f"{settings.CACHE_PREFIX}:*", count=1000))
    for start in range(0, len(keys), 1000):
        client.unlink(*keys[start : start + 1000])
    return len(keys)
