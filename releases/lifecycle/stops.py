"""Stopping a run: pausing it, aborting it, ending what is under way; what is asked is heeded where it runs."""

from datetime import datetime

from django.contrib.auth.models import User

from releases.errors import StaleState, WrongUsage
from releases.models import Deployment
from releases.permissions import demand
from releases.recorder import Change, Move, Still, record
from releases.statuses import ABORT, PAUSED, STOP, DeploymentStatus

D = DeploymentStatus
ASLEEP = (D.WAITING, D.PAUSED)


def pause(deployment: Deployment, *, user: User, reason: str, at_once: bool, at: datetime) -> None:
    """Ask a run to pause at its next safe point, or to end at once what is under way.

    Raises StaleState when nothing runs.
    """
    demand(user, "deploy", deployment.environment)
    _demand_running(deployment)
    if deployment.wants == ABORT:
        raise StaleState(f"{deployment} is to end for good already ({deployment.message})")
    message = f"{PAUSED} by {user.username}: {reason.strip() or 'no reason given'}"
    wants = STOP if at_once else "pause"
    asked = Change(deployment, {"wants": wants, "message": message}, verb=f"{wants} asked")
    record(Still(deployment, D.RUNNING), asked, by=user.username, at=at, why=reason)


def abort(deployment: Deployment, *, user: User, reason: str, at: datetime) -> bool:
    """End a deployment for good; True when it has ended, False when it will at its next safe point.

    Raises WrongUsage without a reason, and where it must not end: the choice is then to finish or to go back.
    """
    demand(user, "abort", deployment.environment)
    if not reason.strip():
        raise WrongUsage("an abort needs a reason: --reason TEXT")
    refused = why_not_aborted(deployment)
    if refused:
        raise WrongUsage(refused)
    message = f"aborted by {user.username}: {reason.strip()}"
    if deployment.status == D.RUNNING:
        asked = Change(deployment, {"wants": ABORT, "message": message}, verb="abort asked")
        record(Still(deployment, D.RUNNING), asked, by=user.username, at=at, why=reason)
        return False
    ended = Move(deployment, D.ABORTED, {"ended_at": at, "due_at": None, "message": message})
    record(Still(deployment, deployment.status), ended, by=user.username, at=at, why=reason)
    return True


def why_not_aborted(deployment: Deployment) -> str:
    """Why a deployment must not simply end; empty when it may."""
    release, environment = deployment.release, deployment.environment
    back = f"`rollback_release {release.service} {release.version} --environment {environment.name} …`"
    if deployment.undoes_id:
        return f"{deployment} is a way back and has to come to its end: mend what is wrong, then --resume"
    if environment.is_fenced and deployment.status in (D.RUNNING, *ASLEEP):
        return f"{environment} is under maintenance: finish with --resume, or go back with {back}"
    if deployment.status == D.WATCHING:
        return f"{deployment} is live: take it back with {back}"
    if deployment.state.is_over:
        return f"{deployment} is {deployment.status} already"
    return ""


def _demand_running(deployment: Deployment) -> None:
    if deployment.status != D.RUNNING:
        raise StaleState(f"{deployment} does not run: it is {deployment.status} ({deployment.message})")
