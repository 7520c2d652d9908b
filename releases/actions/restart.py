"""The service's new process: younger than the intent, of the right version, ready three times running."""

import json
import re
from dataclasses import dataclass
from typing import Any

from checks.errors import Unreachable
from checks.gates.net import get
from checks.models import Environment
from releases.actions.base import Context, Observation, Visible, others_follow, set_opened_at
from releases.plan.model import PlannedAction

TIMES = 3
CLOCK_TOLERANCE = 1.0
COMMIT = re.compile(r"[0-9a-fA-F]{7,40}")


@dataclass(frozen=True, kw_only=True)
class Health:
    """One answer of the ready endpoint: is it ready, which version, since when (seconds since the epoch)."""

    ready: bool
    version: str
    started: float
    message: str
    commit: str = ""


class Restart(Visible):
    """A 200 from the old process is not success."""

    patience = 60.0

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Three good answers of the ready endpoint in a row; of several hosts after the last one."""
        if others_follow(action):
            return Observation(done=True, message="looked at after the last host")
        wanted, since = context.plan.target_version, set_opened_at(action, context).timestamp()
        for _ in range(TIMES):
            health = ask_health(context.environment)
            problem = _problem(health, wanted, since)
            if problem:
                return Observation(done=None, message=problem)
        return Observation(
            done=True,
            message=f"{wanted} is ready, {TIMES} times running, from a process started after this step began",
            evidence={"version": health.version, "started_at": health.started, "ready": TIMES},
        )


def ask_health(environment: Environment) -> Health:
    """Ask the ready endpoint once; whatever is wrong is in the message, never an exception."""
    declared = environment.service.health
    url = environment.url(declared.get("ready", "/"))
    try:
        answer = get(url, timeout=5.0)
        body = json.loads(answer.body)
    except Unreachable as error:
        return Health(ready=False, version="", started=0.0, message=str(error))
    except ValueError:
        return Health(ready=False, version="", started=0.0, message=f"{url} did not answer JSON")
    return Health(
        ready=answer.status == 200,
        version=str(_field(body, declared.get("version", "version")) or ""),
        started=_number(_field(body, declared.get("started", "started_at"))),
        message=f"{url} answers {answer.status}",
        commit=str(_field(body, declared.get("commit", "commit")) or ""),
    )


def same_version(one: str, other: str) -> bool:
    """`v1.1` and `1.1` are the same version."""
    return one.removeprefix("v") == other.removeprefix("v")


def is_commit(shown: str, commit: str) -> bool:
    """Is what a service shows this commit, or at least seven digits of it?"""
    return bool(COMMIT.fullmatch(shown)) and commit.startswith(shown.lower())


def _problem(health: Health, wanted: str, not_before: float) -> str:
    if not health.ready:
        return f"not ready: {health.message}"
    if health.started < not_before - CLOCK_TOLERANCE:
        return "the OLD process still answers: it started before this step began"
    if not same_version(health.version, wanted):
        return f"version {health.version or 'unknown'} answers, {wanted} should"
    return ""


def _field(body: Any, path: str) -> Any:
    for key in path.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0
