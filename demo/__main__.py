"""`python -m demo`: the main job on the shop, by the commands a user would type. Leaves no process behind."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from types import FrameType

from rich.console import Console
from rich.table import Table

from demo import processes
from demo.build import Built, bring_up_shop, build_shop, open_built, take_down

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("GANTRY_VAR") or ROOT / "var").resolve() / "demo"
TRAFFIC = "traffic.json"  # pid and start time of the visitors, in the folder of their shop
COMMAND = "command.json"  # the same of the command that runs now, in the folder of all shops
ORDERS = "orders.txt"
MANAGER, APPROVER, OPERATOR = "rita", "anton", "olga"
DONE, ROLLED_BACK = 0, 4
GIVE_UP_AFTER = 120.0  # seconds for one command; the longest takes some 30
TICKED_BEFOREHAND = (
    "All pull requests of the release are reviewed and merged",
    "The test suite is green on the release commit",
    "Release notes are written, support has read them",
)
EVIDENCE = "pull requests reviewed by Anton, CI run passed, CHANGELOG.md answered by Noor of the support desk"
REHEARSED = "this runbook is rehearsed: the project's tests run it, both ways"

console = Console(highlight=False)


class Told(KeyboardInterrupt):
    """TERM or HUP came: unlike Ctrl-C in a terminal, our children do not have it."""


class NotAsExpected(Exception):
    """A command of the demo answered something else than it should; the demo ends there."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the closing table."""

    step: str
    expected: str
    got: str
    seconds: float


@dataclass
class Summary:
    """What was expected of each step and what came."""

    rows: list[Row] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, *, expected: str) -> Iterator[list[str]]:
        """Time a step; what the block appends to the list is what it got. Raises NotAsExpected when they differ."""
        begun = time.monotonic()
        got: list[str] = []
        try:
            yield got
        finally:
            said = got[-1] if got else "broke off"
            self.rows.append(Row(step=name, expected=expected, got=said, seconds=time.monotonic() - begun))
        if said != expected:
            raise NotAsExpected(f"{name}: expected {expected}, got {said}")

    def show(self) -> None:
        """The table, with what did not come as expected in red."""
        table = Table("Step", "Expected", "Got", title="The demo, step by step", title_justify="left")
        table.add_column("Seconds", justify="right")
        for row in self.rows:
            colour = "green" if row.got == row.expected else "red"
            table.add_row(row.step, row.expected, f"[{colour}]{row.got}[/]", f"{row.seconds:.1f}")
        console.print(table)


class Gantry:
    """Gantry's command line, typed by one of the staff of one service."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self.passwords: dict[str, str] = {}

    def do(self, *words: str, by: str = "", expected: int = DONE) -> None:
        """Show the command, run it with its output passing through, and hold it to its exit code."""
        command = [*words, *(["--as", by] if by else [])]
        console.print(f"\n[bold cyan]$ python manage.py {shlex.join(command)}[/]", soft_wrap=True)
        with self.summary.step(_title(words), expected=f"exit {expected}") as got:
            got.append(f"exit {self._run(command, by)}")

    def _run(self, command: Sequence[str], by: str) -> int:
        environment = dict(os.environ)
        if by:
            environment["GANTRY_PASSWORD"] = self.passwords[by]
        child = subprocess.Popen([sys.executable, "manage.py", *command], cwd=ROOT, env=environment)
        processes.record(VAR / COMMAND, child.pid)
        return wait_for(child)


def main() -> int:
    """Exit 0 only if everything came as expected."""
    end_in_order_on(signal.SIGTERM, signal.SIGHUP)
    summary, begun, fine = Summary(), time.monotonic(), False
    folder = free_folder("shop")
    try:
        end_leftovers()
        with live_shop(folder, summary) as shop:
            tell_the_story(shop, Gantry(summary), summary)
        fine = True
    except NotAsExpected as problem:
        console.print(f"\n[bold red]{problem}[/]")
    except KeyboardInterrupt:
        console.print("\n[bold red]interrupted[/]")
    except subprocess.CalledProcessError as problem:
        console.print(f"\n[bold red]{shlex.join(problem.cmd)} ended with {problem.returncode}[/]")
        console.print(problem.stdout or "", markup=False)
    closing_words(folder, summary, time.monotonic() - begun)
    return 0 if fine else 1


@contextmanager
def live_shop(folder: Path, summary: Summary) -> Iterator[Built]:
    """The shop, built and serving v1.0; its processes and its visitors end with the block, however it ends."""
    console.rule("[bold]A shop, its git repository, and version v1.0 live")
    with summary.step("build the shop", expected="built") as got:
        shop = build_shop(folder, port=free_port())
        got.append("built")
    try:
        with summary.step("put v1.0 live", expected="v1.0") as got:
            bring_up_shop(shop)
            got.append(version_of(shop))
        console.print(f"{shop.base_url} serves v1.0; git repository {shop.origin}")
        yield shop
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C may not cut this short
        end_processes(shop)


def tell_the_story(shop: Built, gantry: Gantry, summary: Summary) -> None:
    """The main job: a good version goes live, a bad one takes itself back, no order is lost."""
    start_traffic(shop)
    service = shop.name
    console.rule("[bold]Gantry gets to know the shop")
    gantry.do("register_service", str(shop.toml))
    gantry.passwords = create_staff()
    gantry.do("import_runbook", str(shop.runbook), "--service", service)
    gantry.do("review_runbook", service, "--level", "auto", "--why", REHEARSED, by=MANAGER)
    gantry.do("publish_runbook", service, by=MANAGER)
    console.rule("[bold]v1.1: a new column, its data, a new package, a new feature")
    release(service, "v1.1", gantry, expected=DONE)
    expect_version(shop, summary, "v1.1")
    console.rule("[bold]v1.2: every fifth order fails; the release takes itself back")
    release(service, "v1.2", gantry, expected=ROLLED_BACK)
    expect_version(shop, summary, "v1.1")
    console.rule("[bold]Was an order lost?")
    stop_traffic(shop)
    verify_orders(shop, summary)


def release(service: str, version: str, gantry: Gantry, *, expected: int) -> None:
    """Create, tick, approve, deploy: three people, as the runbook's sign-off wants it."""
    gantry.do("create_release", service, version, by=MANAGER)
    gantry.do("tick_item", service, version, *TICKED_BEFOREHAND, "--evidence", EVIDENCE, by=MANAGER)
    where = ("--environment", "production")
    gantry.do("approve_release", service, version, *where, by=APPROVER)
    confirmed = ("--yes", "--evidence", "no campaign and no stock-taking this week: calendar of 2 May")
    gantry.do("deploy_release", service, version, *where, *confirmed, by=OPERATOR, expected=expected)


def create_staff() -> dict[str, str]:
    """Three people with the roles of the runbook; random passwords, shown this once. User -> password."""
    command = ["manage.py", "create_staff", "--json", "--renew"]
    console.print(f"\n[bold cyan]$ python {shlex.join(command)}[/]", soft_wrap=True)
    made = subprocess.run([sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    passwords: dict[str, str] = json.loads(made.stdout)
    table = Table("User", "Password (shown once)")
    for user, password in passwords.items():
        table.add_row(user, password)
    console.print(table)
    return passwords


def expect_version(shop: Built, summary: Summary, version: str) -> None:
    """Ask the shop itself."""
    with summary.step("the shop answers as", expected=version) as got:
        got.append(version_of(shop))


def version_of(shop: Built) -> str:
    with urllib.request.urlopen(f"{shop.base_url}/health/ready", timeout=5) as response:
        return str(json.load(response)["version"])


def start_traffic(shop: Built) -> None:
    """Visitors, in a session of their own: Ctrl-C reaches us first."""
    command = [sys.executable, "-m", "demo.traffic", "run", shop.base_url, str(shop.folder / ORDERS)]
    with (shop.folder / "traffic.log").open("ab") as log:
        visitors = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    processes.record(shop.folder / TRAFFIC, visitors.pid)
    console.print(
        f"visitors place orders; every id they were answered 201 for goes to {shop.folder / ORDERS}"
    )


def stop_traffic(shop: Built) -> None:
    """End the visitors and wait until their summary is written."""
    processes.ask_to_end(shop.folder / TRAFFIC)
    processes.await_end(shop.folder / TRAFFIC, limit=15)


def verify_orders(shop: Built, summary: Summary) -> None:
    """Every acknowledged order, by its id."""
    command = ["-m", "demo.traffic", "verify", shop.base_url, str(shop.folder / ORDERS)]
    console.print(f"\n[bold cyan]$ python {shlex.join(command)}[/]", soft_wrap=True)
    with summary.step("every acknowledged order is found", expected="exit 0") as got:
        code = wait_for(subprocess.Popen([sys.executable, *command], cwd=ROOT))
        got.append(f"exit {code}")


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """The exit code. On Ctrl-C the child has it too and ends in order; otherwise it is told to."""
    try:
        return child.wait(GIVE_UP_AFTER)
    except subprocess.TimeoutExpired:
        end_child(child)
        raise NotAsExpected(f"no end after {GIVE_UP_AFTER:g} s") from None
    except Told:
        end_child(child)
        raise
    except KeyboardInterrupt:
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            end_child(child)
        raise


def end_child(child: subprocess.Popen[bytes]) -> None:
    """TERM, time to put things in order, KILL."""
    child.terminate()
    try:
        child.wait(20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def end_processes(shop: Built) -> None:
    """Visitors and shop, by their recorded pid and start time."""
    stop_traffic(shop)
    take_down(shop)


def end_leftovers() -> None:
    """What a killed earlier run left running: first its command, for a deployment would start the shop again."""
    processes.ask_to_end(VAR / COMMAND)
    processes.await_end(VAR / COMMAND, limit=30)
    for toml in sorted(VAR.glob("shop*/service.toml")):
        end_processes(open_built(toml.parent))


def free_folder(name: str) -> Path:
    """var/demo/shop, or shop-2, shop-3 …: earlier runs stay to be looked at."""
    names = (name if number == 1 else f"{name}-{number}" for number in count(1))
    return next(VAR / each for each in names if not (VAR / each).exists())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_in_order_on(*signals: signal.Signals) -> None:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Told

    for each in signals:
        signal.signal(each, interrupt)


def closing_words(folder: Path, summary: Summary, seconds: float) -> None:
    """The table and where to look further."""
    console.print()
    console.rule("[bold]What happened")
    summary.show()
    console.print(f"Deployment logs:     {VAR.parent / 'logs' / folder.name}", soft_wrap=True)
    console.print(f"The shop's own logs: {folder / 'tree' / 'logs'}", soft_wrap=True)
    console.print(f"The orders by id:    {folder / ORDERS}", soft_wrap=True)
    console.print(
        "The admin:           `make serve` opens it, with both releases and their deployment logs",
        soft_wrap=True,
    )
    console.print(f"It took {seconds:.0f} s, and no process was left behind.")


def _title(words: Sequence[str]) -> str:
    versions = [word for word in words if word.startswith("v1.")]
    return " ".join([words[0], *versions[:1]])


if __name__ == "__main__":
    sys.exit(main())
