"""`maintenance_mode on|off|status`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop import maintenance


class Command(BaseCommand):
    help = "Raise or lift the maintenance fence, or say whether it is up."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("state", choices=["on", "off", "status"])

    def handle(self, *, state: str, **options: Any) -> None:
        if state != "status":
            maintenance.switch(on=state == "on")
        self.stdout.write(f"maintenance is {'on' if maintenance.is_on() else 'off'}")
