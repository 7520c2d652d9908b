"""Features as last observed."""

from unfold.decorators import display

from checks.admin import Page, place
from releases.admin.site import site
from releases.models import Feature


class FeatureAdmin(Page):
    """Switches of environments and of Gantry itself; `configure_features` turns them."""

    environment_path = "environment"
    list_display = ("key", "where", "is_on", "changed_by", "changed_at")
    list_filter = ("is_on",)
    list_select_related = ("environment__service",)
    search_fields = ("key", "environment__name", "environment__service__name")

    @display(description="environment", ordering="environment")
    def where(self, feature: Feature) -> str:
        """Where it acts, by which clock."""
        return place(feature.environment) if feature.environment else "Gantry itself"


site.register(Feature, FeatureAdmin)
