"""How long things took before, and so may take again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from django.db.models import Q

from checks.models import Environment
from checks.secrets import mask
from releases.models import Attempt
from releases.plan.model import PlannedAction
from releases.statuses import Outcome

REMEMBERED = 10
# Rows that are looked through for each action: now and then one is attempted several times in a run.
ROWS_AN_ACTION = 3 * REMEMBERED
COLUMNS: tuple[str, ...] = (
    "action",
    "kind",
    "command",
    "opened_at",
    "closed_at",
    "deployment",
    "deployment__undoes",
    "deployment__started_at",
    "deployment__live_at",
)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Seconds by action key, and of the whole from its start until users meet it; what never ran is not there.

    `runs`: how many runs the seconds of the whole are the median of.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    whole: float | None = None
    runs: int = 0


def expected(
    environment: Environment, actions: Iterable[PlannedAction], *, hidden: Iterable[str] = ()
) -> Expected:
    """The median of the last ten times that each action succeeded there, whichever release it was; one query.

    An action is known by its key or, where its heading was changed, by its kind and command. `hidden`: the secrets of
    the environment, for they are masked in the commands that are kept.
    """
    wanted, secrets = list(actions), tuple(hidden)
    commands = {action.key: mask(action.text, secrets) if secrets else action.text for action in wanted}
    rows = _rows(environment, commands)
    past: dict[Any, list[float]] = defaultdict(list)
    for row in rows:
        for known_by in (row["action"], (row["kind"], row["command"])):
            past[known_by].append(_seconds(row["opened_at"], row["closed_at"]))
    found = {
        action.key: past[action.key] or past[action.kind, commands[action.key] or None] for action in wanted
    }
    runs = _runs(rows)
    return Expected(
        seconds={key: median(seconds[:REMEMBERED]) for key, seconds in found.items() if seconds},
        whole=median(runs) if runs else None,
        runs=len(runs),
    )


def _rows(environment: Environment, commands: Mapping[str, str]) -> list[dict[str, Any]]:
    """Attempts at these actions that went well, the newest first."""
    same = Q(action__in=list(commands)) | Q(command__in=[text for text in commands.values() if text])
    went_well = Attempt.objects.filter(
        same, deployment__environment=environment, outcome=Outcome.SUCCEEDED, closed_at__isnull=False
    )
    return list(went_well.order_by("-pk").values(*COLUMNS)[: ROWS_AN_ACTION * len(commands)])


def _runs(rows: Iterable[Mapping[str, Any]]) -> list[float]:
    """The seconds until users met it, of the newest runs forward among the rows."""
    found = {
        row["deployment"]: _seconds(row["deployment__started_at"], row["deployment__live_at"])
        for row in rows
        if row["deployment__undoes"] is None and row["deployment__started_at"] and row["deployment__live_at"]
    }
    return list(found.values())[:REMEMBERED]


def _seconds(begun: datetime, ended: datetime) -> float:
    return max(ended - begun, timedelta()).total_seconds()
