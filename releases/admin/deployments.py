"""Deployments with their timeline, attempts, approvals and log."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from checks.admin import Page, place
from checks.tail import MOST, end_of
from releases import doorbell, tasks
from releases.admin import badges
from releases.admin.acting import WayBackForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.admin.timeline import done_percent, stops
from releases.errors import Held
from releases.lifecycle import deployments, logbook
from releases.models import Approval, Attempt, ChecklistItem, Deployment
from releases.models.deployments import output_path
from releases.permissions import demand
from releases.plan.model import TRIGGER, Plan, from_json
from releases.statuses import DeploymentStatus

D = DeploymentStatus
PLAIN = "text/plain; charset=utf-8"
RELATED = ("release__service", "release__revision", "environment__service", "requested_by", "undoes")
# What may be asked of a deployment, by its status; lifecycle decides whether it is done.
OFFERED = {
    "approve": {D.PLANNED},
    "deploy": {D.PLANNED},
    "go_on": {D.WAITING, D.PAUSED},
    "roll_back": {D.WAITING, D.PAUSED, D.WATCHING, D.SUCCEEDED, D.FAILED, D.UNKNOWN},
}
FOR_PEOPLE = ("person", "confirm")
MOVING = {D.QUEUED, D.RUNNING, D.WATCHING}


class DeploymentAdmin(Page):
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
    actions_detail = ("approve", "deploy", "go_on", "roll_back")
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
        offered = super().get_actions_detail(request, object_id)
        return [
            each
            for each in offered
            if deployment and is_offered(deployment, each.method.original_function_name)
        ]

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
        dialog=dialog("Deploy", "A worker starts at once and follows the plan on this page.", "Deploy"),
    )
    def deploy(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Queue it and ring for a worker."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            start(deployment, user)
            return f"{deployment} is queued; a worker takes it from here"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Go on",
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog("Go on", "A worker looks at what is done already and goes on from there.", "Go on"),
    )
    def go_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ring for a worker to take up a run that waits."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            demand(user, "deploy", deployment.environment)
            if not is_offered(deployment, "go_on"):
                raise Held(f"{deployment} is {deployment.status}; only one that waits or is paused goes on")
            doorbell.ring(tasks.deploy.name, deployment.pk, user.username)
            return f"{deployment} goes on as soon as a worker is free"

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
            back = deployments.roll_back(
                deployment,
                user=user,
                reason=given["reason"],
                restore_data=given["restore_data"],
                at=timezone.now(),
            )
            doorbell.ring(tasks.deploy.name, back.pk, user.username)
            return f"{back} takes {deployment} back; a worker takes it from here"

        return carry_out(request, verb, back=address_of(deployment))


def start(deployment: Deployment, user: Any) -> None:
    """Queue exactly the plan that was approved; the worker looks whether it still holds before it begins."""
    deployments.queue(deployment, user=user, at=timezone.now())
    doorbell.ring(tasks.deploy.name, deployment.pk, user.username)


def is_offered(deployment: Deployment, verb: str) -> bool:
    """Does the page of a deployment in this status offer the verb? A way back is not taken back."""
    if verb == "roll_back" and deployment.undoes_id:
        return False
    return deployment.status in OFFERED[verb]


def page(deployment: Deployment) -> dict[str, Any]:
    """What the page of a deployment shows."""
    plan = from_json(deployment.plan)
    found = stops(plan, deployment.attempts.all(), _boxes(deployment))
    over = deployment.ended_at or timezone.now()
    return {
        "plan": plan,
        "stops": found,
        "percent": done_percent(found),
        "seconds": (over - deployment.started_at).total_seconds() if deployment.started_at else None,
        "from_version": plan.version if plan.direction == "back" else plan.previous_version,
        "to_version": plan.target_version,
        "triggers": [limit for limit in plan.limits if limit.role == "rollback_trigger"],
        "pulls": deployment.items.filter(ticked_by=TRIGGER).select_related("by"),
        "ways_back": _ways_back(plan),
        "approvals": deployment.approvals.select_related("by"),
        "incidents": deployment.incidents.all(),
        "backups": deployment.backups.select_related("database"),
        "undone_by": Deployment.objects.filter(undoes=deployment)
        .select_related("environment__service")
        .first(),
        "open_boxes": [box for stop in found for box in stop.open_boxes if box.ticked_by in FOR_PEOPLE],
        "outcome": logbook.outcome(deployment),
        "is_moving": deployment.status in MOVING,
    }


def _boxes(deployment: Deployment) -> list[ChecklistItem]:
    own = ChecklistItem.objects.filter(release=deployment.release_id, deployment__isnull=True)
    rows = own | ChecklistItem.objects.filter(deployment=deployment)
    return list(rows.select_related("by"))


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
    # `result` holds variables that a block handed on, which are not masked.
    exclude = ("result", "process")
    readonly_fields = ("said",)

    @display(description="message")
    def said(self, attempt: Attempt) -> str:
        """How it ended, in one line."""
        return str(attempt.result.get("message", ""))

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
