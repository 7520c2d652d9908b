"""The documented operations on a service's environment: by the commands it declares, confirmed by looking at it."""

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from checks import secrets
from checks.errors import Unreachable
from checks.gates.net import get
from checks.gates.process import Captured, capture
from checks.models import Environment
from checks.variables import secrets_of, variables_of
from releases.actions import features
from releases.errors import GantryError, WrongUsage
from releases.recorder import Change, record

PATIENCE = 20.0


class OperationFailed(GantryError):
    """The declared command said no, or the world does not show what it should have done."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was observed, as one line and as values."""

    message: str
    values: dict[str, Any]


def run_declared(environment: Environment, name: str, *arguments: str) -> Captured:
    """Run a command that the service declares; raises WrongUsage when it declares none, OperationFailed on a no."""
    command = environment.service.commands.get(name)
    if not command:
        raise WrongUsage(
            f"{environment.service} declares no '{name}' command; add it to [service.commands] of its TOML"
        )
    line = " ".join([command, *map(shlex.quote, arguments)])
    variables = variables_of(environment)
    answer = capture(("bash", "-c", line), cwd=environment.folder, env=variables, timeout=300.0)
    masked = Captured(
        code=answer.code, out=_masked(environment, answer.out), err=_masked(environment, answer.err)
    )
    if answer.code != 0:
        lines = (masked.err or masked.out).strip().splitlines() or ["no output"]
        raise OperationFailed(f"`{line}` in {environment.folder} failed with {answer.code}: {lines[-1]}")
    return masked


def maintenance(environment: Environment, state: str, *, by: str, at: datetime) -> Seen:
    """Switch a service's maintenance mode and see it from outside."""
    run_declared(environment, "maintenance", state)
    return _until(
        lambda: _fence(environment, by=by, at=at), lambda seen: seen.values["is_on"] == (state == "on")
    )


def maintenance_status(environment: Environment, *, by: str, at: datetime) -> Seen:
    """Is the service under maintenance, seen from outside?"""
    return _fence(environment, by=by, at=at)


def _fence(environment: Environment, *, by: str, at: datetime) -> Seen:
    url = environment.url(environment.service.health.get("public", "/"))
    try:
        answer = get(url, timeout=5.0)
    except Unreachable as error:
        raise OperationFailed(f"{environment} does not answer: {error}") from None
    retry = answer.headers.get("retry-after", "")
    is_on = answer.status == 503 and bool(retry)
    if environment.is_fenced != is_on:
        record(
            Change(environment, {"is_fenced": is_on}, verb=f"maintenance {'on' if is_on else 'off'}"),
            by=by,
            at=at,
        )
    words = "on" if is_on else "off"
    return Seen(
        message=f"{environment}: maintenance is {words} ({url} answers {answer.status})",
        values={"is_on": is_on},
    )


def configure(environment: Environment, arguments: list[str], *, by: str, at: datetime) -> Seen:
    """Switch a service's features by its own command and read them back."""
    wanted = _wanted(environment, arguments)
    run_declared(environment, "configure_features", *arguments)
    observed = features.observe(" ".join(arguments), environment, variables_of(environment), by=by)
    if not observed.done:
        raise OperationFailed(f"{environment}: {observed.message}")
    record(*observed.changes, by=by, at=at, why=" ".join(arguments))
    return Seen(
        message=f"{environment}: {observed.message}",
        values={"features": observed.evidence["features"]} | wanted,
    )


def _wanted(environment: Environment, arguments: list[str]) -> dict[str, Any]:
    known, problem = features.read(environment, variables_of(environment))
    if problem:
        raise OperationFailed(f"{environment}: {problem}")
    unknown = sorted(set(features.asked(" ".join(arguments), known)) - set(known))
    if unknown:
        raise WrongUsage(
            f"{environment} has no feature '{unknown[0]}'; it has {', '.join(sorted(known)) or 'none'}"
        )
    return {"before": known}


def show(environment: Environment) -> str:
    """What the service itself says of its configuration, secrets masked."""
    return run_declared(environment, "show_config").out


def clear_cache(environment: Environment) -> Seen:
    """Clear a service's cache by its own command."""
    answer = run_declared(environment, "clear_cache")
    return Seen(message=f"{environment}: {answer.out.strip() or 'cache cleared'}", values={})


def _until(look: Callable[[], Seen], good: Callable[[Seen], bool]) -> Seen:
    until = time.monotonic() + PATIENCE
    while True:
        seen = look()
        if good(seen):
            return seen
        if time.monotonic() > until:
            raise OperationFailed(f"{seen.message}, {PATIENCE:g} s after the command")
        time.sleep(0.2)


def _masked(environment: Environment, text: str) -> str:
    return secrets.mask(text, secrets_of(environment))
