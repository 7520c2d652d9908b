"""Many cases, some at a time, each in a slot of its own; and the slots, made ready once."""

import queue
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests import servers
from tests.crash.cases import Case, Result, cases_of, run
from tests.crash.slots import Slot, SlotFailed, make_schema, make_slot
from tests.crash.steps import BACK, FORWARD

AT_A_TIME = 2
PARTS = 6


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What was run: a result a case, and how long all of it took."""

    results: tuple[Result, ...]
    undisturbed: tuple[Result, ...]
    seconds: float

    @property
    def red(self) -> list[Result]:
        """What is not as it should be."""
        return [result for result in (*self.undisturbed, *self.results) if result.wrong]

    @property
    def take_overs(self) -> list[float]:
        """Seconds from the kill to the new owner, in order."""
        return sorted(result.take_over for result in self.results if result.take_over is not None)

    def summary(self) -> str:
        """One line."""
        green = sum(not result.wrong for result in self.results)
        taken = self.take_overs
        median = f"{statistics.median(taken):.2f} s, longest {taken[-1]:.2f} s" if taken else "none"
        return f"{green}/{len(self.results)} in {self.seconds / 60:.1f} minutes; take-over: median {median}"


@contextmanager
def slots(count: int = AT_A_TIME) -> Iterator[list[Slot]]:
    """Slots on one PostgreSQL, each with both beginnings kept: about to be deployed, and deployed."""
    with servers.postgres() as server, TemporaryDirectory(prefix="gantry-crash-") as folder:
        base = Path(folder)
        make_schema(server, base)
        made = [make_slot(server, base, number) for number in range(1, count + 1)]
        try:
            with ThreadPoolExecutor(count) as pool:
                list(pool.map(_keep_both, made))
            yield made
        finally:
            for slot in made:
                slot.end_all()


def _keep_both(slot: Slot) -> None:
    """The way back begins where an undisturbed deployment ended."""
    slot.keep(FORWARD)
    logs = slot.base / f"logs{slot.number}"
    logs.mkdir()
    result = run(Case(direction=FORWARD), slot, logs)
    if result.wrong:
        raise SlotFailed(f"undisturbed: {result.wrong}\n{Path(result.log).read_text()}")
    slot.ledger.write_text("")
    slot.keep(BACK)


def run_all(chosen: Callable[[list[Case]], Sequence[Case]], *, logs: Path) -> Matrix:
    """The chosen cases, after one undisturbed run each way; a line each on standard error."""
    begun = time.monotonic()
    logs.mkdir(parents=True, exist_ok=True)
    with slots() as places:
        free: queue.Queue[Slot] = queue.Queue()
        for slot in places:
            free.put(slot)

        def one(case: Case) -> Result:
            slot = free.get()
            try:
                result = run(case, slot, logs)
            finally:
                free.put(slot)
            tell(result)
            return result

        cases = chosen(cases_of(places[0].known))
        undisturbed = _at_a_time(len(places), one, [Case(direction=FORWARD), Case(direction=BACK)])
        results = _at_a_time(len(places), one, cases)
    return Matrix(results=tuple(results), undisturbed=tuple(undisturbed), seconds=time.monotonic() - begun)


def _at_a_time(count: int, one: Callable[[Case], Result], cases: Sequence[Case]) -> list[Result]:
    """All results in order; Ctrl-C ends after the cases that run."""
    pool = ThreadPoolExecutor(count)
    try:
        return list(pool.map(one, cases))
    finally:
        pool.shutdown(cancel_futures=True)


def tell(result: Result) -> None:
    """A line for who waits."""
    state = "RED " if result.wrong else "ok  "
    taken = f", take-over {result.take_over:.2f} s" if result.take_over is not None else ""
    print(f"{state} {result.case!s:<32} {result.seconds:5.1f} s  {result.way}{taken}", file=sys.stderr)
    for line in result.wrong:
        print(f"       {line}", file=sys.stderr)
    if result.wrong:
        print(f"       {result.log}", file=sys.stderr, flush=True)


def part(cases: Sequence[Case], number: int) -> list[Case]:
    """Every sixth case, beginning with the first, the second …: each part has all kinds of steps and points."""
    return list(cases[(number - 1) % PARTS :: PARTS])
