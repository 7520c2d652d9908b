"""Kind `environ`: are the variables in the running service's own process, not merely in a file beside it."""

from collections.abc import Mapping
from pathlib import Path

from checks.conditions import Judged, look_up, read_json
from checks.errors import ChecksError, Unreachable
from checks.gates.net import fetch
from checks.probers.base import (
    Answer,
    Question,
    answer,
    error,
    expanded,
    failed,
    names,
    problem,
    shape_problems,
    table,
    within,
)
from checks.probers.http import url_of
from checks.problems import Problem
from checks.verdicts import Verdict


class NoProcess(ChecksError):
    """The pid of the running service could not be found, or its environment not be read."""


class EnvironProber:
    """Option `pid_file`, or a target page whose JSON names the `pid`; values are compared and never shown.

    Options `require` (names that must be set and not empty) and `equals` (names with their values).
    """

    fields = ("PID", "MISSING", "WRONG", "CHECKED")
    options = {"pid_file": str, "require": list, "equals": dict}

    def problems(self, question: Question) -> list[Problem]:
        """Also nowhere to get the pid from, and nothing to require."""
        found = shape_problems(question, self)
        if not question.target and "pid_file" not in question.options:
            hint = "give options.pid_file, or as target a page whose JSON answer has a pid"
            found.append(problem("there is nothing to find the process by", hint, "options", "probe-target"))
        if not question.options.get("require") and not question.options.get("equals"):
            hint = "list names in options.require, or names with values in options.equals"
            found.append(problem("no variable is asked for", hint, "options", "probe-option"))
        return found

    async def ask(self, question: Question) -> Answer:
        """Facts MISSING and WRONG list names. Reads /proc/PID/environ: Linux, a process of the same user."""
        try:
            pid = await _pid(question)
            actual = _environment(pid)
            wrong = _wrong(question, actual)
        except Unreachable as unreachable:
            return failed(str(unreachable))
        except ChecksError as broken:
            return error(str(broken))
        missing = [name for name in names(question.options, "require") if not actual.get(name)]
        checked = len(names(question.options, "require")) + len(table(question.options, "equals"))
        facts: dict[str, object] = {
            "PID": pid,
            "MISSING": ", ".join(missing),
            "WRONG": ", ".join(wrong),
            "CHECKED": checked,
        }
        return answer(question, facts, seen=[_judged(facts)])


def _judged(facts: Mapping[str, object]) -> Judged:
    bad = [f"{name.lower()}: {facts[name]}" for name in ("MISSING", "WRONG") if facts[name]]
    if bad:
        return Judged(Verdict.FAILED, f"variables of process {facts['PID']}: {'; '.join(bad)}")
    return Judged(
        Verdict.PASSED, f"{facts['CHECKED']} variables of process {facts['PID']} are as they must be"
    )


async def _pid(question: Question) -> int:
    if "pid_file" in question.options:
        return _pid_of_file(
            within(question.folder, expanded(str(question.options["pid_file"]), question.variables))
        )
    response = await fetch(url_of(question), timeout=question.timeout)
    try:
        return int(str(look_up("[BODY].pid", {"BODY": read_json(response.body)})))
    except (ValueError, ChecksError):
        raise NoProcess(f"{url_of(question)}: the answer is not JSON with a pid") from None


def _pid_of_file(path: Path) -> int:
    try:
        return int(path.read_text(encoding="ascii"))
    except OSError as wrong:
        raise NoProcess(f"pid file {path}: {wrong.strerror}; does the service run?") from None
    except ValueError:
        raise NoProcess(f"pid file {path} holds no process number") from None


def _environment(pid: int) -> dict[str, str]:
    try:
        text = Path(f"/proc/{pid}/environ").read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        raise NoProcess(f"process {pid} does not run here") from None
    except OSError as wrong:
        raise NoProcess(f"the environment of process {pid} cannot be read: {wrong.strerror}") from None
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def _wrong(question: Question, actual: Mapping[str, str]) -> list[str]:
    wanted = table(question.options, "equals")
    return [name for name, value in wanted.items() if actual.get(name) != expanded(value, question.variables)]
