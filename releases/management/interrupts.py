"""What Ctrl-C and a closed terminal mean beside a run; only for foreground doors, workers never touch signals."""

import os
import signal
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from checks.models import Environment
from releases.errors import WaitsForPerson
from releases.models import Deployment
from releases.statuses import OCCUPYING, PAUSE, STOP

RUNS, LOOKS, QUEUES = "runs it", "looks at it", "stands in the queue"
WANTED = ("", PAUSE, STOP)
SHOW_CURSOR = "\x1b[?25h"
SAID = {
    RUNS: (
        "\n  pausing at the next safe point. Again: end what is under way at once, its step becomes unknown\n",
        "\n  ending what is under way. Again: leave it to --resume as it is\n",
    ),
    LOOKS: ("\n  no longer looking; it goes on\n",),
    QUEUES: ("\n  leaving the queue\n",),
}


class Interrupts:
    """Once: pause at the next safe point. Twice: end what is under way. A third time: be gone at once, like `kill -9`.

    Calling it says what is wanted. A closed terminal does not end a deployment, and TERM is Ctrl-C. `beside`: what this
    process does with the deployment; who only looks, or waits for its turn, stops no run.
    """

    def __init__(self, deployment: Deployment, *, beside: str = RUNS) -> None:
        self.beside = beside
        self._named = str(deployment)
        self._environment_id = deployment.environment_id
        self._times = self._told = 0

    def __enter__(self) -> "Interrupts":
        # Not SIG_IGN, which every command we start would inherit.
        heard = {signal.SIGHUP: _ignored, signal.SIGINT: self._heard, signal.SIGTERM: self._heard}
        self._before = {number: signal.signal(number, handler) for number, handler in heard.items()}
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def __call__(self) -> str:
        """What is wanted: nothing, pause, stop."""
        # Not in the handler: it may have come in the middle of another question to the database.
        if self.beside == RUNS and self._told < self._times:
            self._told = self._times
            _tell(f"  {_up(self._environment_id)}\n")
        return WANTED[min(self._times, 2)]

    def _heard(self, number: int, frame: FrameType | None) -> None:
        said = SAID[self.beside]
        self._times += 1
        if self._times <= len(said):
            _tell(said[self._times - 1])
        elif self.beside == LOOKS:
            raise KeyboardInterrupt
        elif self.beside == RUNS:
            self._be_gone()

    def _be_gone(self) -> NoReturn:
        # Not an exception: on its way out the command would be ended, and taken for one that failed.
        _tell(SHOW_CURSOR if os.isatty(2) else "")
        _tell(
            f"gantry: {self._named} was left in the middle; `deploy_release … --resume` takes it up as it is\n"
        )
        os._exit(WaitsForPerson.exit_code)


def _tell(words: str) -> None:
    # Not print: a handler may run in the middle of one. And nobody may listen any more.
    with suppress(OSError):
        os.write(2, words.encode())


def _up(environment_id: int) -> str:
    environment = Environment.objects.select_related("service").get(pk=environment_id)
    holder = Deployment.objects.filter(environment=environment, status__in=OCCUPYING).first()
    held = f"held by #{holder.number}" if holder else "free"
    return f"maintenance is {'ON' if environment.is_fenced else 'off'}, {environment} is {held}"


def _ignored(number: int, frame: FrameType | None) -> None:
    """A closed terminal."""
