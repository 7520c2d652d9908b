"""The contract of an action: build a command, then confirm by looking at the world."""

import hashlib
import os
import re
import sys
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
from releases.hosts.order import Order
from releases.models import Deployment
from releases.plan.hosts import HOST, SET
from releases.plan.model import Plan, PlannedAction
from releases.recorder import Add, Change
from releases.shell import bash
from releases.shell.ssh import Target, control_folder

TIMEOUT = 900.0
SILENCE = 600.0
# Kinds that Gantry does itself from here, whatever host the block before them went to.
DONE_HERE = ("backup", "preflight", "ready", "restore", "sql")
UNFIT = re.compile(r"[^A-Za-z0-9@._+-]")  # for the name of a folder on whatever machine


@dataclass(frozen=True, kw_only=True)
class Context:
    """All that an action may know: where it runs, the frozen plan, the variables, and when its intent was written.

    `key` names the effect: the same for every attempt at it, until one of them ended.
    """

    deployment: Deployment
    environment: Environment
    plan: Plan
    variables: Mapping[str, str]
    secrets: tuple[str, ...]
    opened_at: datetime
    handed_on: Path
    key: str = ""

    @property
    def lost(self) -> Path:
        """Where a command that cannot tell how its work ended says why."""
        return self.handed_on.with_suffix(".lost")

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

    def script(self, action: PlannedAction, plan: Plan) -> str:
        """The script that it runs, and that a plan shows: the author's, where a kind says nothing else."""
        return action.text

    def command(self, action: PlannedAction, context: Context) -> Command | None:
        """What to run, or None when looking is all there is to do."""
        return script_command(self.script(action, context.plan), action, context)

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Look whether it took effect; called after the command succeeded."""
        return Observation(done=True)

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """After an interruption: is it done (True), may it run again (False), or does nobody know (None)?"""
        return None


class Visible(Action):
    """What it does shows in the world: it is done when it shows, else it may run again."""

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """What `confirm` sees."""
        return bool(self.confirm(action, context).done)


class Look(Action):
    """Only looks, so it may look again; there is nothing to start."""

    def command(self, action: PlannedAction, context: Context) -> Command | None:
        """Nothing."""
        return None

    def probe(self, action: PlannedAction, context: Context) -> bool | None:
        """Looking twice does no harm."""
        return False


def script_command(
    text: str, action: PlannedAction, context: Context, *, timeout: float = TIMEOUT
) -> Command:
    """`text` as one bash script where its block runs: on the host that it names, else in the environment's folder."""
    if HOST in action.options:
        return host_command(text, action, context, timeout=timeout)
    return shell_command(text, action, context, timeout=timeout)


def shell_command(text: str, action: PlannedAction, context: Context, *, timeout: float = TIMEOUT) -> Command:
    """`text` as one bash script in the environment's folder, with the action's own limits of time and silence."""
    return Command(
        argv=bash.argv(text, handed_on=str(context.handed_on)),
        env=context.variables,
        cwd=context.environment.folder,
        timeout=action.number("timeout", timeout),
        silence=action.number("silence", SILENCE),
    )


def host_command(text: str, action: PlannedAction, context: Context, *, timeout: float = TIMEOUT) -> Command:
    """The process that runs `text` on the action's host; raises WrongUsage for one that is not declared.

    The same for every attempt at this effect: one that finds the script started there reads what became of it.
    """
    order = Order(
        target=target_of(action.options[HOST], context.environment),
        run=_run_of(context),
        text=text,
        names=tuple(sorted(context.variables)),
        handed_on=str(context.handed_on),
        lost=str(context.lost),
        again=_is_again(context),
    )
    return Command(
        # Not with what the block's own variables say to Python (-E).
        argv=(sys.executable, "-E", "-m", "releases.hosts.run"),
        env={**context.variables, **order.as_variable()},
        cwd=str(settings.BASE_DIR),
        timeout=action.number("timeout", timeout),
        silence=action.number("silence", SILENCE),
    )


def is_taken_up(action: PlannedAction) -> bool:
    """Does its command run on a host by itself, so that a later attempt at the same effect finds it?"""
    return HOST in action.options and action.kind not in DONE_HERE


def others_follow(action: PlannedAction) -> bool:
    """Is it done on several hosts, and this is not the last? Then the others still run what they ran."""
    return action.options.get(SET) == ""


def set_opened_at(action: PlannedAction, context: Context) -> datetime:
    """When it was begun, on whichever host of its set came first."""
    key = action.options.get(SET)
    opened = context.deployment.attempts.filter(action__startswith=f"{key}@").order_by("opened_at")
    first = opened.first() if key else None
    return first.opened_at if first else context.opened_at


def _run_of(context: Context) -> str:
    """The name of the run on the host: of this effect and no other, whatever else deploys to that machine."""
    key, deployment = context.key or context.handed_on.stem, context.deployment
    planned = hashlib.sha256(f"{key} {deployment.planned_at.timestamp()} {deployment.plan_hash}".encode())
    return f"{UNFIT.sub('_', key)}-{planned.hexdigest()[:12]}"


def _is_again(context: Context) -> bool:
    """Was there an attempt at this very effect before, which may have started it?"""
    attempts = context.deployment.attempts.filter(idempotency_key=context.key)
    return bool(context.key) and attempts.count() > 1


def as_judged(verdict: Verdict, message: str, evidence: dict[str, Any]) -> Observation:
    """What a comparison with the runbook's words came to: one that no rule understands is a person's to make."""
    is_unclear = verdict is Verdict.INCONCLUSIVE
    return Observation(
        done=is_unclear or verdict is Verdict.PASSED,
        message=message,
        evidence={"verdict": verdict.value, **evidence},
        compare=message if is_unclear else "",
    )


def target_of(name: str, environment: Environment) -> Target:
    """The machine that a runbook calls `name`; raises WrongUsage when the environment declares no such host."""
    host = environment.hosts.filter(name=name).first()
    if host is None:
        known = ", ".join(str(each) for each in environment.hosts.all()) or "none"
        raise WrongUsage(
            f"{environment} declares no host '{name}' (there is: {known}); give it an [[environment.host]] of that name"
        )
    var = Path(settings.VAR_DIR)
    return Target(
        name=host.name,
        address=host.address,
        port=host.port,
        identity_file=host.identity_file,
        known_hosts=str(var / "known_hosts"),
        control=str(control_folder(var, user=os.getuid())),
    )
