"""How a page acts: a dialog, a verb of lifecycle, and a message with what it said."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from releases.errors import GantryError


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


def _text(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=help_text, max_length=4000, widget=UnfoldAdminTextareaWidget({"rows": 3})
    )


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
    restore_data = forms.BooleanField(
        label="Restore the databases",
        help_text="Only asked where the way back needs the copy: what was written since stays in the replaced "
        "database, which is kept.",
        required=False,
        widget=UnfoldBooleanWidget(),
    )
