"""Accounts and groups; superusers only, for an account can be more than any role."""

from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from checks.admin import Page
from releases.admin.site import site


class SuperuserPage(Page):
    """A page of superusers."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Superusers."""
        return self.has_change_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return self.has_change_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return self.has_change_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Superusers."""
        return bool(self.admin_site.has_permission(request) and request.user.is_superuser)  # type: ignore[union-attr]


class UserAdmin(SuperuserPage, DjangoUserAdmin):
    """Accounts; one that left is made inactive, never deleted, for evidence names it."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")


class GroupAdmin(SuperuserPage, DjangoGroupAdmin):
    """Groups of accounts."""


site.register(User, UserAdmin)
site.register(Group, GroupAdmin)
