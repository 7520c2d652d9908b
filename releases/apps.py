"""The app that changes the world; it asks `checks` before and after."""

from django.apps import AppConfig


class ReleasesConfig(AppConfig):
    """Runbooks, releases, deployments, incidents."""

    name = "releases"
    verbose_name = "Releases"

    def ready(self) -> None:
        """Register the system checks."""
        from releases import system_checks  # noqa: F401
