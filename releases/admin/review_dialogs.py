"""What a reviewer is asked in a dialog, and what the answer does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import escape
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from checks.models import Probe, Variable
from releases.admin.review import about, said
from releases.admin.review_parts import MEANINGS, TICKED_BY, WHY_DANGEROUS
from releases.errors import WrongUsage
from releases.lifecycle import reviews
from releases.models import RunbookRevision
from releases.runbooks.document import Document
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import dangerous_words, run_subject, steps_that_run, subjects


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One decision as an address names it; `value` is "" while the dialog asks for it."""

    kind: str
    subject: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a dialog says and offers: `options` to choose from, or `names` to write one of, or neither."""

    title: str
    description: str
    submit: str
    options: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    initial: str = ""
    wanted: str = ""  # why a reason is needed, "" when it is not


class DecideForm(BaseDialogForm):
    """What is decided, and why."""

    def __init__(self, question: Question, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if question.options:
            self.fields["value"] = forms.ChoiceField(
                label="Decision",
                choices=question.options,
                initial=question.initial,
                widget=UnfoldAdminSelectWidget(),
            )
        if question.names:
            known = f"Known: {', '.join(question.names)}."
            self.fields["value"] = forms.CharField(
                label="Variable",
                help_text=escape(known),  # unfold shows it as HTML
                initial=question.initial,
                widget=UnfoldAdminTextInputWidget(),
            )
        self.fields["why"] = forms.CharField(
            label="Reason",
            help_text=escape(f"{question.wanted} It is audited.".strip()),
            required=bool(question.wanted),
            max_length=4000,
            widget=UnfoldAdminTextareaWidget({"rows": 3}),
        )


def question(revision: RunbookRevision, asked: Asked) -> Question:
    """What the dialog for one decision says; raises WrongUsage for what cannot be decided about."""
    document = revision.document
    if asked.kind != ALL and (asked.kind, asked.subject) not in subjects(document):
        raise WrongUsage(f"the runbook has nothing called '{asked.subject}' to decide about")
    return QUESTIONS[asked.kind](revision, document, asked)


def form_of(request: HttpRequest, revision: RunbookRevision, of: Question) -> DecideForm:
    """The dialog's form with what was written into it."""
    return DecideForm(of, request=request, object_id=str(revision.pk), data=request.POST or None)


def decide(revision: RunbookRevision, asked: Asked, *, why: str, request: HttpRequest) -> str:
    """Decide as the user who asks, and say so in a sentence; raises what `lifecycle.reviews.decide` raises."""
    user, at = request.user, timezone.now()
    if asked.kind != ALL:
        made = reviews.decide(revision, asked.kind, asked.subject, asked.value, user=user, at=at, why=why)  # type: ignore[arg-type]
        return f"{about(revision.document, made)[:80]}: {said(revision.document, made)}"
    steps = steps_that_run(revision.document)
    for step in steps:
        reviews.decide(revision, "level", step.key, asked.value, user=user, at=at, why=why)  # type: ignore[arg-type]
    return f"{len(steps)} steps: {asked.value}"


# --- the questions ------------------------------------------------------------------------------------

ALL = "levels"  # not a kind of decision: the level of all steps that run


def _level(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    step = next(step for step in document.steps if step.key == asked.subject)
    wanted = reviews.reason_wanted(revision, document, asked.kind, asked.subject, asked.value)
    return Question(
        title=f"{step.heading}: {asked.value}",
        description=MEANINGS.get(asked.value, ""),
        submit="Decide",
        wanted=_sentence(wanted),
    )


def _levels(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    if asked.value not in MEANINGS:
        raise WrongUsage(f"'{asked.value}' is none of {', '.join(MEANINGS)}")
    count = len(steps_that_run(document))
    return Question(
        title=f"All {count} steps that run: {asked.value}",
        description=MEANINGS[asked.value],
        submit="Decide for all",
        wanted="It stands with each of the steps." if asked.value == "auto" else "",
    )


def _accept(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    key, _, danger = asked.subject.partition(":")
    block = next(block for block in document.blocks if block.key == key)
    return Question(
        title=f"Accept: {WHY_DANGEROUS.get(danger, danger)}",
        description=f"line {block.line}: {dangerous_words(block, danger)}",
        submit="Accept",
        wanted="Why it is meant. Who accepts cannot publish this revision.",
    )


def _by(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    item = next(item for item in document.items if item.key == asked.subject)
    probes = Probe.objects.filter(environment__service=revision.runbook.service)
    names = sorted(set(probes.values_list("name", flat=True)))
    known = revision.decided.get(("by", item.key), f"{item.by}:{item.by_name}".rstrip(":"))
    return Question(
        title="Who ticks this box?",
        description=item.text,
        submit="Decide",
        options=(*TICKED_BY.items(), *((f"probe:{name}", f"probe {name}") for name in names)),
        initial=known,
    )


def _scope(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    item = next(item for item in document.items if item.key == asked.subject)
    return Question(
        title="How often is this box ticked?",
        description=item.text,
        submit="Decide",
        options=(("release", "once a release"), ("deployment", "in every deployment")),
        initial=revision.decided.get(("scope", item.key), item.scope),
    )


def _run(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    item = next(item for item in document.items if run_subject(item) == asked.subject)
    return Question(
        title="Run the command in this box?",
        description=item.command,
        submit="Decide",
        options=(("yes", "run it, and let that tick the box"), ("no", "no: it is only read")),
        initial=revision.decided.get(("run", asked.subject), "no"),
    )


def _pick(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    choice = next(choice for choice in document.choices if choice.key == asked.subject)
    return Question(
        title="Which way is taken?",
        description=choice.title,
        submit="Pick",
        options=tuple((option.key, option.label) for option in choice.options),
        initial=revision.decided.get(("pick", choice.key), ""),
    )


def _fill(revision: RunbookRevision, document: Document, asked: Asked) -> Question:
    holes = (hole for block in document.blocks for hole in block.holes if hole.words == asked.subject)
    rows = Variable.objects.filter(environment__service=revision.runbook.service)
    return Question(
        title=f"Which variable fills {asked.subject}?",
        description="Its value comes from Gantry or from the environment; a value is never written here.",
        submit="Decide",
        names=tuple(sorted({*GIVEN, *rows.values_list("name", flat=True)})),
        initial=revision.decided.get(("fill", asked.subject), next(holes).variable),
    )


QUESTIONS: dict[str, Callable[[RunbookRevision, Document, Asked], Question]] = {
    "level": _level,
    ALL: _levels,
    "accept": _accept,
    "by": _by,
    "scope": _scope,
    "run": _run,
    "pick": _pick,
    "fill": _fill,
}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""
