"""Runbooks and their revisions: reviewed beside their text, published, drafted anew."""

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from checks.admin import Page
from releases.admin import badges, review, review_dialogs
from releases.admin.acting import address_of, carry_out, dialog, lead_to, told, user_of
from releases.admin.review_dialogs import Asked
from releases.admin.site import site
from releases.errors import WrongUsage
from releases.lifecycle import releases, runbooks
from releases.models import Decision, Runbook, RunbookRevision
from releases.statuses import RevisionStatus

# What a revision offers, by its status; lifecycle decides whether it is done.
OFFERED = {
    "publish": RevisionStatus.DRAFT,
    "new_release": RevisionStatus.PUBLISHED,
    "redraft": RevisionStatus.PUBLISHED,
}


class NewReleaseForm(BaseDialogForm):
    """What the release is called and which commit it is."""

    version = forms.CharField(
        label="Version", max_length=100, help_text="Such as v1.4.", widget=UnfoldAdminTextInputWidget()
    )
    ref = forms.CharField(
        label="Tag or branch",
        required=False,
        help_text="The one that is called like the version, if you leave it empty. It is resolved to a commit once.",
        widget=UnfoldAdminTextInputWidget(),
    )


class RunbookAdmin(Page):
    """The checklist of a service."""

    list_display = ("name", "service")
    list_select_related = ("service",)
    search_fields = ("name", "service__name")


class DecisionAdmin(Page):
    """What reviewers decided; written by lifecycle alone."""

    list_display = ("at", "revision", "kind", "value", "by", "why", "made_in")
    list_filter = ("kind",)
    list_select_related = ("revision__runbook__service", "by")
    search_fields = ("subject", "value", "why", "by__username")


class RunbookRevisionAdmin(Page):
    """Immutable texts with what was decided about them; only a published one runs."""

    list_display = ("name", "shown", "imported_by", "imported_at", "published_by", "published_at")
    list_filter = ("status",)
    list_select_related = ("runbook__service", "published_by")
    search_fields = ("runbook__name", "runbook__service__name", "sha256")
    actions_detail = ("publish", "new_release", "redraft")
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

    # --- the page ----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        """Deciding has addresses of its own: at once, and after a dialog."""
        decide, ask = self.admin_site.admin_view(self.decide), self.admin_site.admin_view(self.ask)
        own = [
            path("<int:pk>/decide/", decide, name="releases_runbookrevision_decide"),
            path("<int:pk>/ask/", ask, name="releases_runbookrevision_ask"),
        ]
        return own + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The review page of one revision."""
        if kwargs.get("obj"):
            context |= review.page(kwargs["obj"], user_of(request), at=request.GET.get("at", ""))
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what people decide ------------------------------------------------------------------------

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Decide at once what a button of the page says: `kind|subject|value`."""
        return require_POST(self._decide)(request, pk)

    def _decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        revision = self.found(request, str(pk))
        kind, _, rest = request.POST.get("decision", "").partition("|")
        subject, _, value = rest.rpartition("|")
        asked = Asked(kind=kind, subject=subject, value=value)
        told(request, lambda: review_dialogs.decide(revision, asked, why="", request=request))
        return _renewed(request, revision)

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask what is decided and why, in a dialog, then decide it."""
        revision = self.found(request, str(pk))
        asked = Asked(**{name: request.GET.get(name, "") for name in ("kind", "subject", "value")})
        try:
            question = review_dialogs.question(revision, asked)
        except WrongUsage as refusal:
            messages.error(request, str(refusal))
            return lead_to(request, address_of(revision))
        form = review_dialogs.form_of(request, revision, question)
        if not form.is_valid():
            context = {"dialog": question, "form": form, "form_submit_text": question.submit}
            return render(request, "unfold/helpers/dialog.html", context)
        given = form.cleaned_data
        decided = Asked(kind=asked.kind, subject=asked.subject, value=given.get("value", asked.value))
        told(request, lambda: review_dialogs.decide(revision, decided, why=given["why"], request=request))
        return _renewed(request, revision)

    # --- what becomes of the whole -----------------------------------------------------------------

    def get_actions_detail(self, request: HttpRequest, object_id: int) -> list[Any]:
        """A draft is published; a published one makes releases and new drafts."""
        revision = self.get_object(request, str(object_id))
        offered = super().get_actions_detail(request, object_id)
        return [
            each
            for each in offered
            if revision and OFFERED[each.method.original_function_name] == revision.status
        ]

    @action(
        description="Publish",
        icon="publish",
        variant=ActionVariant.PRIMARY,
        dialog=dialog("Publish", "New releases run this text from now on; it never changes.", "Publish"),
    )
    def publish(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make it runnable."""
        revision, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            runbooks.publish(revision, user=user, at=timezone.now())
            return f"{revision} is published; next, create a release of it"

        return carry_out(request, verb, back=address_of(revision))

    @action(
        description="Create a release",
        icon="package_2",
        variant=ActionVariant.PRIMARY,
        dialog=dialog("Create a release", "One commit with this text, frozen.", "Create", NewReleaseForm),
    )
    def new_release(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Create a release that runs this text and show it."""
        revision, user = self.found(request, object_id), user_of(request)
        back = address_of(revision)

        def verb() -> str:
            nonlocal back
            given = form.cleaned_data
            release, is_new = releases.create(
                revision.runbook.service,
                given["version"],
                ref=given["ref"] or given["version"],
                revision=revision,
                user=user,
                at=timezone.now(),
            )
            back = address_of(release)
            return f"{release} {'is created' if is_new else 'was there already'}"

        return carry_out(request, verb, back=lambda: back)

    @action(
        description="New draft",
        icon="edit_document",
        dialog=dialog(
            "New draft of this text",
            "All decisions are kept; those that publishing had settled may be decided anew.",
            "Make a draft",
        ),
    )
    def redraft(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Make a draft of the same text and show it."""
        revision, user = self.found(request, object_id), user_of(request)
        back = address_of(revision)

        def verb() -> str:
            nonlocal back
            draft = runbooks.redraft(revision, user=user, at=timezone.now())
            back = address_of(draft)
            return f"{draft} is a draft of the same text"

        return carry_out(request, verb, back=lambda: back)


def _renewed(request: HttpRequest, revision: RunbookRevision) -> HttpResponse:
    """Let the page that is open fetch itself anew and stay where it is; without HTMX lead to it."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Trigger": "decided"})
    return HttpResponseRedirect(address_of(revision))


site.register(Runbook, RunbookAdmin)
site.register(RunbookRevision, RunbookRevisionAdmin)
site.register(Decision, DecisionAdmin)
