"""`clear_cache`: forget what the shop's pages remember."""

from typing import Any

from django.core.cache import cache
from django.core.management.base import BaseCommand

from orders import catalogue


class Command(BaseCommand):
    help = "Forget the cached pages of this version."
    requires_system_checks = []

    def handle(self, **options: Any) -> None:
        # by key: clear() of a Redis cache empties the whole database
        cache.delete_many(catalogue.CACHE_KEYS)
        self.stdout.write("cache cleared")
