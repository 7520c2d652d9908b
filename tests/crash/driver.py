"""Gantry's command line in a process that kills itself at one chosen moment, or tells afterwards how things stand.

`python -m tests.crash.driver deploy_release …`, told by CRASH_ORDER (JSON). The product knows nothing of it: functions
are wrapped from outside, at the seams below.
"""

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

import django
import psycopg
from django.core.management import execute_from_command_line

ORDER: dict[str, Any] = json.loads(os.environ.get("CRASH_ORDER", "{}"))


class NoSuchSeam(Exception):
    """The engine has no function of that name any more: adapt SEAMS."""


def is_intent(*changes: Any, **_: Any) -> bool:
    """A new open attempt at the chosen action."""
    return any(_is(change, "Add") and not change.row.outcome for change in _of_chosen(changes))


def is_spawn(attempt: Any, *_: Any, **__: Any) -> bool:
    """Who runs the chosen action is written down."""
    return bool(attempt.action == ORDER["action"])


def is_outcome(*changes: Any, **_: Any) -> bool:
    """How the chosen action ended is written down."""
    return any(_is(change, "Move") for change in _of_chosen(changes))


# point: (module, function through which it goes, before or after it, which call)
SEAMS: dict[str, tuple[str, str, str, Callable[..., bool]]] = {
    "a": ("releases.recorder", "record", "before", is_intent),
    "b": ("releases.recorder", "record", "after", is_intent),
    "b'": ("releases.recorder", "note_process", "after", is_spawn),
    "d": ("releases.recorder", "record", "before", is_outcome),
    "e": ("releases.recorder", "record", "after", is_outcome),
}
INTENT = SEAMS["b"]
CLAIM = ("releases.recorder", "claim")


def _of_chosen(changes: tuple[Any, ...]) -> list[Any]:
    rows = [change for change in changes if type(getattr(change, "row", None)).__name__ == "Attempt"]
    return [change for change in rows if change.row.action == ORDER["action"]]


def _is(change: Any, name: str) -> bool:
    return type(change).__name__ == name


def main() -> int:
    """Run the command; its exit code, after the report where one is wanted."""
    pretend_to_be(ORDER.get("host", ""))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    install(ORDER.get("point", ""))
    wrap(*CLAIM, before=lambda *_, **__: stamp("asked"), after=lambda *_, **__: stamp("claimed"))
    if copies := ORDER.get("copies"):
        return run_at_once(copies, Path(ORDER["outputs"]))
    code = run()
    if path := ORDER.get("report"):
        Path(path).write_text(json.dumps(report()))
    return code


def run() -> int:
    """The command's exit code."""
    try:
        execute_from_command_line(["manage.py", *sys.argv[1:]])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    return 0


def run_at_once(copies: int, outputs: Path) -> int:
    """So many processes, each with the command, let go in the same moment; `outputs` gets NUMBER.CODE of each."""
    import_module(f"releases.management.commands.{sys.argv[1]}")  # once, not so many times
    gate, opener = os.pipe()
    for number in range(copies):
        if os.fork() == 0:
            os.close(opener)
            _run_one(outputs / str(number), gate)
    os.close(gate)
    os.close(opener)  # each of them reads until then
    for _ in range(copies):
        os.wait()
    return 0


def _run_one(output: Path, gate: int) -> None:
    """A process that was forked after the settings were read, so that they all start at once."""
    sink = os.open(output, os.O_WRONLY | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(sink, stream)
    os.read(gate, 1)
    code = 1
    try:
        code = run()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        output.rename(output.with_name(f"{output.name}.{code}"))
        os._exit(code)


def pretend_to_be(host: str) -> None:
    """Another machine, as far as a process can tell."""
    if host:
        socket.gethostname = lambda: host  # type: ignore[assignment]


# --- killing ---------------------------------------------------------------------------------------


def install(point: str) -> None:
    """Make this process kill itself there; raises NoSuchSeam."""
    if not point:
        return
    if point in SEAMS:
        module, function, when, is_it = SEAMS[point]
        wrap(module, function, **{when: lambda *args, **options: is_it(*args, **options) and die()})
    elif ORDER["hold"].endswith(".lock"):
        module, function, when, is_it = INTENT
        wrap(module, function, **{when: lambda *args, **options: is_it(*args, **options) and lock_goods()})
    else:
        threading.Thread(target=die_when_held, daemon=True).start()


def wrap(
    module: str,
    name: str,
    *,
    before: Callable[..., Any] | None = None,
    after: Callable[..., Any] | None = None,
) -> None:
    """Put `before` and `after` around a function wherever it was imported; raises NoSuchSeam."""
    original = getattr(import_module(module), name, None)
    if original is None:
        raise NoSuchSeam(f"{module}.{name}")

    @wraps(original)
    def wrapped(*args: Any, **options: Any) -> Any:
        if before:
            before(*args, **options)
        found = original(*args, **options)
        if after:
            after(*args, **options)
        return found

    for loaded in list(sys.modules.values()):
        if getattr(loaded, "__name__", "").startswith("releases") and vars(loaded).get(name) is original:
            setattr(loaded, name, wrapped)


def die() -> None:
    """As a power cut: nothing is flushed, closed or released. Where SIGSTOP is asked for: sleep until CONT."""
    stamp("killed")
    os.kill(os.getpid(), signal.Signals[ORDER.get("signal", "SIGKILL")])


def die_when_held() -> None:
    """The chosen command says by renaming a file that it is in the middle."""
    reached = Path(f"{ORDER['hold']}.reached")
    while not reached.exists():
        time.sleep(0.005)
    die()


def lock_goods() -> None:
    """From the intent on nobody can read the table; the query that waits for it is the middle of the effect."""
    holder = psycopg.connect(os.environ["CRASH_DATABASE"])
    holder.execute("LOCK TABLE goods IN ACCESS EXCLUSIVE MODE")
    threading.Thread(target=die_when_somebody_waits, args=(holder,), daemon=True).start()


def die_when_somebody_waits(holder: psycopg.Connection[Any]) -> None:
    """The lock goes with this process."""
    waits = "SELECT 1 FROM pg_locks JOIN pg_database d ON database = d.oid WHERE NOT granted AND datname = %s"
    while not holder.execute(waits, [holder.info.dbname]).fetchone():
        time.sleep(0.005)
    die()


def stamp(name: str) -> None:
    """When it happened, for who measures take-overs."""
    if folder := ORDER.get("stamps"):
        Path(folder, name).write_text(repr(time.time()))


# --- telling ---------------------------------------------------------------------------------------


def report() -> dict[str, Any]:
    """How the newest deployment stands, as Gantry's own rows tell it."""
    from checks.audit import first_bad_entry
    from releases.models import Attempt, Backup, ChecklistItem, Deployment

    newest = Deployment.objects.order_by("-pk").first()
    assert newest is not None
    attempts = Attempt.objects.filter(deployment=newest)
    open_boxes = ChecklistItem.objects.filter(
        deployment=newest, is_required=True, state__in=["open", "failed"]
    )
    bad = first_bad_entry()
    return {
        "statuses": list(Deployment.objects.order_by("pk").values_list("status", flat=True)),
        "message": newest.message,
        "has_lease": newest.expires_at is not None,
        "is_fenced": newest.environment.is_fenced,
        "attempts": [(each.action, each.outcome, each.result.get("message", "")) for each in attempts],
        "open_attempts": [str(each) for each in Attempt.objects.filter(outcome="")],
        "open_boxes": [box.text for box in open_boxes],
        "lost_copies": [each.path for each in Backup.objects.all() if not Path(each.path).exists()],
        "bad_entry": bad.seq if bad else None,
    }


if __name__ == "__main__":
    sys.exit(main())
