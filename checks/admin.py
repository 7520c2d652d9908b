"""Pages of what is known of the world, and the base of every page: staff look, administrators change, all is audited.

The site that registers a page answers who may administer; so nothing here knows of roles.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.utils import unquote
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from checks import audit
from checks.models import AuditEntry, Environment, Metric, MetricSnapshot, Probe, ProbeResult
from checks.verdicts import Verdict

# Fields whose value must not reach the audit trail.
HIDDEN = {"value", "stored", "password", "password1", "password2", "usable_password"}
VERDICTS = {
    Verdict.PASSED.value: "success",
    Verdict.FAILED.value: "danger",
    Verdict.INCONCLUSIVE.value: "warning",
    Verdict.ERROR.value: "danger",
}


class Page(ModelAdmin):
    """A page to look at. `environment_path` leads from a row to its environment, whose clock is shown above it."""

    environment_path = ""
    change_form_outer_before_template: str | None = "gantry/clock.html"
    list_per_page = 50
    compressed_fields = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Staff see every page."""
        return bool(self.admin_site.has_permission(request))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Staff may look."""
        return bool(self.admin_site.has_permission(request))

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: rows come from commands and runs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: the recorder is the only writer."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody: evidence stays."""
        return False

    def found(self, request: HttpRequest, object_id: str) -> Any:
        """The row with that id as an address gives it; raises Http404."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404(f"there is no {self.opts.verbose_name} {object_id}")
        return row

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A row's history is what the audit trail says of it."""
        subject = audit.subject_of(self.found(request, object_id))
        return HttpResponseRedirect(reverse("admin:checks_auditentry_changelist") + f"?q={subject}")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Every page of a row knows the environment whose clock it must show."""
        context["clock"] = environment_of(kwargs.get("obj"), self.environment_path)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what administrators change is audited in the same transaction ------------------------------

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write the audit entries last, after the rows."""
        super().save_related(request, form, formsets, change)
        lines = [*_of_form(form, change=change), *(line for each in formsets for line in _of_formset(each))]
        audit.write(lines, by=request.user.get_username(), at=timezone.now(), why="in the admin")

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        """Delete a row and say so."""
        self.delete_queryset(request, type(obj)._default_manager.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete rows and say which."""
        lines = [
            audit.Line(verb="deleted", subject=audit.subject_of(row), old={"was": str(row)})
            for row in queryset
        ]
        super().delete_queryset(request, queryset)
        audit.write(lines, by=request.user.get_username(), at=timezone.now(), why="in the admin")


class EditablePage(Page):
    """A page that administrators change."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators."""
        return bool(self.admin_site.may_administer(request))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Administrators."""
        return bool(self.admin_site.may_administer(request))


def environment_of(row: Any, path: str) -> Environment | None:
    """The environment at the end of a dotted path; None when there is none on the way."""
    for name in path.split(".") if path else ():
        row = getattr(row, name, None)
    return row if isinstance(row, Environment) else None


def place(environment: Environment | None) -> str:
    """An environment's name, with its clock while that is not the wall's."""
    if environment is None:
        return "every environment"
    return (
        str(environment)
        if environment.time_scale == 1
        else f"{environment} (clock ×{environment.time_scale})"
    )


def _of_form(form: Any, *, change: bool) -> Iterable[audit.Line]:
    shown = [name for name in form.changed_data if name not in HIDDEN]
    if change and not form.changed_data:
        return
    yield audit.Line(
        verb="changed" if change else "added",
        subject=audit.subject_of(form.instance),
        old={name: _plain(form.initial.get(name)) for name in shown} if change else {},
        new={name: _plain(form.cleaned_data.get(name)) for name in shown},
    )


def _of_formset(formset: Any) -> Iterable[audit.Line]:
    for row in formset.new_objects:
        yield audit.Line(verb="added", subject=audit.subject_of(row), new={"is": str(row)})
    for row, fields in formset.changed_objects:
        yield audit.Line(
            verb="changed", subject=audit.subject_of(row), new={"is": str(row), "fields": list(fields)}
        )
    for row in formset.deleted_objects:
        yield audit.Line(verb="deleted", subject=f"{row._meta.model_name}", old={"was": str(row)})


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, QuerySet | list | tuple | set):
        return [_plain(each) for each in value]
    return value


# --- pages ------------------------------------------------------------------------------------------


class ProbeAdmin(EditablePage):
    """What is asked of an environment."""

    environment_path = "environment"
    list_display = ("name", "where", "kind", "target", "every_seconds", "is_preflight", "due_at")
    list_select_related = ("environment__service",)
    list_filter = ("kind", "is_preflight")
    search_fields = ("name", "target", "environment__name", "environment__service__name")
    readonly_fields = ("due_at",)

    @display(description="environment", ordering="environment")
    def where(self, probe: Probe) -> str:
        """Where it is asked."""
        return place(probe.environment)


class ProbeResultAdmin(Page):
    """Answers."""

    environment_path = "probe.environment"
    list_display = ("at", "probe", "where", "shown", "message", "elapsed_ms", "in_maintenance")
    list_select_related = ("probe__environment__service",)
    list_filter = ("verdict", "in_maintenance")
    search_fields = ("probe__name", "message")

    @display(description="environment")
    def where(self, result: ProbeResult) -> str:
        """Where it was asked."""
        return place(result.probe.environment)

    @display(description="verdict", ordering="verdict", label=VERDICTS)
    def shown(self, result: ProbeResult) -> str:
        """The verdict as a badge."""
        return result.verdict


class MetricAdmin(Page):
    """Named readings."""

    environment_path = "environment"
    list_display = ("name", "where", "unit")
    list_select_related = ("environment__service",)
    search_fields = ("name", "environment__name", "environment__service__name")

    @display(description="environment", ordering="environment")
    def where(self, metric: Metric) -> str:
        """Where it is read."""
        return place(metric.environment)


class MetricSnapshotAdmin(Page):
    """Values over time."""

    environment_path = "metric.environment"
    list_display = ("at", "metric", "where", "reading", "in_maintenance")
    list_select_related = ("metric__environment__service",)
    list_filter = ("in_maintenance",)
    search_fields = ("metric__name",)

    @display(description="environment")
    def where(self, snapshot: MetricSnapshot) -> str:
        """Where it was read."""
        return place(snapshot.metric.environment)

    @display(description="value", ordering="value")
    def reading(self, snapshot: MetricSnapshot) -> str:
        """The value with its unit."""
        return f"{snapshot.value.normalize():f} {snapshot.metric.unit}".strip()


class AuditEntryAdmin(Page):
    """Who did what; append-only."""

    list_display = ("seq", "at", "actor", "verb", "subject", "reason")
    list_display_links = ("seq", "at")
    list_filter = ("verb",)
    search_fields = ("=subject", "actor", "verb", "reason")
    search_help_text = "a subject such as deployment:12, or words of actor, verb and reason"


PAGES: dict[type[Model], type[Page]] = {
    Probe: ProbeAdmin,
    ProbeResult: ProbeResultAdmin,
    Metric: MetricAdmin,
    MetricSnapshot: MetricSnapshotAdmin,
    AuditEntry: AuditEntryAdmin,
}
