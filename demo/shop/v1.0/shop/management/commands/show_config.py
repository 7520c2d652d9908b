"""`show_config`: what a process that starts now would use."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from shop import envfile, features, maintenance

SECRET_WORDS = ("SECRET", "TOKEN", "PASSWORD", "KEY", "URL")


class Command(BaseCommand):
    help = "Show version, maintenance, feature flags and settings; secrets are masked."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, as_json: bool, **options: Any) -> None:
        config = {
            "version": settings.VERSION,
            "maintenance": maintenance.is_on(),
            "features": settings.FEATURES,
            "settings": _settings(),
        }
        self.stdout.write(json.dumps(config) if as_json else json.dumps(config, indent=2))


def _settings() -> dict[str, Any]:
    flags = {features.variable(name) for name in features.KNOWN}
    chosen = {name: getattr(settings, name) for name in ("DEBUG", "RETRY_AFTER", "STATS_WINDOW")}
    chosen |= {
        name: value
        for name, value in envfile.read(settings.ENV_FILE).items()
        if name not in flags | set(chosen)
    }
    return {
        name: "********" if any(word in name for word in SECRET_WORDS) else value
        for name, value in chosen.items()
    }
