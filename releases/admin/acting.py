"""How a page acts: a dialog, a verb of lifecycle, and a message with what it said."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from releases.errors import GantryError, WrongUsage
from releases.plan.clock import parse_at


def carry_out(
    request: HttpRequest, verb: Callable[[], str], *, back: str | Callable[[], str]
) -> HttpResponse:
    """Do it and show the sentence that it returns; a refusal is shown in its own words. Leads to the address `back`,
    which may be asked for afterwards."""
    told(request, verb)
    return lead_to(request, back if isinstance(back, str) else back())


def told(request: HttpRequest, verb: Callable[[], str]) -> None:
    """Do it; the next page shows the sentence that it returns, or the refusal in its own words."""
    try:
        messages.success(request, verb())
    except GantryError as refusal:
        messages.error(request, str(refusal))


def lead_to(request: HttpRequest, address: str) -> HttpResponse:
    """Leave the dialog for a page, with or without HTMX."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def address_of(row: Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def user_of(request: HttpRequest) -> User:
    """Who is asking; pages are for people who signed in."""
    assert isinstance(request.user, User)
    return request.user


def dialog(
    title: str, description: str, submit: str, form: type[BaseDialogForm] | None = None
) -> dict[str, Any]:
    """A dialog as unfold wants it."""
    return {"title": title, "description": description, "form_class": form, "form_submit_text": submit}


def _text(label: str, help_text: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=4000,
        widget=UnfoldAdminTextareaWidget({"rows": 3}),
    )


def _switch(label: str, help_text: str) -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=help_text, required=False, widget=UnfoldBooleanWidget())


class EvidenceForm(BaseDialogForm):
    """What was seen."""

    evidence = _text("Evidence", "What was seen: a number, a link, a name. It stays with the box for good.")


class ReasonForm(BaseDialogForm):
    """Why."""

    reason = _text("Reason", "Why this box does not apply. It is audited.")


class DecisionForm(BaseDialogForm):
    """What was decided."""

    decision = _text("Decision", "What was done and why that settles it.")


class WayBackForm(BaseDialogForm):
    """Why to go back, and whether the databases are meant."""

    reason = _text("Reason", "What is wrong. It opens the log of the way back.")
    restore_data = _switch(
        "Restore the databases",
        "Only asked where the way back needs the copy: what was written since stays in the replaced database, "
        "which is kept.",
    )


class DeployForm(BaseDialogForm):
    """When, and whether it may wait in line."""

    at = forms.CharField(
        label="T-0 on the clock",
        help_text="Empty: at once. Else 18:00 (the next one), 18:00 Europe/Berlin or 2026-11-30T18:00+01:00: "
        "no step starts before its time.",
        required=False,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off"}),
    )
    waits = _switch(
        "Wait in line when it is held",
        "It begins by itself when nothing holds the environment any more. Else what holds it now refuses it.",
    )

    def clean_at(self) -> datetime | None:
        """The moment, aware; a time without a zone is on Gantry's own clock."""
        asked = self.cleaned_data["at"].strip()
        if not asked:
            return None
        try:
            return parse_at(asked, now=timezone.now(), zone=timezone.get_default_timezone())
        except WrongUsage as wrong:
            raise ValidationError(str(wrong).removeprefix("--at is ")) from None


class PauseForm(BaseDialogForm):
    """Why, and how soon."""

    reason = _text("Reason", "May stay empty. It stands on this page and in the log.", required=False)
    at_once = _switch(
        "End what is under way at once",
        "The command under way is killed, with all that it started. How far it came is asked of the world; where "
        "that cannot tell, its step is unknown and a person decides.",
    )


class AbortForm(BaseDialogForm):
    """Why it ends."""

    reason = _text("Reason", "Why it ends here. It stands in the log and in the audit trail.")


class DoneForm(BaseDialogForm):
    """What shows that it is done."""

    reason = _text("Reason", "What shows that it was done: what you looked at and what you saw.")


class SkipForm(BaseDialogForm):
    """Why it can be left out."""

    reason = _text("Reason", "Why the rest may go on without it. A second person reads it before agreeing.")
