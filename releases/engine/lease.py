"""A deployment in the hands of this process: its lease and heartbeat, its frozen plan, and what it is asked to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import prefetch_related_objects

from checks.gates.process import uptime
from releases.engine.progress import Progress
from releases.errors import LeaseLost
from releases.models import Attempt, Deployment
from releases.plan.model import Plan
from releases.recorder import LEASE, Add, Change, Lease, Move, fence, note_process, owner_of, record
from releases.statuses import STOP

HEARTBEAT = 2.5
ASK_EVERY = 1.0
# The gate counts whole seconds, and the answer of the database takes its time.
MARGIN = 2.0


class Stopped(Exception):
    """A person wants it to end at once, whatever is under way."""


def nothing() -> str:
    """Nobody beside this process asks for anything."""
    return ""


@dataclass(kw_only=True)
class Run:
    """What the engine knows of a run beside its rows.

    `asked` is what the process beside the run wants (pause, or stop). Until the second `may_act_until` since boot
    nobody else can own it; when `is_lost` somebody does. `handed_on`: what the blocks so far set, once it was read.
    """

    deployment: Deployment
    lease: Lease
    plan: Plan
    by: str
    progress: Progress
    asked: Callable[[], str] = nothing
    may_act_until: float = field(default_factory=lambda: uptime() + LEASE.total_seconds() / 2)
    is_lost: bool = False
    handed_on: dict[str, str] | None = None
    _beaten_at: float = field(default_factory=time.monotonic)
    _asked_at: float = 0.0
    _wanted: str = ""

    def __post_init__(self) -> None:
        """What a run is run with is what its plan was signed for, so it is read once."""
        prefetch_related_objects([self.deployment.environment], "variables")

    def tick(self) -> None:
        """Called at least once a second wherever the run waits: renews the lease.

        Raises LeaseLost, and Stopped when a person wants an end at once.
        """
        self.beat()
        if time.monotonic() - self._asked_at >= ASK_EVERY:
            self._ask()
        if STOP in (self.asked(), self._wanted):
            raise Stopped

    def beat(self) -> None:
        """Renew the lease when it is time; raises LeaseLost."""
        if time.monotonic() - self._beaten_at >= HEARTBEAT:
            with self._proving():
                fence(self.lease)

    @property
    def heard(self) -> str:
        """What is wanted of this run, as last heard: pause, abort, stop, hand_over, or nothing."""
        return self._wanted or self.asked()

    def wanted(self) -> str:
        """The same, asked anew."""
        self._ask()
        return self.heard

    def record(self, *changes: Move | Add | Change, at: datetime, why: str = "") -> None:
        """Write changes that prove the lease, and so renew it."""
        with self._proving():
            record(*changes, by=self.by, at=at, why=why, lease=self.lease)

    def note_process(self, attempt: Attempt, process: dict[str, Any]) -> None:
        """Which process an intent became; proves the lease, and leaves renewing it to the heartbeat."""
        try:
            note_process(attempt, process, lease=self.lease)
        except LeaseLost:
            self.is_lost = True
            raise

    @property
    def owns_commands(self) -> bool:
        """Is what this process started its own to end? Who took the run over on this host follows it on."""
        if not self.is_lost:
            return True
        owner = owner_of(Deployment.objects.get(pk=self.deployment.pk))
        return owner is None or not owner.is_here

    @contextmanager
    def _proving(self) -> Iterator[None]:
        begun = uptime()
        try:
            yield
        except LeaseLost:
            self.is_lost = True
            raise
        self.may_act_until = begun + LEASE.total_seconds() - MARGIN
        self._beaten_at = time.monotonic()

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        self._wanted = (
            Deployment.objects.filter(pk=self.deployment.pk).values_list("wants", flat=True).first() or ""
        )


def scaled(minutes: float, plan: Plan) -> timedelta:
    """Minutes of the document as time on this environment's clock."""
    return timedelta(minutes=minutes / plan.time_scale)
