"""Gantry's admin site: its pages, who may administer, its label."""

from importlib import import_module
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from unfold.sites import UnfoldAdminSite

# Loaded with the addresses, not with the app: a command line that shows no page does not pay for them.
PAGES = (
    "releases.admin.checks",
    "releases.admin.environments",
    "releases.admin.runbooks",
    "releases.admin.releases",
    "releases.admin.items",
    "releases.admin.deployments",
    "releases.admin.incidents",
    "releases.admin.holds",
    "releases.admin.backups",
    "releases.admin.features",
    "releases.admin.permissions",
    "releases.admin.users",
)


class GantrySite(UnfoldAdminSite):
    """The admin site; pages register themselves in the modules of PAGES."""

    index_title = "Overview"
    enable_nav_sidebar = True

    def get_urls(self) -> list[Any]:
        """The addresses of all pages, after loading them."""
        for name in PAGES:
            import_module(name)
        return super().get_urls()

    def may_administer(self, request: HttpRequest) -> bool:
        """May this user change services, environments, probes and grants? Asked of the database once a request."""
        if not hasattr(request, "is_administrator"):
            request.is_administrator = self.has_permission(request) and _is_administrator(request.user)  # type: ignore[attr-defined]
        return bool(request.is_administrator)  # type: ignore[attr-defined]


def _is_administrator(user: Any) -> bool:
    return user.is_superuser or user.grants.filter(role="administrator", environment__isnull=True).exists()


site = GantrySite(name="admin")


def stylesheet(request: HttpRequest) -> str:
    """Our one stylesheet, beside unfold's."""
    return static("releases/gantry.css")


def script(request: HttpRequest) -> str:
    """Our one script: what was unfolded stays so when a page renews itself."""
    return static("releases/gantry.js")


def favicon(request: HttpRequest) -> str:
    """The sign in the browser's tab: a gantry crane."""
    return static("releases/gantry.svg")


def environment_label(request: HttpRequest) -> list[str] | None:
    """The label beside every page's title while Gantry itself is under maintenance."""
    # Loaded here: this module is imported with the addresses, before every setting of the package is needed.
    from maintenance_mode.core import get_maintenance_mode

    return ["Gantry is under maintenance", "warning"] if get_maintenance_mode() else None
