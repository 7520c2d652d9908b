"""Runbooks and their revisions: the text, what was found in it, and its problems."""

from collections import Counter
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from checks.admin import Page
from releases.admin import badges
from releases.admin.acting import DangersForm, address_of, carry_out, dialog, user_of
from releases.admin.site import site
from releases.lifecycle import runbooks
from releases.models import Runbook, RunbookRevision
from releases.runbooks.document import Document
from releases.statuses import RevisionStatus


class RunbookAdmin(Page):
    """The checklist of a service."""

    list_display = ("name", "service")
    list_select_related = ("service",)
    search_fields = ("name", "service__name")


class RunbookRevisionAdmin(Page):
    """Immutable texts; only a published one runs."""

    list_display = ("name", "shown", "imported_by", "imported_at", "published_by", "published_at")
    list_filter = ("status",)
    list_select_related = ("runbook__service", "published_by")
    search_fields = ("runbook__name", "runbook__service__name", "sha256")
    actions_detail = ("publish",)
    fields = ("sha256",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunbookRevision]:
        """Without the texts; a page loads its own."""
        return super().get_queryset(request).select_related("runbook__service", "published_by").defer("text")

    @display(description="revision")
    def name(self, revision: RunbookRevision) -> str:
        """The runbook and the number."""
        return str(revision)

    @display(description="status", ordering="status", label=badges.REVISIONS)
    def shown(self, revision: RunbookRevision) -> str:
        """The status as a badge."""
        return revision.status

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page of one revision."""
        if kwargs.get("obj"):
            context |= page(kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """A published text is not published again."""
        revision = self.get_object(request, str(object_id))
        is_draft = revision is not None and revision.status == RevisionStatus.DRAFT
        return super().get_actions_detail(request, object_id) if is_draft else []

    @action(
        description="Publish",
        icon="publish",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Publish", "New releases run this text from now on; it never changes.", "Publish", DangersForm
        ),
    )
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make it runnable."""
        revision, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            reason = form.cleaned_data["accept_dangers"].strip()
            runbooks.publish(revision, user=user, at=timezone.now(), accept_dangers=reason)
            return f"{revision} is published"

        return carry_out(request, verb, back=address_of(revision))


def page(revision: RunbookRevision) -> dict[str, Any]:
    """What the page of a revision shows."""
    document = revision.document
    marked = {problem.line: problem.level for problem in reversed(document.problems)}
    return {
        "document": document,
        "lines": [
            (number, text, marked.get(number, "")) for number, text in enumerate(revision.text.split("\n"), 1)
        ],
        "counts": counts(document),
        "parts": _parts(document),
        "releases": revision.releases.select_related("service"),
    }


def counts(document: Document) -> list[tuple[str, int]]:
    """What was found, in numbers."""
    runs = [block for block in document.blocks if block.kind in ("shell", "sql", "http")]
    return [
        ("steps", len(document.steps_of("deployment_steps"))),
        ("boxes", len(document.items)),
        ("commands", len(runs)),
        ("thresholds", len(document.thresholds)),
        ("ways back", len(document.rollback_methods)),
        ("problems", len(document.problems)),
    ]


def _parts(document: Document) -> list[dict[str, Any]]:
    return [
        {
            "step": step,
            "boxes": sorted(Counter(item.by for item in document.items_of(step.order)).items()),
            "actions": [block.action or block.kind for block in document.blocks_of(step.order)],
        }
        for step in document.steps
        if document.items_of(step.order) or document.blocks_of(step.order)
    ]


site.register(Runbook, RunbookAdmin)
site.register(RunbookRevision, RunbookRevisionAdmin)
