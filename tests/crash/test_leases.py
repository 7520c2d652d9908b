"""Who may act: one of fifty, the next after a death, never one that slept while another took over."""

import hashlib
import queue
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.crash.cases import (
    FIRST,
    HELD,
    RESUME,
    RUNS,
    effects,
    ended,
    get,
    ledger,
    let_go_when_claimed,
)
from tests.crash.matrix import slots
from tests.crash.slots import Slot
from tests.crash.steps import FORWARD
from tests.servers import wait_until

AT_ONCE = 50
SAME_HOST, OTHER_HOST = 2.0, 15.0
STEP = "drain"
AT_A_TIME = 3
ASLEEP = ("a", "b", "b'", "c", "d", "e")


@pytest.fixture(scope="module")
def made() -> Iterator[list[Slot]]:
    """Slots, their templates made once: most of the time here is waiting for a lease to run out."""
    with slots(AT_A_TIME) as places:
        yield places


@pytest.fixture
def slot(made: list[Slot]) -> Iterator[Slot]:
    """A depot at v1, v2 approved."""
    with fresh(made[0]) as place:
        yield place


@contextmanager
def fresh(slot: Slot) -> Iterator[Slot]:
    """The depot at v1, v2 approved; nothing of what follows outlives it."""
    slot.restore(FORWARD)
    slot.ctl("start")
    try:
        yield slot
    finally:
        slot.end_all()


def order_for(slot: Slot, point: str, **more: str) -> dict[str, str]:
    """What the driver is told to stop or die there, in the step that drains."""
    key = next(key for key, name in slot.known["actions"][FORWARD] if name == STEP)
    hold = slot.folder / "holds" / f"{STEP}.half"
    if point == "c":
        hold.touch()
    return {"point": point, "action": key, "hold": str(hold), **more}


def stamp(slot: Slot, name: str) -> float:
    """When that happened (seconds since the epoch)."""
    return float((slot.folder / "stamps" / name).read_text())


def resumed(slot: Slot, log: Path) -> int:
    """--resume, again as long as another holds it; its exit code."""
    until = time.monotonic() + 60
    while (code := once_resumed(slot, log)) == HELD:
        assert time.monotonic() < until, log.read_text()
    return code


def once_resumed(slot: Slot, log: Path) -> int:
    """Its exit code; a command that lives on ends when somebody has taken over."""
    process = slot.start(*RESUME, log=log)
    let_go_when_claimed(slot, process)
    return ended(process, time.monotonic() + 60)


def rows(slot: Slot) -> str:
    """A digest of every row that Gantry has."""
    dump = [str(slot.server.bin / "pg_dump"), "--data-only", f"--dbname={slot.url(slot.gantry)}"]
    text = subprocess.run(dump, check=True, capture_output=True).stdout
    return hashlib.sha256(re.sub(rb"(?m)^\\(un)?restrict .*$", b"", text)).hexdigest()


def test_of_fifty_that_start_at_once_one_runs(slot: Slot, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    many = slot.start(*FIRST[FORWARD], log=tmp_path / "log", copies=AT_ONCE, outputs=str(outputs))
    assert many.wait(300) == 0, (tmp_path / "log").read_text()
    said = {path: path.read_text() for path in outputs.iterdir()}
    codes = Counter(path.suffix for path in said)
    others = [text for path, text in said.items() if path.suffix != ".0"]
    assert codes == {".0": 1, f".{HELD}": AT_ONCE - 1}, "\n".join(others)
    assert [text for text in others if "#1" not in text] == []
    assert set(effects(slot).values()) == {1}


def test_a_death_on_this_host_is_seen_at_once(slot: Slot, tmp_path: Path) -> None:
    first = slot.start(*FIRST[FORWARD], log=tmp_path / "log", **order_for(slot, "c"))
    assert first.wait(60) == -9
    # Not `resumed`: it is not held, not even the first time.
    assert once_resumed(slot, tmp_path / "log") == 0, (tmp_path / "log").read_text()
    assert stamp(slot, "claimed") - stamp(slot, "asked") <= SAME_HOST


def test_a_death_on_another_host_is_seen_when_its_lease_ran_out(slot: Slot, tmp_path: Path) -> None:
    order = order_for(slot, "e", host="elsewhere")
    first = slot.start(*FIRST[FORWARD], log=tmp_path / "log", **order)
    assert first.wait(60) == -9
    assert resumed(slot, tmp_path / "log") == 0, (tmp_path / "log").read_text()
    waited = stamp(slot, "claimed") - stamp(slot, "killed")
    # Nobody here can know that it is dead before its lease says so: heartbeats are 2.5 s apart, a lease lasts 10 s.
    assert 7.0 <= waited <= OTHER_HOST


def test_who_slept_past_its_lease_changes_nothing(made: list[Slot], tmp_path: Path) -> None:
    free: queue.Queue[Slot] = queue.Queue()
    for place in made:
        free.put(place)

    def one(point: str) -> str:
        place = free.get()
        try:
            with fresh(place):
                return what_a_sleeper_did(place, tmp_path / f"{point}.log", point)
        except (TimeoutError, subprocess.TimeoutExpired) as late:
            return str(late)
        finally:
            free.put(place)

    with ThreadPoolExecutor(len(made)) as pool:
        found = dict(zip(ASLEEP, pool.map(one, ASLEEP), strict=True))
    assert found == dict.fromkeys(ASLEEP, "")


def what_a_sleeper_did(slot: Slot, log: Path, point: str) -> str:
    """Stopped there, replaced, woken: what it changed, or how else it was not as it should be; nothing, it is hoped."""
    first = slot.start(*FIRST[FORWARD], log=log, **order_for(slot, point, signal="SIGSTOP"))
    process = psutil.Process(first.pid)
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED, within=60, what="it sleeps")
    second = log.with_suffix(".second")
    if code := resumed(slot, second):
        return f"who took over ended with {code}: {second.read_text()}"
    before = world_of(slot)
    if before["front"] != (200, {"version": RUNS[FORWARD][0]}):
        return f"{before['front']} answers"
    first.send_signal(signal.SIGCONT)
    code = ended(first, time.monotonic() + 60)
    after = world_of(slot)
    changed = [name for name, value in after.items() if value != before[name]]
    if changed or not code or "another worker's" not in log.read_text():
        return f"it ended with {code} and changed {changed}: {log.read_text()}"
    return ""


def world_of(slot: Slot) -> dict[str, Any]:
    """All that a worker could change."""
    state = {path.name: path.read_text() for path in (slot.folder / "state").iterdir() if path.suffix == ""}
    return {"rows": rows(slot), "ledger": ledger(slot), "front": get(f"{slot.base_url}/"), "state": state}
