"""`configure_features`: feature flags and settings in .env; they count from the next start."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop import envfile, features


class Command(BaseCommand):
    help = "Switch feature flags and set values in .env. Restart the shop to use them."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--enable", action="append", default=[], metavar="F")
        parser.add_argument("--disable", action="append", default=[], metavar="F")
        parser.add_argument("--enable-all", action="store_true")
        parser.add_argument("--disable-all", action="store_true")
        parser.add_argument("--set", action="append", default=[], metavar="K=V", dest="values")

    def handle(self, **options: Any) -> None:
        changes = _flags(options) | dict(_pair(text) for text in options["values"])
        if not changes:
            raise CommandError(
                "nothing to do: say --enable F, --disable F, --enable-all, --disable-all or --set K=V"
            )
        envfile.write(settings.ENV_FILE, changes)
        for name, value in changes.items():
            self.stdout.write(f"{name}={value}")


def _flags(options: dict[str, Any]) -> dict[str, str]:
    on = list(features.KNOWN) if options["enable_all"] else options["enable"]
    off = list(features.KNOWN) if options["disable_all"] else options["disable"]
    for name in on:
        if name not in features.KNOWN:
            raise CommandError(
                f"no feature {name!r} in {settings.VERSION}: it has {', '.join(features.KNOWN)}"
            )
    # a flag of a newer version may be switched off: the way back runs on the older code
    return {features.variable(name): "true" for name in on} | {
        features.variable(name): "false" for name in off
    }


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or "\n" in value:
        raise CommandError(f"{text!r} is not NAME=VALUE")
    return name, value
