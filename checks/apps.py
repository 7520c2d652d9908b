"""The app that knows the world as it is."""

from django.apps import AppConfig


class ChecksConfig(AppConfig):
    """Environments, probes, metrics and the audit trail; never imports `releases`."""

    name = "checks"
    verbose_name = "Environments and checks"
