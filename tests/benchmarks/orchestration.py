"""`python -m tests.benchmarks.orchestration`: seconds of whole processes that run thirty trivial commands one by one.

Gantry (every step with intent, evidence and audit trail; SQLite with NORMAL and FULL, PostgreSQL) beside bash, beside
Django with one row a step, and beside Fabric, pyinfra and Ansible where they are on PATH; rounds are interleaved.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests import servers

STEPS = 30
ROUNDS = 9
COMMAND = "true"
ROOT = Path(__file__).parents[2]
BARE_DJANGO = f"""
import subprocess, django
django.setup()
from checks.models import Metric, MetricSnapshot
from django.utils import timezone
metric = Metric.objects.get()
for number in range({STEPS}):
    subprocess.run(["bash", "-c", {COMMAND!r}], check=True)
    MetricSnapshot.objects.create(metric=metric, at=timezone.now(), value=number)
"""
FABFILE = f"""
from fabric import task
@task
def deploy(c):
    for number in range({STEPS}):
        c.run({COMMAND!r})
"""
PYINFRA = f"""
from pyinfra.operations import server
for number in range({STEPS}):
    server.shell(name=f"step {{number}}", commands=[{COMMAND!r}])
"""
PLAYBOOK = (
    "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
    + f'    - ansible.builtin.command: "{COMMAND}"\n' * STEPS
)
HEADINGS = "\n".join(
    f"### {n}. Step\n\n```bash {{name=step{n}}}\n{COMMAND} # {n}\n```\n" for n in range(STEPS)
)
RUNBOOK = f"# Bench\n\n## Deployment steps\n\n{HEADINGS}\n## Rollback procedure\n\n```bash\ntrue\n```\n"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """A name, and one run of it: its argv and environment, made ready outside the measured time."""

    name: str
    ready: Callable[[], tuple[list[str], dict[str, str]]]


def main() -> int:
    """Interleaved rounds of all; a line a contestant: median, smallest, largest, and its factor to bare Django."""
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="gantry-bench-")))
        contestants = list(all_of(folder, held))
        taken: dict[str, list[float]] = {each.name: [] for each in contestants}
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr, flush=True)
            for each in contestants:
                taken[each.name].append(seconds(each))
    bare = statistics.median(taken["Django, one row a step"])
    for name, times in taken.items():
        median = statistics.median(times)
        print(
            f"{name:<32} {median:6.2f} s  ({min(times):.2f} to {max(times):.2f})  {median / bare:5.2f} x bare Django"
        )
    for name in ("Gantry, SQLite NORMAL", "Gantry, SQLite FULL", "Gantry, PostgreSQL"):
        added = (statistics.median(taken[name]) - bare) / STEPS * 1000
        print(f"{name}: {added:.1f} ms a step more than bare Django, start-up included")
    return 0


def seconds(contestant: Contestant) -> float:
    argv, env = contestant.ready()
    begun = time.perf_counter()
    done = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True)
    taken = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{contestant.name} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return taken


def all_of(folder: Path, held: ExitStack) -> Iterator[Contestant]:
    """Those that are here; the others are named."""
    script = written(folder / "steps.sh", f"{COMMAND}\n" * STEPS)
    yield Contestant(name="bash", ready=lambda: (["bash", "-e", str(script)], dict(os.environ)))
    yield bare_django(folder)
    yield gantry(folder, "SQLite NORMAL", {"SQLITE_SYNCHRONOUS": "NORMAL"})
    yield gantry(folder, "SQLite FULL", {"SQLITE_SYNCHRONOUS": "FULL"})
    server = held.enter_context(servers.postgres())
    yield gantry(folder, "PostgreSQL", {"DATABASE_URL": held.enter_context(server.database())})
    others = {
        "Fabric": ["fab", "-r", str(written(folder / "fab" / "fabfile.py", FABFILE).parent), "deploy"],
        "pyinfra": ["pyinfra", "-y", "@local", str(written(folder / "steps.py", PYINFRA))],
        "Ansible": ["ansible-playbook", str(written(folder / "steps.yml", PLAYBOOK))],
    }
    for name, argv in others.items():
        if shutil.which(argv[0]):
            yield Contestant(name=name, ready=lambda argv=argv: (argv, dict(os.environ)))  # type: ignore[misc]
        else:
            print(f"{name} is not on PATH and was left out", file=sys.stderr)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def bare_django(folder: Path) -> Contestant:
    """The same settings and database, one row written a step, and nothing else."""
    env = environment(folder / "bare", {"SQLITE_SYNCHRONOUS": "NORMAL"})
    prepare(env, "bare", folder / "bare")
    argv = [sys.executable, "-c", BARE_DJANGO]
    return Contestant(name="Django, one row a step", ready=lambda: (argv, env))


def gantry(folder: Path, name: str, settings: dict[str, str]) -> Contestant:
    """Each round deploys a new release, approved before the clock starts."""
    place = folder / name.replace(" ", "-")
    env = environment(place, settings)
    prepare(env, "service", place)

    def ready() -> tuple[list[str], dict[str, str]]:
        version, token = prepare(env, "release", place).split()
        argv = [sys.executable, "manage.py", "deploy_release", "bench", version, "--environment", "here"]
        return [*argv, "--as", "olga"], {**env, "GANTRY_TOKEN": token}

    return Contestant(name=f"Gantry, {name}", ready=ready)


def environment(place: Path, settings: dict[str, str]) -> dict[str, str]:
    place.mkdir()
    (place / "env").touch()
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "GANTRY_ENV_FILE": str(place / "env"),
        "GANTRY_VAR": str(place / "var"),
        "SECRET_KEY": "only-for-the-benchmark-" + "0" * 30,
        **settings,
    }


def prepare(env: dict[str, str], what: str, place: Path) -> str:
    """A step of the preparation, in a process with that environment; returns the last line that it printed."""
    argv = [sys.executable, "-m", "tests.benchmarks.prepared", what, str(place), RUNBOOK]
    return subprocess.run(
        argv, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
