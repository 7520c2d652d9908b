"""Ctrl-C, TERM and a closed terminal beside a run; and what `--json` leaves on standard output: one object."""

import json
import os
import pty
import select
import signal
import sys

import pytest
from django.conf import settings
from django.utils import timezone

from checks.gates.identity import Identity
from checks.gates.process import end_group
from releases.identity import create_token
from releases.models import Attempt, Deployment
from releases.statuses import DeploymentStatus
from tests.releases.management.terminals import (
    LONG,
    PAUSABLE,
    WAIT,
    fresh,
    in_the_middle,
)
from tests.releases.world import RUNBOOK, World
from tests.servers import wait_until

real = pytest.mark.django_db(transaction=True)
D = DeploymentStatus
ONCE, TWICE = "pausing at the next safe point", "ending what is under way"
BACK_WAITS = RUNBOOK.replace('git checkout "$PREVIOUS_VERSION"', f'{WAIT}; git checkout "$PREVIOUS_VERSION"')


@pytest.fixture
def in_mid_step(world: World, terminal):
    """`in_mid_step(text)`: a deployment, and the terminal that carries it on, in its step that waits."""

    def make(text: str = PAUSABLE) -> tuple:
        world.publish(text)
        deployment = world.approved()
        engine = terminal("deploy_release", "tea", "v2", "--json")
        in_the_middle(deployment)
        return deployment, engine

    return make


@real
@pytest.mark.parametrize("key", [signal.SIGINT, signal.SIGTERM])
def test_once_says_what_is_up_and_pauses_at_the_next_safe_point(world: World, in_mid_step, key):
    deployment, engine = in_mid_step()
    engine.press(key)
    engine.shows(ONCE)
    engine.shows("maintenance is off, tea/production is held by #1")
    assert fresh(deployment).status == D.RUNNING
    world.mark("go")
    engine.ends(3)
    found = json.loads(engine.out)
    assert (found["status"], found["exit_code"], fresh(deployment).status) == ("paused", 3, D.PAUSED)
    assert (deployment.attempts.latest("pk").outcome, world.started) == ("succeeded", [])


@real
def test_twice_ends_what_is_under_way_and_a_person_answers(world: World, in_mid_step, terminal):
    deployment, engine = in_mid_step()
    for words in (ONCE, TWICE):
        engine.press()
        engine.shows(words)
    engine.ends(3)
    assert json.loads(engine.out)["status"] == "paused"
    assert deployment.attempts.latest("pk").outcome == "unknown"
    terminal("deploy_release", "tea", "v2", "--resume").ends(3)
    world.mark("go")
    again = terminal("deploy_release", "tea", "v2", "--resume", "--retry", "--json")
    again.ends(0)
    assert (json.loads(again.out)["exit_code"], world.started) == (0, ["v2"])


@real
def test_three_times_leaves_it_to_resume_as_it_is(world: World, in_mid_step, terminal):
    deployment, engine = in_mid_step()
    engine.press()
    engine.shows(ONCE)
    # Both are there when it looks, or the second alone might have paused it already.
    for key in (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGCONT):
        engine.press(key)
    said = engine.ends(3)
    assert f"{deployment} was left in the middle; `deploy_release … --resume` takes it up as it is" in said
    assert (fresh(deployment).status, engine.out) == (D.RUNNING, "")
    assert Identity(**deployment.attempts.get(outcome="").process).is_alive
    world.mark("go")
    terminal("deploy_release", "tea", "v2", "--resume").ends(0)
    assert (fresh(deployment).status, world.started) == (D.SUCCEEDED, ["v2"])
    assert set(deployment.attempts.values_list("outcome", flat=True)) == {"succeeded"}


@real
def test_a_way_back_is_paused_the_same(world: World, terminal):
    world.publish(BACK_WAITS)
    world.approved()
    terminal("deploy_release", "tea", "v2").ends(0)
    engine = terminal("rollback_release", "tea", "v2", "--reason", "bad", "--json")
    wait_until(lambda: Deployment.objects.count() == 2, within=LONG, what="the way back")
    back = Deployment.objects.get(undoes__isnull=False)
    in_the_middle(back)
    engine.press()
    engine.shows("maintenance is off, tea/production is held by #2")
    world.mark("go")
    engine.ends(3)
    assert (json.loads(engine.out)["status"], fresh(back).status) == ("paused", D.PAUSED)
    terminal("deploy_release", "tea", "v2", "--resume").ends(4)
    assert world.started == ["v2", "v1"]


# --- a closed terminal ------------------------------------------------------------------------------------------


@pytest.fixture
def at_a_real_terminal(world: World, process_environment):
    """A function that types the command at a terminal: its process, and the other end of the line, to be closed."""
    token = create_token(world.olga, label="tests", days=1, by="olga", at=timezone.now())
    words = ["manage.py", "deploy_release", "tea", "v2", "--environment", "production", "--as", "olga"]
    begun: list[int] = []

    def start() -> tuple[int, int]:
        pid, line = pty.fork()
        if not pid:
            os.chdir(settings.BASE_DIR)
            os.execve(
                sys.executable, [sys.executable, *words], {**process_environment, "GANTRY_TOKEN": token}
            )
        begun.append(pid)
        return pid, line

    yield start
    for pid in begun:
        if not _code(pid, os.WNOHANG):
            os.kill(pid, signal.SIGKILL)
    for identity in Attempt.objects.exclude(process={}).values_list("process", flat=True):
        end_group(Identity(**identity))


def _read(line: int) -> bool:
    """Take in what is shown by now; always True."""
    while select.select([line], [], [], 0)[0]:
        os.read(line, 65536)
    return True


def _code(pid: int, how: int = 0) -> list[int]:
    """The exit code in a list; an empty one while it runs."""
    try:
        found, status = os.waitpid(pid, how)
    except ChildProcessError:
        return [0]
    return [os.waitstatus_to_exitcode(status)] if found else []


@real
@pytest.mark.parametrize(("then", "code", "status"), [(None, 0, D.SUCCEEDED), (signal.SIGTERM, 3, D.PAUSED)])
def test_a_closed_terminal_ends_nothing_and_a_later_signal_is_heeded(
    world: World, at_a_real_terminal, then, code, status
):
    world.publish(PAUSABLE)
    deployment = world.approved()
    pid, line = at_a_real_terminal()
    begun = deployment.attempts.filter(outcome="", tail__contains="begun")
    # What is shown has to be read: a full line would stop who writes.
    wait_until(lambda: _read(line) and begun.exists(), within=LONG, what="the step in the middle")
    os.close(line)
    if then:
        os.kill(pid, then)
    world.mark("go")
    ended: list[int] = []
    wait_until(lambda: ended.extend(_code(pid, os.WNOHANG)) or ended, within=LONG, what="the end")
    assert (ended, fresh(deployment).status) == ([code], status), fresh(deployment).message


@pytest.mark.django_db
def test_ctrl_c_before_it_began_is_one_line(deploy, world: World, monkeypatch):
    def pressed(*given: object, **named: object) -> None:
        raise KeyboardInterrupt

    planned = world.approved()
    monkeypatch.setattr("releases.lifecycle.deployments.plan", pressed)
    seen = deploy()
    assert (seen.code, seen.err, fresh(planned).status) == (130, "gantry: interrupted\n", D.PLANNED)


# --- what programs read --------------------------------------------------------------------------------------------

ENDS = [
    ([], 0, "succeeded"),
    (["no-start"], 4, "rolled_back"),
    (["no-start", "no-way-back"], 6, "failed"),
    (["running/no-look"], 1, "failed"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("marks", "code", "status"), ENDS)
@pytest.mark.parametrize("verbosity", ["1", "2"])
def test_standard_output_is_one_object(deploy, world: World, marks, code, status, verbosity):
    world.approved()
    for name in marks:
        world.mark(name)
    seen = deploy("--json", "--verbosity", verbosity)
    found = json.loads(seen.out)
    assert (seen.code, found["exit_code"], found["status"]) == (code, code, status), seen
    assert " start" in seen.err or "look" in seen.err


@pytest.mark.django_db
def test_of_one_that_waits_and_of_one_that_is_followed(deploy, world: World):
    world.publish(RUNBOOK.replace("{name=start}", "{name=start on_fail=wait}"))
    world.approved()
    world.mark("no-start")
    for words in ([], ["--resume"], ["--follow"]):
        found = json.loads(deploy("--json", *words).out)
        assert (found["status"], found["exit_code"]) == ("waiting", 3)


@pytest.mark.django_db
def test_of_a_way_back(deploy, gantry, world: World):
    world.approved()
    deploy()
    words = ["rollback_release", "tea", "v2", "--environment", "production", "--reason", "bad", "--json"]
    found = json.loads(gantry(*words, "--as", "olga", token_of=world.olga).out)
    assert (found["direction"], found["exit_code"]) == ("back", 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "code"), [([], 3), (["--at", "soon"], 2), (["--resume"], 2), (["--follow"], 2)]
)
def test_a_refusal_leaves_standard_output_empty(deploy, world: World, words, code):
    world.release()
    seen = deploy("--json", *words)
    assert (seen.code, seen.out, seen.err.count("\n")) == (code, "", 1)
