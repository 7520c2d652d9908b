"""What Ctrl-C and a closed terminal mean beside a run; only for foreground doors, workers never touch signals."""

import os
import signal
from types import FrameType

from releases.models import Deployment
from releases.statuses import PAUSE, STOP

WANTED = ("", PAUSE, STOP)
SAID = (
    "\n  pausing at the next safe point; {up}. Again: end what is under way at once, its step becomes unknown\n",
    "\n  ending what is under way; {up}. Again: leave it to --resume as it is\n",
)


class Interrupts:
    """Once: pause at the next safe point. Twice: end what is under way. A third time: end this process at once.

    Calling it says what is wanted. A closed terminal does not end a deployment, and TERM is Ctrl-C.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._times = 0

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
        return WANTED[min(self._times, 2)]

    def _heard(self, number: int, frame: FrameType | None) -> None:
        self._times += 1
        if self._times > len(SAID):
            raise KeyboardInterrupt
        # Not print: a handler may run in the middle of one.
        os.write(2, SAID[self._times - 1].format(up=self._up()).encode())

    def _up(self) -> str:
        environment = self._deployment.environment
        return f"maintenance is {'ON' if environment.is_fenced else 'off'}, {environment} is held by this deployment"


def _ignored(number: int, frame: FrameType | None) -> None:
    """A closed terminal."""
