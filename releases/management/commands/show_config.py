"""`show_config [--environment SERVICE/ENV]`"""

import platform
from argparse import ArgumentParser
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from maintenance_mode.core import get_maintenance_mode

from checks.models import Environment
from releases.features import own
from releases.lifecycle import operations
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base

SHOWN = ("DEBUG", "TIME_ZONE", "ALLOWED_HOSTS", "BEHIND_TLS", "VAR_DIR")
PACKAGES = ("celery", "django-unfold", "django-maintenance-mode", "psycopg", "redis")


class Command(Base):
    """Print the effective configuration; secrets are masked."""

    help = (
        "Show settings, features, maintenance and versions of Gantry, or of an environment; secrets masked."
    )
    examples = "  manage.py show_config\n  manage.py show_config --environment shop/production --json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Place, format."""
        parser.add_argument("--environment", metavar="SERVICE/ENV", help="without it: Gantry itself")
        parser.add_argument("--json", action="store_true")

    def run(self, *, environment: str | None, json: bool, **options: Any) -> int:
        """Print."""
        found = of_environment(find_environment(environment)) if environment else of_gantry()
        if json:
            self.print_json(found)
            return 0
        for section, values in found.items():
            self.say(f"{section}:")
            for name, value in values.items() if isinstance(values, dict) else [("", values)]:
                self.say(f"  {name:<28} {value}")
        return 0


def of_gantry() -> dict[str, Any]:
    """Gantry's own configuration, secrets masked."""
    database = settings.DATABASES["default"]
    return {
        "settings": {name.lower(): getattr(settings, name) for name in SHOWN}
        | {
            "secret_key": "set",
            "database": f"{database['ENGINE'].rpartition('.')[2]} {database['NAME']}",
            "cache": without_password(settings.REDIS_URL) or "files below var/cache",
            "broker": without_password(settings.CELERY_BROKER_URL),
        },
        "features": own.states(),
        "maintenance": {"is_on": bool(get_maintenance_mode())},
        "versions": {"python": platform.python_version(), "django": django.get_version()}
        | {name: version(name) for name in PACKAGES},
    }


def of_environment(environment: Environment) -> dict[str, Any]:
    """What Gantry knows of an environment, and what the service says of itself."""
    return {
        "environment": {
            "name": str(environment),
            "folder": environment.folder,
            "base_url": environment.base_url,
            "protected": environment.is_protected,
            "time_scale": environment.time_scale,
            "maintenance": "on" if environment.is_fenced else "off",
        },
        "variables": {variable.name: variable.shown for variable in environment.variables.all()},
        "databases": {
            database.name: without_password(database.url) for database in environment.databases.all()
        },
        "service says": {"": operations.show(environment).strip()},
    }


def without_password(url: str) -> str:
    """A URL as it may be shown."""
    password = urlsplit(url).password
    return url.replace(f":{password}@", ":••••••@") if password else url
