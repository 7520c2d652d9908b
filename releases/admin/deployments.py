"""Deployments with their timeline, attempts, approvals and log."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from checks.admin import Page, place
from checks.tail import MOST, end_of
from releases.admin import badges
from releases.admin.acting import DeployForm, WayBackForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.admin.steering import Steering, offered, ring
from releases.admin.timeline import Stop, by_clock, done_percent, stops
from releases.admin.waiting import asked
from releases.lifecycle import deployments, going_back, logbook, starting
from releases.models import Approval, Attempt, ChecklistItem, Deployment
from releases.models.deployments import output_path
from releases.plan.model import TRIGGER, Plan, from_json
from releases.statuses import DeploymentStatus, ItemState

D = DeploymentStatus
PLAIN = "text/plain; charset=utf-8"
RELATED = ("release__service", "release__revision", "environment__service", "requested_by", "undoes")
FOR_PEOPLE = ("person", "confirm")
MOVING = {D.QUEUED, D.RUNNING, D.WATCHING}
MORE: dict[str, Any] = {
    "title": "More",
    "icon": "more_horiz",
    "items": ("count_as_done", "skip", "abort"),
}


class DeploymentAdmin(Steering):
    """Runs of releases into environments."""

    environment_path = "environment"
    change_form_outer_before_template = None  # the page shows the clock itself
    list_display = ("name", "version", "direction", "shown", "rollback", "acts_next", "message", "started_at")
    list_filter = ("status", "rollback_class", "release__service", "environment__name")
    list_select_related = RELATED
    search_fields = (
        "release__version",
        "release__service__name",
        "environment__name",
        "plan_hash",
        "message",
    )
    actions_detail = ("approve", "deploy", "go_on", "retry", "pause", MORE, "roll_back")
    fields = ("message",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deployment]:
        """Without the plans, which are large; a page loads its own."""
        return super().get_queryset(request).select_related(*RELATED).defer("plan")

    # --- the list ----------------------------------------------------------------------------------

    @display(description="deployment", ordering="-planned_at")
    def name(self, deployment: Deployment) -> str:
        """Where, which, and by which clock."""
        return f"{place(deployment.environment)} #{deployment.number}"

    @display(description="version", ordering="release__version")
    def version(self, deployment: Deployment) -> str:
        """The release's version."""
        return deployment.release.version

    @display(description="status", ordering="status", label=badges.DEPLOYMENTS)
    def shown(self, deployment: Deployment) -> tuple[str, str]:
        """The status as a badge."""
        return deployment.status, deployment.status.replace("_", " ")

    @display(description="rollback class", ordering="rollback_class", label=badges.CLASSES)
    def rollback(self, deployment: Deployment) -> str:
        """What going back takes."""
        return deployment.rollback_class

    @display(description="acts next")
    def acts_next(self, deployment: Deployment) -> str:
        """Who is waited for."""
        return deployment.state.acts_next

    # --- the page ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        """The log and the outputs have addresses of their own."""
        own = [
            path("<int:pk>/log/", self.admin_site.admin_view(self.log), name="releases_deployment_log"),
            path(
                "attempt/<int:pk>/output/",
                self.admin_site.admin_view(self.output),
                name="releases_attempt_output",
            ),
        ]
        return own + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one deployment."""
        if kwargs.get("obj"):
            context |= page(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def log(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The deployment log as plain text, as the rows tell it now."""
        deployment = self.found(request, str(pk))
        answer = HttpResponse(logbook.render(deployment), content_type=PLAIN)
        name = logbook.path_of(deployment).name
        if "download" in request.GET:
            answer["Content-Disposition"] = f'attachment; filename="{_plain(name)}"'
        return answer

    def output(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """What an attempt said, as plain text; of a long output the end, with `?download` all of it."""
        attempt = site._registry[Attempt].found(request, str(pk))
        file = output_path(attempt.output) if attempt.output else None
        if not (file and file.is_file()):
            return HttpResponse(attempt.tail, content_type=PLAIN)
        if "download" in request.GET:
            return FileResponse(file.open("rb"), as_attachment=True, filename=file.name, content_type=PLAIN)
        text, size = end_of(file)
        left_out = f"[the last {MOST:,} of {size:,} bytes; all of them: {request.path}?download]\n\n"
        return HttpResponse(text if size <= MOST else left_out + text, content_type=PLAIN)

    # --- what people do ----------------------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """Only what makes sense in this status."""
        deployment = self.get_object(request, str(object_id))
        verbs = offered(deployment) if deployment else set()
        every = super().get_actions_detail(request, object_id)
        return [each for each in every if each.method.original_function_name in verbs]

    def _get_actions_navigation(self, *given: Any) -> list[Any]:
        """A group of one is no group."""
        found = super()._get_actions_navigation(*given)
        return [each["items"][0] if len(each.get("items", ())) == 1 else each for each in found]

    @action(
        description="Approve",
        icon="verified",
        variant=ActionVariant.SUCCESS,
        dialog=dialog("Approve this plan", "You sign exactly the plan on this page, by its hash.", "Approve"),
    )
    def approve(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Sign the plan."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            approval, is_new = deployments.approve(deployment, user=user, at=timezone.now())
            state = "is approved" if is_new else "was approved already"
            return f"{deployment} {state} by {approval.by.username}"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Deploy",
        icon="rocket_launch",
        variant=ActionVariant.PRIMARY,
        dialog=dialog("Deploy", "A worker follows the plan on this page.", "Deploy", DeployForm),
    )
    def deploy(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue it, and ring for a worker when its turn has come."""
        deployment, user = self.found(request, object_id), user_of(request)
        given = form.cleaned_data

        def verb() -> str:
            return start(deployment, user, waits=given["waits"], starts_at=given["at"])

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Roll back",
        icon="undo",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            "Roll back", "Takes this deployment back by its runbook's own method.", "Roll back", WayBackForm
        ),
    )
    def roll_back(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue the way back and ring for a worker."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            given = form.cleaned_data
            back = going_back.roll_back(
                deployment,
                user=user,
                reason=given["reason"],
                restore_data=given["restore_data"],
                at=timezone.now(),
            )
            ring(back, user)
            return f"{back} takes {deployment} back; a worker takes it from here"

        return carry_out(request, verb, back=address_of(deployment))


def start(deployment: Deployment, user: User, *, waits: bool, starts_at: datetime | None) -> str:
    """Queue exactly the plan that was approved, and say what comes next.

    Only one whose turn has come is rung for: a worker takes up the others as soon as they are due.
    """
    now = timezone.now()
    starting.queue(deployment, user=user, at=now, waits=waits, starts_at=starts_at)
    reason = starting.waits_for(deployment, at=now)
    if reason:
        return f"{deployment} stands in the queue: {reason}"
    ring(deployment, user)
    return f"{deployment} is queued; a worker takes it from here"


def page(deployment: Deployment) -> dict[str, Any]:
    """What the page of a deployment shows."""
    plan, boxes, now = from_json(deployment.plan), _boxes(deployment), timezone.now()
    found = _stops(deployment, plan, boxes, now)
    return {
        "plan": plan,
        "stops": found,
        "percent": done_percent(found),
        "late": next((stop.late for stop in reversed(found) if stop.is_timed), ""),
        "seconds": _seconds(deployment, now),
        "from_version": plan.version if plan.direction == "back" else plan.previous_version,
        "to_version": plan.target_version,
        "triggers": [limit for limit in plan.limits if limit.role == "rollback_trigger"],
        "pulls": deployment.items.filter(ticked_by=TRIGGER).select_related("by"),
        "ways_back": _ways_back(plan),
        "approvals": deployment.approvals.select_related("by"),
        "incidents": deployment.incidents.all(),
        "backups": deployment.backups.select_related("database"),
        "undone_by": _undone_by(deployment),
        "open_boxes": _for_people(found),
        "skips": [box for box in boxes if box.asked_by_id and box.state == ItemState.OPEN],
        "outcome": logbook.outcome(deployment),
        "asked": asked(deployment),
        "queued_for": starting.waits_for(deployment, at=now) if deployment.status == D.QUEUED else "",
        "verbs": " ".join(sorted(offered(deployment))),
        "is_moving": deployment.status in MOVING or bool(deployment.wants or deployment.due_at),
    }


def _seconds(deployment: Deployment, now: datetime) -> float | None:
    """How long it has run; standing in line does not count."""
    if deployment.started_at is None or deployment.status == D.QUEUED:
        return None
    return ((deployment.ended_at or now) - deployment.started_at).total_seconds()


def _stops(deployment: Deployment, plan: Plan, boxes: list[ChecklistItem], now: datetime) -> list[Stop]:
    found = stops(plan, deployment.attempts.all(), boxes)
    if deployment.starts_at is None:
        return found
    return by_clock(found, plan, deployment.starts_at, now=None if deployment.state.is_over else now)


def _for_people(found: list[Stop]) -> list[ChecklistItem]:
    return [box for stop in found for box in stop.open_boxes if box.ticked_by in FOR_PEOPLE]


def _undone_by(deployment: Deployment) -> Deployment | None:
    return (
        Deployment.objects.filter(undoes=deployment)
        .select_related("environment__service")
        .defer("plan")
        .first()
    )


def _boxes(deployment: Deployment) -> list[ChecklistItem]:
    own = ChecklistItem.objects.filter(release=deployment.release_id, deployment__isnull=True)
    rows = own | ChecklistItem.objects.filter(deployment=deployment)
    return list(rows.select_related("by", "asked_by"))


def _ways_back(plan: Plan) -> list[dict[str, Any]]:
    return [
        {"method": method, "fits": method.covers == plan.rollback_class}
        for method in plan.methods
        if method.steps
    ]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-._" else "_" for letter in name)


class AttemptAdmin(Page):
    """Executions of actions; written by the engine alone."""

    environment_path = "deployment.environment"
    list_display = ("action", "where", "kind", "number", "shown", "opened_at", "took", "by")
    list_filter = ("outcome", "kind")
    list_select_related = ("deployment__environment__service",)
    search_fields = ("action", "command", "tail")
    fields = ("action",)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one attempt; of its result only the message, for variables handed on are not masked."""
        attempt = kwargs.get("obj")
        if attempt:
            step = from_json(attempt.deployment.plan).step_of(attempt.action)
            context["step"] = step
            context["planned"] = next(each for each in step.actions if each.key == attempt.action)
            context["variables"] = sorted(attempt.variables.items())
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="deployment")
    def where(self, attempt: Attempt) -> str:
        """Which run, by which clock."""
        return f"{place(attempt.deployment.environment)} #{attempt.deployment.number}"

    @display(description="outcome", ordering="outcome", label=badges.OUTCOMES)
    def shown(self, attempt: Attempt) -> tuple[str, str]:
        """The outcome as a badge."""
        outcome = attempt.outcome or "open"
        return outcome, outcome.replace("_", " ")

    @display(description="seconds")
    def took(self, attempt: Attempt) -> str:
        """How long."""
        return "" if attempt.seconds is None else f"{attempt.seconds:.1f}"


class ApprovalAdmin(Page):
    """Sign-offs; given and withdrawn by lifecycle alone."""

    environment_path = "deployment.environment"
    list_display = ("deployment", "where", "role", "by", "at", "signed", "withdrawn_at")
    list_filter = ("role",)
    list_select_related = ("deployment__environment__service", "by")
    search_fields = ("plan_hash", "by__username")

    @display(description="environment")
    def where(self, approval: Approval) -> str:
        """Where, by which clock."""
        return place(approval.deployment.environment)

    @display(description="plan")
    def signed(self, approval: Approval) -> str:
        """The beginning of the hash that was signed."""
        return approval.plan_hash[:12]


site.register(Deployment, DeploymentAdmin)
site.register(Attempt, AttemptAdmin)
site.register(Approval, ApprovalAdmin)
