"""Showing plans and runs on a terminal."""

import os
import re
import select
import sys
import termios
import time
import tty
from collections.abc import Callable
from typing import TYPE_CHECKING

from releases.management.base import mute
from releases.models import Attempt
from releases.plan.model import PlannedAction, PlannedItem, PlannedStep
from releases.plan.shown import offset_words
from releases.statuses import Outcome

if TYPE_CHECKING:
    from rich.status import Status

# Escape sequences (ECMA-48 5.4 CSI, 8.3.89 OSC and the like) and control characters but tab and the ends of lines.
STEERING = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b."
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f]",
    re.DOTALL,
)


class Terminal:
    """The progress of a run, a line a thing, with what is under way below it on a real terminal.

    Output is shown below an action that failed, or as it comes when `verbose`. A closed terminal is no reason to stop.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._began = time.monotonic()
        self._tail = ""
        self._doing = ""
        self._spinner: Status | None = None

    def step(self, step: PlannedStep) -> None:
        """A headline."""
        self._print(f"\n{offset_words(step):>7}  {step.title}")

    def began(self, action: PlannedAction, attempt: Attempt) -> None:
        """What begins."""
        self._tail = ""
        self._spin(action.title)

    def output(self, text: str) -> None:
        """Kept for a failure, or printed as it comes; its last line stands beside the spinner."""
        text = _harmless(text)
        self._tail = (self._tail + text)[-4000:]
        if self._verbose:
            self._print(text, end="")
        elif self._spinner:
            last = (text[-4000:].strip().splitlines() or [""])[-1]
            self._spinner.update(_markup_free(f"{self._doing}  {last[:80]}"))

    def ended(self, action: PlannedAction, attempt: Attempt) -> None:
        """How it ended, with its seconds."""
        good = Outcome(attempt.outcome).is_good
        message = attempt.result.get("message", "")
        seconds = f"{attempt.seconds or 0:.1f} s"
        mark = "✓" if good else "✗"
        self._print(f"         {mark} {action.title[:70]} ({seconds}){': ' + message if message else ''}")
        if not good and not self._verbose:
            for line in self._tail.splitlines()[-15:]:
                self._print(f"           | {line}")

    def ticked(self, items: tuple[PlannedItem, ...], how: str) -> None:
        """Boxes that the machine closed."""
        for item in items:
            self._print(f"         ☑ {item.text}")

    def note(self, text: str) -> None:
        """One line that is no step; a wait goes on spinning."""
        self._print(f"  {time.monotonic() - self._began:5.1f}s  {text}")
        if text.startswith("until "):
            self._spin("watching")

    def answer(self, item: PlannedItem, tick: Callable[[], None]) -> str:
        """Show the box with its command; one key agrees, anything else that a person did is said in a line."""
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return ""
        self._print(f"\n  {item.text}  (line {item.line})")
        for line in item.command.strip().splitlines():
            self._print(f"    {line}")
        if item.by == "confirm":
            agreed = _key("  y runs it, any other key stops here: ", tick) in ("y", "Y")
            self._print("yes" if agreed else "no")
            return "agreed at the terminal" if agreed else ""
        self._print("  what was seen? (an empty line stops here) ", end="")
        return _line(tick).strip()

    def close(self) -> None:
        """Nothing is under way any more."""
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def _spin(self, doing: str) -> None:
        if not sys.stdout.isatty():
            return
        # Loaded on use: pipelines and logs, which have no terminal, never pay for it.
        from rich.console import Console

        self.close()
        self._doing = doing
        self._spinner = Console().status(_markup_free(doing))
        self._spinner.start()

    def _print(self, text: str, end: str = "\n") -> None:
        try:
            self.close()
            print(text, end=end, flush=True)
        except OSError:
            mute()


def _harmless(text: str) -> str:
    """Without what would steer the terminal of who looks: colours, the clipboard, the cursor."""
    return STEERING.sub("", text)


def _markup_free(text: str) -> str:
    """Brackets of a command are no colours."""
    return text.replace("[", "\\[")


def _key(question: str, tick: Callable[[], None]) -> str:
    """One key, without Return; the terminal is ready for it before it is asked for, and drops none."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor, termios.TCSADRAIN)
    try:
        print(question, end="", flush=True)
        _wait_for_input(tick)
        return os.read(descriptor, 1).decode(errors="replace")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _line(tick: Callable[[], None]) -> str:
    _wait_for_input(tick)
    return sys.stdin.readline()


def _wait_for_input(tick: Callable[[], None]) -> None:
    while not select.select([sys.stdin], [], [], 1.0)[0]:
        tick()
