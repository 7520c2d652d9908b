"""Holds: what stops deployments where, put and lifted through dialogs."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import DATETIME_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from checks.admin import Page, place
from checks.models import Environment
from releases.admin import badges
from releases.admin.acting import ReasonForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.lifecycle import holds
from releases.lifecycle.holds import EVERYWHERE, one_line, period
from releases.models import Hold
from releases.models.holds import HoldState

SHOWN = 90
STYLES = {
    HoldState.AHEAD: "queued",
    HoldState.STANDING: "held",
    HoldState.OVER: "",
    HoldState.LIFTED: "resolved",
}


class MomentField(forms.DateTimeField):
    """A time that the browser's own picker gives, on Gantry's clock."""

    def __init__(self, label: str, empty: str) -> None:
        widget = forms.DateTimeInput(
            {"type": "datetime-local", "class": " ".join(DATETIME_CLASSES)}, format="%Y-%m-%dT%H:%M"
        )
        help_text = f"{empty} Time zone: {settings.TIME_ZONE}."
        super().__init__(label=label, help_text=help_text, required=False, widget=widget)


class HoldHereForm(BaseDialogForm):
    """Why and how long; where is known."""

    reason = forms.CharField(
        max_length=4000,
        widget=UnfoldAdminTextareaWidget({"rows": 2}),
        help_text="What is waited for. Whoever wants to deploy reads it.",
    )
    starts_at = MomentField("From", "Empty: now.")
    ends_at = MomentField("Until", "Empty: until somebody lifts it.")


def _places() -> Iterable[tuple[str, str]]:
    rows = Environment.objects.select_related("service")
    return [("", "Choose…"), (EVERYWHERE, "Every environment"), *((str(row.pk), str(row)) for row in rows)]


class HoldForm(HoldHereForm):
    """Where, why and how long."""

    environment = forms.ChoiceField(choices=_places, widget=UnfoldAdminSelectWidget())
    field_order = ("environment", "reason", "starts_at", "ends_at")


class LiftForm(ReasonForm):
    """Why it may go on."""

    reason = forms.CharField(
        max_length=4000,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
        help_text="What changed. It stays with the hold and in the audit trail.",
    )


class StateFilter(SimpleListFilter):
    """Holds by what the clock says of them."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The four states."""
        return [(state.value, state.value) for state in HoldState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those in the state that was picked."""
        now = timezone.now()
        asked = {
            HoldState.AHEAD.value: lambda: queryset.ahead(now),  # type: ignore[attr-defined]
            HoldState.STANDING.value: lambda: queryset.standing(now),  # type: ignore[attr-defined]
            HoldState.OVER.value: lambda: queryset.past(now),  # type: ignore[attr-defined]
            HoldState.LIFTED.value: lambda: queryset.filter(lifted_at__isnull=False),
        }.get(self.value() or "")
        return asked() if asked else queryset


class HoldAdmin(Page):
    """What stops deployments; a way back is never stopped."""

    environment_path = "environment"
    list_display = ("why", "where", "shown", "begins", "until", "by")
    list_filter = (StateFilter, "environment")
    list_select_related = ("environment__service", "by", "lifted_by")
    search_fields = (
        "reason",
        "lift_reason",
        "by__username",
        "environment__name",
        "environment__service__name",
    )
    actions_list = ("put",)
    actions_detail = ("lift",)
    readonly_fields = ("where", "badge", "begins", "until")
    fields = (("where", "badge"), "reason", ("by", "begins", "until"))
    lift_fields = (("lifted_by", "lifted_at"), "lift_reason")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who lifted it and why stands on the page of one that was lifted."""
        return (*self.fields, *self.lift_fields) if obj and obj.lifted_at else self.fields

    @display(description="reason", ordering="reason")
    def why(self, hold: Hold) -> str:
        """The reason in one line."""
        said = one_line(hold.reason)
        return said if len(said) <= SHOWN else f"{said[:SHOWN]}…"

    @display(description="environment", ordering="environment")
    def where(self, hold: Hold) -> str:
        """Where, by which clock."""
        return place(hold.environment)

    @display(description="state", label=badges.HOLDS)
    def shown(self, hold: Hold) -> str:
        """Whether it stands, as a badge."""
        return hold.state(timezone.now()).value

    @display(description="state")
    def badge(self, hold: Hold) -> str:
        """Whether it stands, as its own page shows it."""
        state = hold.state(timezone.now())
        return format_html('<span class="g-badge" data-state="{}">{}</span>', STYLES[state], state.value)

    @display(description="from", ordering="starts_at")
    def begins(self, hold: Hold) -> str:
        """When it begins or began."""
        return _day(hold.starts_at)

    @display(description="until", ordering="ends_at")
    def until(self, hold: Hold) -> str:
        """When it ends, or was ended."""
        if hold.lifted_at:
            return f"lifted\N{NO-BREAK SPACE}{_day(hold.lifted_at)}"
        return _day(hold.ends_at) if hold.ends_at else "it is lifted"

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """What holds nothing any more offers nothing."""
        hold = self.get_object(request, str(object_id))
        may_end = hold is not None and hold.state(timezone.now()) in (HoldState.STANDING, HoldState.AHEAD)
        return super().get_actions_detail(request, object_id) if may_end else []

    @action(
        description="Hold deployments",
        icon="lock_clock",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Hold deployments",
            "No new deployment starts there, and one that is under way stops at its next safe point. "
            "Ways back are never held.",
            "Hold",
            HoldForm,
        ),
    )
    def put(self, request: HttpRequest, form: Any) -> HttpResponse:
        """Put a hold on one environment or on all."""
        picked = form.cleaned_data["environment"]
        environment = None if picked == EVERYWHERE else Environment.objects.get(pk=picked)
        back = reverse("admin:releases_hold_changelist")
        return carry_out(request, lambda: put_by_form(request, form, environment), back=back)

    @action(
        description="Lift",
        icon="lock_open",
        variant=ActionVariant.SUCCESS,
        dialog=dialog(
            "Lift this hold", "Deployments may go on, unless another hold stands.", "Lift", LiftForm
        ),
    )
    def lift(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """End it before its time."""
        hold, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            holds.lift(hold, reason=form.cleaned_data["reason"], user=user, at=timezone.now())
            return f"lifted: {one_line(hold.reason)} ({place(hold.environment)})"

        return carry_out(request, verb, back=address_of(hold))


def _day(at: datetime) -> str:
    """In one piece: a list's narrow column does not break it."""
    return date_format(timezone.localtime(at), "j M Y, H:i").replace(" ", "\N{NO-BREAK SPACE}")


def put_by_form(request: HttpRequest, form: Any, environment: Environment | None) -> str:
    """Put the hold that a dialog asked for; the sentence that the next page shows."""
    given = {name: form.cleaned_data[name] for name in ("reason", "starts_at", "ends_at")}
    hold = holds.put(environment, user=user_of(request), at=timezone.now(), **given)
    return f"{place(environment)} is held {period(hold)}"


site.register(Hold, HoldAdmin)
