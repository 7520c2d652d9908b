"""Boxes of checklists: ticked with evidence or waived with a reason, never edited."""

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from checks.admin import Page, place
from releases import doorbell, tasks
from releases.admin import badges
from releases.admin.acting import EvidenceForm, ReasonForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.lifecycle import items, promotion
from releases.models import ChecklistItem
from releases.permissions import may
from releases.plan.model import ASK
from releases.statuses import DeploymentStatus, ItemState


class ChecklistItemAdmin(Page):
    """Boxes, with who or what ticked them and what was seen."""

    environment_path = "deployment.environment"
    list_display = ("text", "shown", "release", "where", "ticked_by", "by", "said", "at")
    list_filter = ("state", "ticked_by", "is_required")
    list_select_related = ("release__service", "deployment__environment__service", "by")
    search_fields = ("text", "heading", "key", "release__version")
    actions_row = ("tick", "waive")
    actions_detail = ("tick", "waive")
    exclude = ("is_claimed",)
    readonly_fields = ("offered",)

    @display(description="state", ordering="state", label=badges.ITEMS)
    def shown(self, item: ChecklistItem) -> str:
        """The state as a badge."""
        return item.state

    @display(description="deployment")
    def where(self, item: ChecklistItem) -> str:
        """The run it belongs to, by which clock; once a release where there is none."""
        run = item.deployment
        return f"{place(run.environment)} #{run.number}" if run else "once a release"

    @display(description="evidence")
    def said(self, item: ChecklistItem) -> str:
        """What was seen, in one line."""
        return str(item.evidence.get("said") or item.evidence.get("seen") or "")[:120]

    @display(description="offered as evidence")
    def offered(self, item: ChecklistItem) -> str:
        """What another environment's deployment proves of it; a person ticks all the same."""
        is_open = item.state in (ItemState.OPEN, ItemState.FAILED)
        return (promotion.offered(item, item.release) if is_open else "") or "–"

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """A closed box offers nothing."""
        item = self.get_object(request, str(object_id))
        is_open = item is not None and item.state in (ItemState.OPEN, ItemState.FAILED)
        return super().get_actions_detail(request, object_id) if is_open else []

    @action(
        description="Tick",
        icon="check_box",
        variant=ActionVariant.SUCCESS,
        dialog=dialog("Tick this box", "A box is ticked with what was seen.", "Tick", EvidenceForm),
    )
    def tick(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Close the box with what was seen."""
        item, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            items.tick(item, user=user, evidence=form.cleaned_data["evidence"], at=timezone.now())
            goes_on = _let_go_on(item, user)
            return f"ticked: {item.text}" + ("; a worker goes on with the run" if goes_on else "")

        return carry_out(request, verb, back=_home(item))

    @action(
        description="Waive",
        icon="remove_done",
        dialog=dialog("Waive this box", "It is closed as not applicable.", "Waive", ReasonForm),
    )
    def waive(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Close the box as not applicable."""
        item, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            items.waive(item, user=user, reason=form.cleaned_data["reason"], at=timezone.now())
            return f"waived: {item.text}"

        return carry_out(request, verb, back=_home(item))


def _let_go_on(item: ChecklistItem, user: User) -> bool:
    """Agreeing to a command runs it: a worker is rung for, where the run waits and the user may deploy."""
    deployment = item.deployment
    if deployment is None or not item.key.endswith(ASK) or deployment.status != DeploymentStatus.WAITING:
        return False
    if not may(user, "deploy", deployment.environment):
        return False
    doorbell.ring(tasks.deploy.name, deployment.pk, user.username)
    return True


def _home(item: ChecklistItem) -> str:
    """The page on which the box stands."""
    return address_of(item.deployment or item.release)


site.register(ChecklistItem, ChecklistItemAdmin)
