"""Every status and which may follow which; pure, and the only place where a transition is allowed."""

from enum import StrEnum


class DeploymentStatus(StrEnum):
    """The life of a deployment; `watching` (days) does not occupy the environment."""

    PLANNED = "planned"
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PAUSED = "paused"
    WATCHING = "watching"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled_back"
    UNKNOWN = "unknown"

    @property
    def is_over(self) -> bool:
        """Nothing more will run in this deployment."""
        return not TRANSITIONS["deployment"][self] - {D.ROLLED_BACK, D.FAILED}

    @property
    def acts_next(self) -> str:
        """Who is waited for: an approver, a worker, the machine, a person, or nobody."""
        return ACTS_NEXT[self]


class Outcome(StrEnum):
    """How an attempt ended: failed = the command said no, error = we broke, unknown = nobody knows."""

    OPEN = ""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    ABORTED = "aborted"

    @property
    def is_good(self) -> bool:
        """The step may go on."""
        return self in (Outcome.SUCCEEDED, Outcome.SKIPPED)


class ItemState(StrEnum):
    """A checklist box."""

    OPEN = "open"
    TICKED = "ticked"
    WAIVED = "waived"
    FAILED = "failed"


class ReleaseStatus(StrEnum):
    """A version of a service; a bad one went live and was taken back."""

    OPEN = "open"
    BAD = "bad"
    WITHDRAWN = "withdrawn"


class RevisionStatus(StrEnum):
    """A text of a runbook; only a published one runs."""

    DRAFT = "draft"
    PUBLISHED = "published"


class IncidentStatus(StrEnum):
    """The life of an incident."""

    OPEN = "open"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class BackupStatus(StrEnum):
    """A dump counts only when it is verified."""

    RUNNING = "running"
    VERIFIED = "verified"
    FAILED = "failed"


class RollbackClass(StrEnum):
    """What going back takes, cheapest first."""

    FLAGS = "FLAGS"
    CODE = "CODE"
    RESTORE = "RESTORE"
    FORWARD_ONLY = "FORWARD_ONLY"


D, O, I = DeploymentStatus, Outcome, ItemState  # noqa: E741

OCCUPYING = (D.RUNNING, D.WAITING, D.PAUSED)
CLAIMABLE = (D.QUEUED, D.WAITING, D.PAUSED)
# What a run is asked to do: at its next safe point, or (stop) at once; resume: a worker is to take it up again.
# hand_over: its worker is shutting down, and another goes on.
WANTS = PAUSE, ABORT, STOP, RESUME, HAND_OVER = ("pause", "abort", "stop", "resume", "hand_over")
PAUSED = "paused"  # begins the message of a pause that a person asked for

ACTS_NEXT = {
    D.PLANNED: "an approver",
    D.QUEUED: "a worker",
    D.RUNNING: "the machine",
    D.WAITING: "a person",
    D.PAUSED: "a person",
    D.WATCHING: "the machine",
    D.SUCCEEDED: "nobody",
    D.FAILED: "a person",
    D.ABORTED: "nobody",
    D.ROLLED_BACK: "nobody",
    D.UNKNOWN: "a person",
}

TRANSITIONS: dict[str, dict[str, frozenset[str]]] = {
    "deployment": {
        D.PLANNED: frozenset({D.QUEUED, D.ABORTED}),
        D.QUEUED: frozenset({D.RUNNING, D.PLANNED, D.ABORTED}),
        D.RUNNING: frozenset({D.WAITING, D.PAUSED, D.WATCHING, D.SUCCEEDED, D.FAILED, D.ABORTED, D.UNKNOWN}),
        D.WAITING: frozenset({D.RUNNING, D.FAILED, D.ABORTED}),
        D.PAUSED: frozenset({D.RUNNING, D.FAILED, D.ABORTED}),
        D.WATCHING: frozenset({D.SUCCEEDED, D.FAILED}),
        D.SUCCEEDED: frozenset({D.ROLLED_BACK, D.FAILED}),
        D.FAILED: frozenset({D.ROLLED_BACK}),
        D.ABORTED: frozenset(),
        D.ROLLED_BACK: frozenset(),
        D.UNKNOWN: frozenset({D.ROLLED_BACK, D.FAILED}),
    },
    "attempt": {
        O.OPEN: frozenset({O.SUCCEEDED, O.FAILED, O.ERROR, O.TIMED_OUT, O.UNKNOWN, O.SKIPPED, O.ABORTED}),
    },
    "checklistitem": {
        I.OPEN: frozenset({I.TICKED, I.WAIVED, I.FAILED}),
        I.TICKED: frozenset({I.OPEN}),
        I.WAIVED: frozenset({I.OPEN}),
        I.FAILED: frozenset({I.OPEN, I.TICKED, I.WAIVED}),
    },
    "release": {
        ReleaseStatus.OPEN: frozenset({ReleaseStatus.BAD, ReleaseStatus.WITHDRAWN}),
        ReleaseStatus.BAD: frozenset(),
        ReleaseStatus.WITHDRAWN: frozenset(),
    },
    "runbookrevision": {
        RevisionStatus.DRAFT: frozenset({RevisionStatus.PUBLISHED}),
        RevisionStatus.PUBLISHED: frozenset(),
    },
    "incident": {
        IncidentStatus.OPEN: frozenset({IncidentStatus.MITIGATED, IncidentStatus.RESOLVED}),
        IncidentStatus.MITIGATED: frozenset({IncidentStatus.RESOLVED, IncidentStatus.OPEN}),
        IncidentStatus.RESOLVED: frozenset(),
    },
    "backup": {
        BackupStatus.RUNNING: frozenset({BackupStatus.VERIFIED, BackupStatus.FAILED}),
        BackupStatus.VERIFIED: frozenset(),
        BackupStatus.FAILED: frozenset(),
    },
}


def sources(machine: str, target: str) -> list[str]:
    """The statuses from which `machine` may move to `target`."""
    return [source for source, targets in TRANSITIONS[machine].items() if target in targets]
