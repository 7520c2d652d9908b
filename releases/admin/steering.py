"""What people do with a deployment that is under way, stands in the queue or waits for an answer."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action
from unfold.enums import ActionVariant

from checks.admin import Page
from releases import doorbell, tasks
from releases.admin.acting import (
    AbortForm,
    DoneForm,
    PauseForm,
    SkipForm,
    address_of,
    carry_out,
    dialog,
    user_of,
)
from releases.errors import Held
from releases.lifecycle import answers, stops
from releases.models import ChecklistItem, Deployment
from releases.statuses import DeploymentStatus, ItemState, Outcome

D = DeploymentStatus
ASLEEP = frozenset({D.WAITING, D.PAUSED})
# What may be asked of a deployment, by its status; lifecycle decides whether it is done.
OFFERED = {
    "approve": {D.PLANNED},
    "deploy": {D.PLANNED},
    "go_on": ASLEEP,
    "retry": ASLEEP,
    "count_as_done": ASLEEP,
    "skip": ASLEEP,
    "pause": {D.RUNNING},
    "abort": {D.QUEUED, D.RUNNING, *ASLEEP},
    "roll_back": {*ASLEEP, D.WATCHING, D.SUCCEEDED, D.FAILED, D.UNKNOWN},
}
BROKEN = {Outcome.FAILED, Outcome.ERROR, Outcome.TIMED_OUT, Outcome.UNKNOWN}
GO_ON = "Go on takes it up again"


def offered(deployment: Deployment) -> set[str]:
    """What makes sense now: a broken step wants an answer first, a way back is neither ended nor undone."""
    found = {verb for verb, statuses in OFFERED.items() if deployment.status in statuses}
    wrong = outcomes(deployment) & BROKEN if deployment.status in ASLEEP else set()
    found -= {"go_on"} if wrong else {"retry", "skip"}
    if Outcome.UNKNOWN not in wrong:
        found.discard("count_as_done")
    if deployment.undoes_id:
        found.discard("roll_back")
    return found - {"abort"} if stops.why_not_aborted(deployment) else found


def outcomes(deployment: Deployment) -> set[str]:
    """How the newest attempt at each action ended."""
    newest = deployment.attempts.filter(action=OuterRef("action")).order_by("-number").values("number")[:1]
    rows = deployment.attempts.filter(number=Subquery(newest))
    return set(rows.order_by().values_list("outcome", flat=True))


def ring(deployment: Deployment, user: User) -> None:
    """Tell a worker."""
    doorbell.ring(tasks.deploy.name, deployment.pk, user.username)


class Steering(Page):
    """The verbs; each calls lifecycle, which also says who may."""

    @action(
        description="Go on",
        icon="play_arrow",
        variant=ActionVariant.PRIMARY,
        dialog=dialog("Go on", "A worker looks at what is done already and goes on from there.", "Go on"),
    )
    def go_on(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Let a worker take up a run that waits."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            if deployment.status not in ASLEEP:
                raise Held(f"{deployment} is {deployment.status}; only one that waits or is paused goes on")
            answers.resume(deployment, user=user, at=timezone.now())
            ring(deployment, user)
            return f"{deployment} goes on as soon as a worker is free"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Try again",
        icon="replay",
        variant=ActionVariant.PRIMARY,
        dialog=dialog(
            "Try again",
            "A worker runs what did not succeed once more, and goes on from there. What succeeded stays as it is.",
            "Try again",
        ),
    )
    def retry(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Run what did not succeed once more, and go on."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            at = timezone.now()
            answers.retry(deployment, user=user, at=at)
            answers.resume(deployment, user=user, at=at)
            ring(deployment, user)
            return f"{deployment} tries it again as soon as a worker is free"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Count as done",
        icon="task_alt",
        dialog=dialog(
            "Count as done",
            "It was interrupted in the middle, and nobody knows how far it came. Look at the service first: from "
            "here on its step counts as done and is not run again.",
            "Count as done",
            DoneForm,
        ),
    )
    def count_as_done(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Settle what nobody knows, by what a person saw."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            reason = form.cleaned_data["reason"]
            answers.count_as_done(deployment, user=user, reason=reason, at=timezone.now())
            return f"what was interrupted in {deployment} counts as done; {GO_ON}"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Skip",
        icon="skip_next",
        dialog=dialog(
            "Skip the step that did not succeed",
            "The rest goes on without it. Where it changes the service a second person has to agree first.",
            "Skip",
            SkipForm,
        ),
    )
    def skip(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Leave out what did not succeed, or ask a second person whether that may be."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            reason = form.cleaned_data["reason"]
            box = answers.skip(deployment, user=user, reason=reason, at=timezone.now())
            return said_of_skip(deployment, box)

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Pause",
        icon="pause",
        variant=ActionVariant.WARNING,
        dialog=dialog(
            "Pause",
            "It pauses at its next safe point, between two commands, and keeps the environment until it goes on.",
            "Pause",
            PauseForm,
        ),
    )
    def pause(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """Ask a run to stop where it can go on from."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            given = {name: form.cleaned_data[name] for name in ("reason", "at_once")}
            stops.pause(deployment, user=user, at=timezone.now(), **given)
            how = "end what is under way at once" if given["at_once"] else "pause at its next safe point"
            return f"{deployment} is asked to {how}"

        return carry_out(request, verb, back=address_of(deployment))

    @action(
        description="Abort",
        icon="cancel",
        variant=ActionVariant.DANGER,
        dialog=dialog(
            "Abort",
            "It ends for good, and what was done stays as it is: to undo it, roll back. A run that is under way "
            "ends at its next safe point.",
            "Abort",
            AbortForm,
        ),
    )
    def abort(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        """End it for good."""
        deployment, user = self.found(request, object_id), user_of(request)

        def verb() -> str:
            reason = form.cleaned_data["reason"]
            is_over = stops.abort(deployment, user=user, reason=reason, at=timezone.now())
            return f"{deployment} is {'aborted' if is_over else 'asked to end at its next safe point'}"

        return carry_out(request, verb, back=address_of(deployment))


def said_of_skip(deployment: Deployment, box: ChecklistItem | None) -> str:
    """What a skip came to: done, or somebody else's to agree to, with the way to the box."""
    if box is None or box.state == ItemState.TICKED:
        return f"{deployment} leaves it out; {GO_ON}"
    if box.state == ItemState.WAIVED:
        return format_html('{} turned that down: <a href="{}">{}</a>', box.by, address_of(box), box.text)
    return format_html(
        'A second person has to agree, by ticking <a class="g-link" href="{}">{}</a>; then {}',
        address_of(box),
        box.text,
        GO_ON,
    )
