"""The contract of an action: build a command, then confirm by looking at the world."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from checks.gates.process import Command
from checks.models import Environment
from checks.verdicts import Verdict
from releases.errors import WrongUsage
from releases.models import Deployment
from releases.plan.model import Plan, PlannedAction
from releases.recorder import Add, Change
from releases.shell import bash, ssh

TIMEOUT = 900.0
SILENCE = 600.0
HOST = "host"  # the option that names the machine a block runs on, as the runbook writes it


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

    @property
    def output(self) -> Path:
        """What the command of this attempt said, masked; there is no such file when it said nothing."""
        return self.handed_on.with_suffix(".log")


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen: done, not done, or (None) not yet; with evidence, and rows to write with the outcome.

    `compare` says what a person must compare, where the machine cannot judge what the runbook expects.
    """

    done: bool | None
    message: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    changes: tuple[Add | Change, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    compare: str = ""


class Action:
    """By default: run the author's script; its exit code is the answer.

    `patience` is how many seconds `confirm` may go on answering "not yet".
    """

    patience = 0.0

    def command(self, action: PlannedAction, context: Context) -> Command | None:
        """What to run, or None when looking is all there is to do."""
        return script_command(action.text, action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Look whether it took effect; called after the command succeeded, and to ask the world after a crash."""
        return Observation(done=True)


def script_command(
    text: str, action: PlannedAction, context: Context, *, timeout: float = TIMEOUT
) -> Command:
    """`text` as one bash script where its block runs: on the host that it names, else in the environment's folder."""
    if HOST not in action.options:
        return shell_command(text, action, context, timeout=timeout)
    return _limited(host_argv(text, action, context, context.handed_on), action, context, timeout)


def shell_command(text: str, action: PlannedAction, context: Context, *, timeout: float = TIMEOUT) -> Command:
    """`text` as one bash script in the environment's folder, with the action's own limits of time and silence."""
    return _limited(bash.argv(text, handed_on=str(context.handed_on)), action, context, timeout)


def host_argv(text: str, action: PlannedAction, context: Context, handed_on: Path) -> tuple[str, ...]:
    """The argv that runs `text` on the action's host; raises WrongUsage for one that is not declared."""
    target = target_of(action.options[HOST], context.environment)
    return ssh.argv(text, target=target, names=sorted(context.variables), handed_on=str(handed_on))


def as_judged(verdict: Verdict, message: str, evidence: dict[str, Any]) -> Observation:
    """What a comparison with the runbook's words came to: one that no rule understands is a person's to make."""
    is_unclear = verdict is Verdict.INCONCLUSIVE
    return Observation(
        done=is_unclear or verdict is Verdict.PASSED,
        message=message,
        evidence={"verdict": verdict.value, **evidence},
        compare=message if is_unclear else "",
    )


def target_of(name: str, environment: Environment) -> ssh.Target:
    """The machine that a runbook calls `name`; raises WrongUsage when the environment declares no such host."""
    host = environment.hosts.filter(name=name).first()
    if host is None:
        known = ", ".join(str(each) for each in environment.hosts.all()) or "none"
        raise WrongUsage(
            f"{environment} declares no host '{name}' (there is: {known}); give it an [[environment.host]] of that name"
        )
    return ssh.Target(
        name=host.name,
        address=host.address,
        port=host.port,
        identity_file=host.identity_file,
        known_hosts=str(Path(settings.VAR_DIR) / "known_hosts"),
    )


def _limited(argv: tuple[str, ...], action: PlannedAction, context: Context, timeout: float) -> Command:
    return Command(
        argv=argv,
        env=context.variables,
        cwd=context.environment.folder,
        timeout=action.number("timeout", timeout),
        silence=action.number("silence", SILENCE),
    )
