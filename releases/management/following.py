"""Standing beside a run that another process carries on, or that waits for its turn."""

import codecs
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from releases.lifecycle import starting
from releases.management.show import Terminal
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.plan.model import ATTENDED_MINUTES, Plan, PlannedStep, from_json
from releases.recorder import is_abandoned
from releases.statuses import RESUME, DeploymentStatus, Outcome

D = DeploymentStatus
LOOK_EVERY = 0.3
PIECE = 64 * 1024
AT_ITS_END = (D.SUCCEEDED, D.FAILED, D.ABORTED, D.ROLLED_BACK, D.UNKNOWN)


def follow(deployment: Deployment, terminal: Terminal, *, asked: Callable[[], str]) -> Deployment:
    """Show a run as it goes on elsewhere, until it stops, waits, or its attended hour is over; returns it.

    When it turns round its way back is followed. Ctrl-C (`asked`) leaves it alone.
    """
    shown = _Shown(terminal)
    while True:
        deployment.refresh_from_db()
        shown.show(deployment)
        back = Deployment.objects.filter(undoes=deployment).first()
        if back and deployment.status in (D.FAILED, D.ROLLED_BACK):
            terminal.note(f"it goes back: {back.reason}")
            return follow(back, terminal, asked=asked)
        if asked() or _is_settled(deployment):
            return deployment
        time.sleep(LOOK_EVERY)


def wait_in_line(deployment: Deployment, terminal: Terminal, *, asked: Callable[[], str]) -> bool:
    """Wait until a queued deployment may begin, saying for what; False when Ctrl-C (`asked`) ended the wait.

    True as well when it is queued no more: somebody else began it, or took it out of the queue.
    """
    said = ""
    while True:
        deployment.refresh_from_db()
        if deployment.status != D.QUEUED:
            return True
        if asked():
            return False
        reason = starting.waits_for(deployment, at=timezone.now())
        if not reason:
            return True
        if reason != said:
            terminal.note(f"in the queue: {reason}")
            said = reason
        time.sleep(LOOK_EVERY)


def _is_settled(deployment: Deployment) -> bool:
    if deployment.status in (*AT_ITS_END, D.WAITING, D.PAUSED, D.PLANNED):
        goes_on = deployment.wants == RESUME or (deployment.status == D.WAITING and deployment.due_at)
        return not goes_on
    if deployment.status != D.WATCHING or deployment.live_at is None:
        return False
    plan = from_json(deployment.plan)
    attended = min(ATTENDED_MINUTES, plan.last_offset) / plan.time_scale
    return timezone.now() > deployment.live_at + timedelta(minutes=attended, seconds=1)


class _Shown:
    """What of a run stands on the terminal already."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._begun: set[int] = set()
        self._ended: set[int] = set()
        self._step: PlannedStep | None = None
        self._words = ""
        self._offsets: dict[int, int] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}

    def show(self, deployment: Deployment) -> None:
        """What is new since the last look."""
        plan = from_json(deployment.plan)
        for attempt in deployment.attempts.exclude(pk__in=self._ended):
            self._attempt(plan, attempt)
        words = _how_it_stands(deployment)
        if words != self._words:
            self._words = words
            self._terminal.note(words)

    def _attempt(self, plan: Plan, attempt: Attempt) -> None:
        step = plan.step_of(attempt.action)
        action = next(each for each in step.actions if each.key == attempt.action)
        if attempt.pk not in self._begun:
            self._begun.add(attempt.pk)
            if step != self._step:
                self._step = step
                self._terminal.step(step)
            self._terminal.began(action, attempt)
        self._output(attempt)
        if attempt.outcome != Outcome.OPEN:
            self._ended.add(attempt.pk)
            self._terminal.ended(action, attempt)

    def _output(self, attempt: Attempt) -> None:
        decoder = self._decoders.setdefault(attempt.pk, codecs.getincrementaldecoder("utf-8")("replace"))
        for piece in _pieces(output_path(attempt.output), self._offsets.get(attempt.pk, 0)):
            self._offsets[attempt.pk] = self._offsets.get(attempt.pk, 0) + len(piece)
            # A character may be half written.
            if text := decoder.decode(piece):
                self._terminal.output(text)


def _pieces(path: Path, offset: int) -> Iterator[bytes]:
    """What stands in a file after that place, never all of it in memory; nothing while it is not there."""
    try:
        with path.open("rb") as stored:
            stored.seek(offset)
            while piece := stored.read(PIECE):
                yield piece
    except (FileNotFoundError, IsADirectoryError):
        return


def _how_it_stands(deployment: Deployment) -> str:
    if deployment.status == D.QUEUED:
        waits = starting.waits_for(deployment, at=timezone.now())
        return f"in the queue: {waits or 'a worker is about to take it'}"
    if deployment.status == D.RUNNING and is_abandoned(deployment):
        return "its process died; a worker takes it up, or you with --resume"
    return f"{deployment.status}: {deployment.message}".removesuffix(": ")
