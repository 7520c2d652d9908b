"""Who may do what where, and the tokens of pipelines."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.decorators import display

from checks.admin import EditablePage, place
from releases.admin.site import site
from releases.models import AccessToken, Grant


class GrantAdmin(EditablePage):
    """Roles of people; given and taken by administrators."""

    environment_path = "environment"
    list_display = ("user", "role", "where")
    list_filter = ("role",)
    list_select_related = ("user", "environment__service")
    search_fields = ("user__username", "role")

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A role can be taken away again."""
        return self.has_change_permission(request, obj)

    @display(description="environment", ordering="environment")
    def where(self, grant: Grant) -> str:
        """Where it holds, by which clock."""
        return place(grant.environment)


class AccessTokenAdmin(EditablePage):
    """Tokens: `create_token` makes them; here one is revoked by giving `revoked at`."""

    list_display = ("label", "user", "created_at", "expires_at", "revoked_at")
    list_select_related = ("user",)
    search_fields = ("label", "user__username")
    readonly_fields = ("user", "label", "created_at")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """A token is shown once, on the terminal that asked for it."""
        return False


site.register(Grant, GrantAdmin)
site.register(AccessToken, AccessTokenAdmin)
