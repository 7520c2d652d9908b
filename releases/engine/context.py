"""What an action may know: the variables of its environment, of its release, and of the blocks before it."""

import re
from pathlib import Path

from django.utils import timezone

from checks import secrets
from checks.variables import secrets_of, variables_of
from releases.actions.base import Context
from releases.engine.lease import Run
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.plan.given import of_release
from releases.shell import bash

LARGEST, TOGETHER = 32 * 1024, 256 * 1024  # bytes of one variable, of all
# For the blocks after it, and not for the way back, which has to work when all that went forward is wrong.
ONLY_FORWARD = re.compile(r"HOME|BASH_ENV|ENV|(?:GIT|LD|DYLD)_\w+|PYTHON(?:PATH|HOME|STARTUP)")
# Beside the stored output, unmasked, until the outcome is written.
LEFTOVERS = (".raw", ".vars", ".code", ".lost", ".restored")


def context_of(run: Run, attempt: Attempt) -> Context:
    """Everything the action of this attempt may know."""
    environment = run.deployment.environment
    begun = timezone.localtime((run.deployment.undoes or run.deployment).started_at or attempt.opened_at)
    return Context(
        deployment=run.deployment,
        environment=environment,
        plan=run.plan,
        variables={
            **variables_of(environment),
            **handed_on(run),
            # What was signed for: no block decides which version the next one, or the way back, means.
            **of_release(run.plan, begun),
            "GANTRY_KEY": attempt.idempotency_key,
        },
        secrets=secrets_of(environment),
        opened_at=attempt.opened_at,
        handed_on=output_path(attempt.output).with_suffix(".vars"),
        key=attempt.idempotency_key,
    )


def handed_on(run: Run) -> dict[str, str]:
    """What earlier attempts set, oldest first; a way back knows what the deployment that it undoes had set."""
    if run.handed_on is None:
        run.handed_on = _read(run.deployment)
    return run.handed_on


def _read(deployment: Deployment) -> dict[str, str]:
    found: dict[str, str] = {}
    if deployment.undoes:
        forward = _set_by(deployment.undoes)
        found = {name: value for name, value in forward.items() if not ONLY_FORWARD.fullmatch(name)}
    found |= _set_by(deployment)
    # One block's PATH must not decide over the programs of every later one, least of all of the way back.
    found.pop("PATH", None)
    while found and sum(map(_size, found.items())) > TOGETHER:
        del found[max(found, key=lambda name: _size((name, found[name])))]
    return found


def _set_by(deployment: Deployment) -> dict[str, str]:
    found: dict[str, str] = {}
    for result in deployment.attempts.exclude(result={}).values_list("result", flat=True):
        found |= result.get("variables", {})
    return found


def _size(variable: tuple[str, str]) -> int:
    """What a variable takes of a process's environment, in bytes."""
    return sum(len(part.encode(errors="surrogateescape")) + 1 for part in variable)


def variables_set(context: Context, observed: dict[str, str]) -> dict[str, str]:
    """What the script of this attempt set or changed, and what the look at the world set."""
    try:
        written = context.handed_on.read_bytes()
    except FileNotFoundError:
        written = b""
    is_whole = b"\0\0" in written
    found = bash.handed_on(written, known=dict(context.variables)) if is_whole else {}
    return _safe(found | observed, context.secrets)


def _safe(variables: dict[str, str], hidden: tuple[str, ...]) -> dict[str, str]:
    """What is handed on: nothing that holds a secret in any spelling, for it would be stored in the open.

    And nothing over 32 KiB: the next command would not start, for its environment would be too large. (Of all together
    the largest are left out.)
    """
    spellings = secrets.needles(hidden)
    return {
        name: value
        for name, value in variables.items()
        if _size((name, value)) <= LARGEST and not any(spelling in value for spelling in spellings)
    }


def leftover(attempt: Attempt, suffix: str) -> Path:
    """The file of that kind beside the attempt's stored output."""
    return output_path(attempt.output).with_suffix(suffix)


def sweep(attempt: Attempt) -> None:
    """Remove what an attempt left beside its stored output; its outcome is written."""
    for suffix in LEFTOVERS:
        leftover(attempt, suffix).unlink(missing_ok=True)
