"""What the engine tells whoever watches it; the engine itself prints nothing."""

from collections.abc import Callable
from typing import Protocol

from releases.models import Attempt
from releases.plan.model import PlannedAction, PlannedItem, PlannedStep


class Progress(Protocol):
    """Callbacks of a run, in the order in which things happen."""

    def step(self, step: PlannedStep) -> None:
        """A step begins."""

    def began(self, action: PlannedAction, attempt: Attempt) -> None:
        """An action begins."""

    def output(self, text: str) -> None:
        """New output of the action under way, masked."""

    def ended(self, action: PlannedAction, attempt: Attempt) -> None:
        """An action ended; the attempt carries outcome and message."""

    def ticked(self, items: tuple[PlannedItem, ...], how: str) -> None:
        """Boxes were closed by the machine."""

    def note(self, text: str) -> None:
        """One line that is no step: live, waiting until, a trigger fired, going back."""

    def answer(self, item: PlannedItem, tick: Callable[[], None]) -> str:
        """What the person beside the run says was seen of a box; "" when nobody is there, or wants to stop here.

        Calls `tick` at least once a second while it waits.
        """


class Silent:
    """For workers: the rows are the progress."""

    def step(self, step: PlannedStep) -> None:
        """Nothing."""

    def began(self, action: PlannedAction, attempt: Attempt) -> None:
        """Nothing."""

    def output(self, text: str) -> None:
        """Nothing."""

    def ended(self, action: PlannedAction, attempt: Attempt) -> None:
        """Nothing."""

    def ticked(self, items: tuple[PlannedItem, ...], how: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def answer(self, item: PlannedItem, tick: Callable[[], None]) -> str:
        """Nobody is beside a worker."""
        return ""
