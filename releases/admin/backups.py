"""Backups: what was copied, where it lies, and what was read back."""

from django.template.defaultfilters import filesizeformat
from unfold.decorators import display

from checks.admin import Page, place
from releases.admin import badges
from releases.admin.site import site
from releases.models import Backup


class BackupAdmin(Page):
    """Copies of databases; one counts when it was read back whole."""

    environment_path = "database.environment"
    list_display = ("started_at", "where", "database_name", "shown", "bytes", "under_fence", "deployment")
    list_filter = ("status", "under_fence")
    list_select_related = ("database__environment__service", "deployment__environment__service")
    search_fields = ("path", "sha256", "commit")

    @display(description="environment")
    def where(self, backup: Backup) -> str:
        """Where it was made, by which clock."""
        return place(backup.database.environment)

    @display(description="database", ordering="database__name")
    def database_name(self, backup: Backup) -> str:
        """Which database."""
        return backup.database.name

    @display(description="status", ordering="status", label=badges.BACKUPS)
    def shown(self, backup: Backup) -> str:
        """The status as a badge."""
        return backup.status

    @display(description="size", ordering="size")
    def bytes(self, backup: Backup) -> str:
        """The size for a person."""
        return filesizeformat(backup.size)


site.register(Backup, BackupAdmin)
