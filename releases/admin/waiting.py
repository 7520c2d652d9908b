"""What a deployment waits for, and what it was asked: one line each for its page."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format

from releases.models import Deployment
from releases.statuses import ABORT, HAND_OVER, PAUSE, RESUME, STOP

ASKED = {
    PAUSE: "It was asked to pause, and does so at its next safe point.",
    STOP: "What is under way is being ended; then it pauses.",
    ABORT: "It was asked to end for good, and does so at its next safe point.",
    RESUME: "It was asked to go on, and does so as soon as a worker is free.",
    HAND_OVER: "Its worker is shutting down; another one goes on with it.",
}


def asked(deployment: Deployment) -> str:
    """What somebody wants of it and has not got yet; empty when nobody does."""
    return ASKED.get(deployment.wants, "")


def on_clock(at: datetime) -> str:
    """Day and time on Gantry's clock, with its zone."""
    return date_format(timezone.localtime(at), "D j M Y, H:i T")
