"""Incidents and what was decided."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from checks.admin import Page, place
from releases.admin import badges
from releases.admin.acting import DecisionForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.lifecycle import incidents
from releases.models import Incident
from releases.statuses import IncidentStatus


class IncidentAdmin(Page):
    """What went wrong where."""

    environment_path = "environment"
    list_display = ("title", "level", "shown", "where", "opened_at", "opened_by", "resolved_at")
    list_filter = ("status", "severity")
    list_select_related = ("environment__service",)
    search_fields = ("title", "cause", "decision", "environment__name", "environment__service__name")
    actions_detail = ("resolve",)
    fields = (
        ("severity", "status"),
        "title",
        "cause",
        "decision",
        ("environment", "deployment"),
        ("opened_by", "opened_at", "resolved_at"),
    )

    @display(description="severity", ordering="severity", label=badges.SEVERITIES)
    def level(self, incident: Incident) -> str:
        """The severity as a badge."""
        return incident.severity

    @display(description="status", ordering="status", label=badges.INCIDENTS)
    def shown(self, incident: Incident) -> str:
        """The status as a badge."""
        return incident.status

    @display(description="environment", ordering="environment")
    def where(self, incident: Incident) -> str:
        """Where, by which clock."""
        return place(incident.environment)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """A resolved one offers nothing."""
        incident = self.get_object(request, str(object_id))
        is_open = incident is not None and incident.status != IncidentStatus.RESOLVED
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(
        description="Resolve",
        icon="task_alt",
        variant=ActionVariant.SUCCESS,
        dialog=dialog(
            "Resolve this incident", "While it is open the environment is held.", "Resolve", DecisionForm
        ),
    )
    def resolve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Close it with what was decided."""
        incident, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            incidents.resolve(incident, user=user, decision=form.cleaned_data["decision"], at=timezone.now())
            return f"resolved: {incident}"

        return carry_out(request, verb, back=address_of(incident))


site.register(Incident, IncidentAdmin)
