"""The contract of an action: build a command, then confirm by looking at the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from checks.gates.process import Command
from checks.models import Environment
from releases.models import Deployment
from releases.plan.model import Plan, PlannedAction
from releases.recorder import Add, Change
from releases.shell import bash

TIMEOUT = 900.0
SILENCE = 600.0


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that an action may know: where it runs, the frozen plan, the variables, and when its intent was written."""

    deployment: Deployment
    environment: Environment
    plan: Plan
    variables: Mapping[str, str]
    secrets: tuple[str, ...]
    opened_at: datetime
    handed_on: Path


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen: done, not done, or (None) not yet; with evidence, and rows to write with the outcome."""

    done: bool | None
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    changes: tuple[Add | Change, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


class Action:
    """By default: run the author's script; its exit code is the answer.

    `patience` is how many seconds `confirm` may go on answering "not yet".
    """

    patience = 0.0

    def command(self, action: PlannedAction, context: Context) -> Command | None:
        """What to run, or None when looking is all there is to do."""
        return shell_command(action.text, action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Look whether it took effect; called after the command succeeded, and to ask the world after a crash."""
        return Observation(done=True)


def shell_command(text: str, action: PlannedAction, context: Context) -> Command:
    """`text` as one bash script in the environment's folder, with the action's own limits of time and silence."""
    return Command(
        argv=bash.argv(text, handed_on=str(context.handed_on)),
        env=context.variables,
        cwd=context.environment.folder,
        timeout=action.number("timeout", TIMEOUT),
        silence=action.number("silence", SILENCE),
    )
