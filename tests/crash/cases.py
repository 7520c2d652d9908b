"""One case: deploy or take back, be killed at one moment, take it up again, and look whether all is as it should be."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.crash.slots import LIMIT, WHERE, Slot, SlotFailed
from tests.crash.steps import BACK, DARK, EXTRA, FORWARD, INSIDE, STEPS
from tests.servers import wait_until

FIRST = {
    FORWARD: ("deploy_release", *WHERE),
    BACK: ("rollback_release", *WHERE, "--reason", "goods are missing", "--restore-data"),
}
RESUME = ("deploy_release", *WHERE, "--resume")
ENDS = {FORWARD: ["succeeded"], BACK: ["rolled_back", "succeeded"]}
RUNS = {FORWARD: ("v2", 6000), BACK: ("v1", 6)}
GOOD_CODES = {FORWARD: (0,), BACK: (0, 4)}
HELD = 5
# On the way back what nobody knows is "call someone": users see the closed page until it is decided.
WAITS = {FORWARD: (3,), BACK: (6,)}
HALF = ("*.raw", "*.vars", "*.code", "*.lost", "*.part", "*.restored")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Where the engine dies; without a point nothing happens to it."""

    direction: str
    action: str = ""
    name: str = ""
    point: str = ""
    place: str = ""

    def __str__(self) -> str:
        where = f":{self.place}" if self.is_extra else ""
        return ":".join(filter(None, (self.direction, self.name, self.point))) + where

    @property
    def is_extra(self) -> bool:
        """A second middle of the same effect."""
        return (self.point, self.place) in EXTRA.get(self.name, ())


@dataclass
class Result:
    """How a case ended: what is wrong (nothing, when it is green), how it was resolved, and how long it all took."""

    case: Case
    wrong: list[str] = field(default_factory=list)
    way: str = ""
    seconds: float = 0.0
    take_over: float | None = None
    log: str = ""


def cases_of(known: dict[str, Any]) -> list[Case]:
    """Every point of every action, both ways."""
    found = []
    for direction in (FORWARD, BACK):
        for action, name in known["actions"][direction]:
            step = STEPS[name]
            places = [(point, step.place(point) if point in INSIDE else "") for point in step.points]
            for point, place in [*places, *EXTRA.get(name, ())]:
                found.append(Case(direction=direction, action=action, name=name, point=point, place=place))
    return found


def run(case: Case, slot: Slot, logs: Path) -> Result:
    """The whole case in its slot; whatever goes wrong is in the result, with the log kept."""
    result = Result(case=case, log=str(logs / f"{str(case).replace(chr(39), '+')}.log"))
    begun = time.monotonic()
    until = begun + LIMIT
    try:
        slot.restore(case.direction)
        slot.ctl("start")
        if case.point:
            _be_killed(case, slot, result, until)
            report = _take_up(case, slot, result, until)
        else:
            report = _undisturbed(case, slot, result, until)
        result.wrong += judged(case, slot, report, result)
    except (Red, SlotFailed, TimeoutError, subprocess.TimeoutExpired) as red:
        result.wrong.append(str(red))
    finally:
        _write_down(slot, Path(result.log))
        slot.end_all()
    result.seconds = time.monotonic() - begun
    return result


class Red(Exception):
    """The case cannot go on."""


def _be_killed(case: Case, slot: Slot, result: Result, until: float) -> None:
    order: dict[str, Any] = {"point": case.point, "action": case.action}
    if case.place:
        order["hold"] = str(slot.folder / "holds" / f"{case.name}.{case.place}")
        if case.place != "lock":
            Path(order["hold"]).touch()
    process = slot.start(*FIRST[case.direction], log=Path(result.log), **order)
    code = ended(process, until)
    if code != -9:
        raise Red(f"the point was never reached: it ended with {code}")
    if case.point in DARK:
        slot.end_all(besides=slot.serving())


def _undisturbed(case: Case, slot: Slot, result: Result, until: float) -> dict[str, Any]:
    path = slot.folder / "report.json"
    process = slot.start(*FIRST[case.direction], log=Path(result.log), report=str(path))
    if (code := ended(process, until)) not in GOOD_CODES[case.direction]:
        raise Red(f"undisturbed it ended with {code}")
    return dict(json.loads(path.read_text()))


def _take_up(case: Case, slot: Slot, result: Result, until: float) -> dict[str, Any]:
    """--resume until it is over; where a person is asked, the ledger is what they look at."""
    code, report = _resume(slot, result, until)
    if code in GOOD_CODES[case.direction]:
        return report
    _check_question(case, code, report, result)
    # Who decides nothing is asked again.
    before = effects(slot)
    code, report = _resume(slot, result, until)
    _check_question(case, code, report, result)
    if effects(slot) != before:
        result.wrong.append("it went on although nobody had decided")
    is_done = before[case.name] > 0
    result.way = "counted as done" if is_done else "run again by a person"
    decision = ("--count-as-done", "the ledger has it") if is_done else ("--retry",)
    code, report = _resume(slot, result, until, decision)
    if code not in GOOD_CODES[case.direction]:
        raise Red(f"{decision} ended with {code}: {report.get('message', '')}")
    return report


def _check_question(case: Case, code: int, report: dict[str, Any], result: Result) -> None:
    """A deployment that waits, and only where it may; raises Red for any other end."""
    message = report.get("message", "")
    if code not in WAITS[case.direction] or report["statuses"][-1] != "waiting":
        raise Red(f"--resume ended with {code}: {message}")
    if not _may_ask(case):
        result.wrong.append(f"a person was asked: {message}")


def _may_ask(case: Case) -> bool:
    """A command that lives on, or ended, is followed; only of one that died can nobody know how far it came."""
    return STEPS[case.name].asks and case.point in DARK


def _resume(
    slot: Slot, result: Result, until: float, extra: tuple[str, ...] = ()
) -> tuple[int, dict[str, Any]]:
    path = slot.folder / "report.json"
    path.unlink(missing_ok=True)
    while True:
        process = slot.start(*RESUME, *extra, log=Path(result.log), report=str(path))
        let_go_when_claimed(slot, process)
        code = ended(process, until)
        if code != HELD:
            break
    stamps = {name: float((slot.folder / "stamps" / name).read_text()) for name in ("killed", "claimed")}
    if result.take_over is None:
        result.take_over = stamps["claimed"] - stamps["killed"]
    return code, json.loads(path.read_text()) if path.exists() else {}


def let_go_when_claimed(slot: Slot, process: subprocess.Popen[bytes]) -> None:
    """A command that lives on is still in its middle when somebody takes over; then it goes on by itself."""
    killed, claimed = (slot.folder / "stamps" / name for name in ("killed", "claimed"))
    wait_until(
        lambda: process.poll() is not None or claimed.stat().st_mtime_ns > killed.stat().st_mtime_ns,
        what="a claim",
    )
    if process.poll() is None:
        (slot.folder / "holds" / "released").touch()


def ended(process: subprocess.Popen[bytes], until: float) -> int:
    """The exit code; raises TimeoutExpired, and the process is gone."""
    try:
        return process.wait(max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


# --- judging ---------------------------------------------------------------------------------------


def effects(slot: Slot) -> Counter[str]:
    """How often each step had its effect, as the service counted."""
    return _count(slot, "effect")


def _count(slot: Slot, wanted: str) -> Counter[str]:
    return Counter(name for name, word, _ in ledger(slot) if word == wanted)


def ledger(slot: Slot) -> list[tuple[str, str, str]]:
    """(step, begin or effect, key) of each line."""
    lines = [line.split() for line in slot.ledger.read_text().splitlines()]
    return [(line[0], line[1], line[2]) for line in lines]


def judged(case: Case, slot: Slot, report: dict[str, Any], result: Result) -> list[str]:
    """Everything that is not as it should be."""
    found = [*_of_rows(case, report), *_of_ledger(case, slot, result), *_of_world(case, slot)]
    found += [f"left running: {' '.join(each.cmdline())[:200]}" for each in slot.others(slot.serving())]
    return found + [f"left behind: {each}" for each in _left_behind(slot)]


def _of_rows(case: Case, report: dict[str, Any]) -> list[str]:
    stand, wanted = report["statuses"], ENDS[case.direction]
    wrong = {
        f"deployments are {stand}, not {wanted}": stand != wanted,
        "its lease is not free": report["has_lease"],
        "Gantry believes the fence is up": report["is_fenced"],
        f"open attempts: {report['open_attempts']}": report["open_attempts"],
        f"open boxes: {report['open_boxes']}": report["open_boxes"],
        f"copies that are not there: {report['lost_copies']}": report["lost_copies"],
        f"the audit chain breaks at {report['bad_entry']}": report["bad_entry"] is not None,
    }
    return [text for text, is_so in wrong.items() if is_so]


def _of_ledger(case: Case, slot: Slot, result: Result) -> list[str]:
    counted, begun, found = effects(slot), _count(slot, "begin"), []
    names = {name for _, name in slot.known["actions"][case.direction] if STEPS[name].leaves}
    for name in sorted(names | set(counted)):
        died = name == case.name and case.point in DARK
        if begun[name] != 1 and not died:
            found.append(f"{name} was begun {begun[name]} times")
        if counted[name] != 1 and not (died and _is_provably_one(case, slot)):
            found.append(f"{name} had its effect {counted[name]} times")
    result.way = result.way or ("run again" if begun[case.name] > 1 else "done once")
    return found


def _is_provably_one(case: Case, slot: Slot) -> bool:
    """Made again under the same key by a command that converges."""
    keys = {key for name, word, key in ledger(slot) if name == case.name and word == "effect"}
    return STEPS[case.name].again and len(keys) == 1 and keys != {"-"}


def _of_world(case: Case, slot: Slot) -> list[str]:
    version, amount = RUNS[case.direction]
    answers = {page: get(f"{slot.base_url}{page}") for page in ("/", "/stock")}
    with psycopg.connect(slot.url(slot.depot)) as connection:
        row = connection.execute("SELECT sum(amount) FROM goods").fetchone()
    checks = {
        "/": (200, {"version": version}),
        "/stock": (200, {"amount": amount}),
    }
    found = [f"{page} answers {answers[page]}" for page, wanted in checks.items() if answers[page] != wanted]
    if row != (amount,):
        found.append(f"the goods amount to {row}, not {amount}")
    state = slot.folder / "state"
    written = {name: _lines(state / name) for name in ("enrolled", "letters")}
    wanted = ["v2"] if case.direction == FORWARD else ["v2", "v1"]
    return found + [f"{name}: {lines}" for name, lines in written.items() if lines != wanted]


def _left_behind(slot: Slot) -> list[str]:
    """What was on its way when the engine died, and is nobody's now: unmasked output, half copies, half restores."""
    var = slot.folder / "var"
    files = [each for pattern in HALF for each in var.rglob(pattern)]
    locks = list((slot.folder / "tree" / ".git").glob("*.lock"))
    return [*map(str, files + locks), *slot.databases("coming")]


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def get(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, None
    except OSError as error:
        return 0, str(error)


def _write_down(slot: Slot, log: Path) -> None:
    """The ledger stands in the log, for who reads why a case is red."""
    with log.open("a") as sink:
        sink.write(f"\n--- ledger\n{slot.ledger.read_text()}")
