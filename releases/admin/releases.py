"""Releases with their boxes and deployments."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget

from checks.admin import Page
from checks.models import Environment
from releases.admin import badges
from releases.admin.acting import address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.lifecycle import deployments
from releases.models import Deployment, Release
from releases.permissions import demand, may
from releases.statuses import ItemState, ReleaseStatus


class EnvironmentForm(BaseDialogForm):
    """Where to."""

    environment = forms.ModelChoiceField(Environment.objects.none(), widget=UnfoldAdminSelectWidget())

    def __init__(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        release = int(object_id) if object_id and object_id.isdigit() else 0
        places = Environment.objects.filter(service__releases=release).select_related("service")
        self.fields["environment"].queryset = places  # type: ignore[attr-defined]


class ReleaseAdmin(Page):
    """Versions of services."""

    list_display = ("name", "shown", "ref", "short_commit", "revision", "requested_by", "requested_at")
    list_filter = ("status", "service")
    list_select_related = ("service", "revision__runbook__service", "requested_by")
    search_fields = ("version", "ref", "commit", "service__name")
    actions_detail = ("plan",)
    fields = ("version",)

    @display(description="release", ordering="version")
    def name(self, release: Release) -> str:
        """Service and version."""
        return str(release)

    @display(description="status", ordering="status", label=badges.RELEASES)
    def shown(self, release: Release) -> str:
        """The status as a badge."""
        return release.status

    @display(description="commit", ordering="commit")
    def short_commit(self, release: Release) -> str:
        """The beginning of the commit id."""
        return release.commit[:10]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one release."""
        if kwargs.get("obj"):
            context |= page(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Only an open release is planned."""
        release = self.get_object(request, str(object_id))
        is_open = release is not None and release.status == ReleaseStatus.OPEN
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(
        description="Plan a deployment",
        icon="route",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Plan a deployment",
            "Shows every step and the way back; nothing runs yet.",
            "Plan",
            EnvironmentForm,
        ),
    )
    def plan(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Plan it for an environment and show the plan."""
        release, user = self.found(request, object_id), user_of(request)
        environment = form.cleaned_data["environment"]
        back = address_of(release)

        def verb() -> str:
            nonlocal back
            if not may(user, "approve", environment):
                demand(user, "deploy", environment)
            planned = deployments.plan(release, environment, user=user, at=timezone.now())
            back = address_of(planned)
            return f"{planned} is planned: read it, then have it approved"

        return carry_out(request, verb, back=lambda: back)


def page(release: Release) -> dict[str, Any]:
    """What the page of a release shows."""
    boxes = list(release.items.filter(deployment__isnull=True).select_related("by"))
    runs = release.deployments.select_related("environment__service", "requested_by").defer("plan")
    return {
        "boxes": boxes,
        "open_boxes": [box for box in boxes if not box.is_settled or box.state == ItemState.FAILED],
        "runs": runs,
        "ladder": _ladder(release, list(runs)),
    }


def _ladder(release: Release, runs: list[Deployment]) -> list[dict[str, Any]]:
    """Each environment in the promotion order with this release's newest deployment there."""
    newest: dict[int, Deployment] = {}
    for run in sorted((each for each in runs if not each.undoes_id), key=lambda each: each.number):
        newest[run.environment_id] = run
    places = release.service.environments.select_related("service").order_by("order", "name")
    return [{"environment": each, "run": newest.get(each.pk)} for each in places]


site.register(Release, ReleaseAdmin)
