"""Services and environments, with variables, databases, and what runs there."""

import re
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldAdminTextInputWidget

from checks import tasks as checks_tasks
from checks.admin import EditablePage, place
from checks.models import Database, Environment, Host, Service, Variable
from checks.secrets import MASK, Unmaskable, names_of, refuse_unmaskable
from releases import doorbell, tasks
from releases.admin.acting import address_of, carry_out, dialog, user_of
from releases.admin.holds import HoldHereForm, put_by_form
from releases.admin.site import site
from releases.lifecycle import holds
from releases.models import Deployment
from releases.permissions import demand

PASSWORD = re.compile(r"(://[^:/@]*:)[^@]*@")


class VariableForm(forms.ModelForm):
    """A variable whose value is only ever written; an empty value keeps the stored one."""

    value = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "placeholder": "unchanged"}),
        help_text="A secret is never shown again.",
    )

    class Meta:
        model = Variable
        fields = ("name", "is_secret", "value")

    def __init__(self, *args: Any, place: Environment | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.place = place

    def clean(self) -> dict[str, Any]:
        """A new variable, or one that becomes or ceases to be a secret, needs its value said."""
        given = super().clean() or self.cleaned_data
        is_turned = not self.instance.pk or "is_secret" in self.changed_data
        if is_turned and not given.get("value"):
            self.add_error("value", "say the value: it cannot be carried over from the stored one")
        if given.get("is_secret") and given.get("value"):
            self._check_maskable(given["value"])
        return given

    def _check_maskable(self, plain: str) -> None:
        try:
            refuse_unmaskable(plain, names=self._names())
        except Unmaskable as error:
            self.add_error("value", str(error))

    def _names(self) -> tuple[str, ...]:
        """Asked for late: a new environment gets its name after its variables' forms are made."""
        if self.place is None:
            return ()
        service = self.place.service.name if hasattr(self.place, "service") else ""
        return names_of(service, self.place.name)

    def save(self, commit: bool = True) -> Variable:
        """Store the value where one was given."""
        if self.cleaned_data["value"]:
            self.instance.value = self.cleaned_data["value"]
        return super().save(commit)


class VariableFormSet(PaginationInlineFormSet):
    """The variables of one environment, whose names are no secrets."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Every form knows the environment."""
        return {**super().get_form_kwargs(index), "place": self.instance}


class VariableInline(TabularInline):
    """What is exported to every command."""

    model = Variable
    form = VariableForm
    formset = VariableFormSet
    fields = ("name", "is_secret", "stored_value", "value")
    readonly_fields = ("stored_value",)
    extra = 0
    tab = True

    @display(description="now")
    def stored_value(self, variable: Variable) -> str:
        """The value as a page may show it."""
        return variable.shown if variable.pk else ""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff."""
        return bool(self.admin_site.has_permission(request))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Administrators."""
        return bool(self.admin_site.may_administer(request))

    has_change_permission = has_delete_permission = has_add_permission

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look gets no field named after the model's plain value: Django would show it."""
        shown = ("name", "is_secret", "stored_value")
        return (*shown, "value") if self.has_change_permission(request, obj) else shown


class DatabaseInline(TabularInline):
    """What a backup copies and SQL checks ask; its address may hold a password, which only administrators see."""

    model = Database
    readonly_fields = ("address",)
    extra = 0
    tab = True
    has_view_permission = VariableInline.has_view_permission
    has_add_permission = has_change_permission = has_delete_permission = VariableInline.has_add_permission

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The address itself for those who may change it."""
        return ("name", "url") if self.has_change_permission(request, obj) else ("name", "address")

    @display(description="address")
    def address(self, database: Database) -> str:
        """The address without its password."""
        return PASSWORD.sub(rf"\1{MASK}@", database.url)


class HostInline(TabularInline):
    """The machines that blocks run on by ssh."""

    model = Host
    fields = ("name", "address", "port", "identity_file")
    extra = 0
    tab = True
    has_view_permission = VariableInline.has_view_permission
    has_add_permission = has_change_permission = has_delete_permission = VariableInline.has_add_permission


class ServiceAdmin(EditablePage):
    """What is run."""

    list_display = ("name", "title", "repository", "created_at")
    search_fields = ("name", "title")
    readonly_fields = ("created_at",)
    fields = (("name", "title"), "repository", "migrations", "health", "commands", "created_at")


class EnvironmentAdmin(EditablePage):
    """Where it runs. Whether it is fenced is observed, not entered."""

    environment_path = ""
    list_display = ("where", "base_url", "order", "after", "window", "is_protected", "is_demo", "fence")
    list_filter = ("service", "is_protected", "is_fenced")
    list_select_related = ("service", "after__service")
    search_fields = ("name", "service__name", "base_url")
    readonly_fields = ("maintenance",)
    actions_detail = ("run_checks", "back_up", "hold")
    inlines = (VariableInline, DatabaseInline, HostInline)
    change_form_outer_before_template = "gantry/environment.html"
    fields = (
        ("service", "name"),
        "folder",
        "base_url",
        ("order", "after"),
        ("window", "time_scale"),
        ("is_protected", "is_demo", "maintenance"),
    )

    @display(description="environment", ordering="service")
    def where(self, environment: Environment) -> str:
        """Its name, by which clock."""
        return place(environment)

    @display(description="fence", label={"under maintenance": "warning", "open": "success"})
    def fence(self, environment: Environment) -> str:
        """Maintenance as last observed from outside."""
        return "under maintenance" if environment.is_fenced else "open"

    @display(description="seen from outside")
    def maintenance(self, environment: Environment) -> str:
        """The same as a badge of its own page: open to users is the good state."""
        state = "fenced" if environment.is_fenced else "verified"
        words = "under maintenance" if environment.is_fenced else "open to users"
        return format_html('<span class="g-badge" data-state="{}">{}</span>', state, words)

    @action(
        description="Run checks",
        icon="stethoscope",
        dialog=dialog("Run checks", "A worker asks every probe of this environment now.", "Run"),
    )
    def run_checks(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ring for a worker to ask every probe."""
        environment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            demand(user, "operate", environment)
            doorbell.ring(checks_tasks.run.name, environment.pk)
            return f"A worker asks the probes of {environment}; their answers appear under Answers"

        return carry_out(request, verb, back=address_of(environment))

    @action(
        description="Back up",
        icon="database",
        dialog=dialog("Back up", "A worker copies every database and reads the copy back.", "Back up"),
    )
    def back_up(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ring for a worker to copy the databases."""
        environment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            demand(user, "operate", environment)
            doorbell.ring(tasks.backup.name, environment.pk, user.username)
            return f"A worker copies the databases of {environment}; the copies appear under Backups"

        return carry_out(request, verb, back=address_of(environment))

    @action(
        description="Hold deployments",
        icon="lock_clock",
        dialog=dialog(
            "Hold deployments here",
            "No new deployment starts here, and one that is under way stops at its next safe point. "
            "Ways back are never held.",
            "Hold",
            HoldHereForm,
        ),
    )
    def hold(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Put a hold on this environment."""
        environment = self.found(request, object_id)
        return carry_out(
            request, lambda: put_by_form(request, form, environment), back=address_of(environment)
        )

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Names of environments hold the name of their service."""
        if db_field.name == "after":
            kwargs["queryset"] = Environment.objects.select_related("service")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """An address without a scheme is taken for https."""
        if db_field.name == "base_url":
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one environment also shows what holds it and its newest deployments."""
        environment = kwargs.get("obj")
        if environment:
            runs = Deployment.objects.filter(environment=environment).order_by("-number").defer("plan")
            context["holds"] = holds.standing(environment, timezone.now())
            context["runs"] = runs.select_related("release__service", "requested_by")[:5]
        return super().render_change_form(request, context, *args, **kwargs)


site.register(Service, ServiceAdmin)
site.register(Environment, EnvironmentAdmin)
