"""Stand-ins for outside tools: `… FOLDER NAME ARGUMENT…` writes the call down and answers as the tool would.

What a tool does to the service it does here, too: a restart starts a new process, a deploy puts the commit live.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.stand_in import processes
from tests.stand_in.processes import StandIn

Arguments = list[str]


def vercel(service: StandIn, words: Arguments) -> int:
    """`deploy --prod` puts the checked-out commit live, `redeploy` starts it anew; else it is a preview."""
    if words[:1] == ["redeploy"]:
        processes.restart(service)
    elif "--prod" in words:
        head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
        processes.release(service, head.stdout.strip(), of=Path.cwd())
    print(f"https://{service.folder.name}-git.vercel.example")
    return 0


def pushed(service: StandIn, words: Arguments) -> int:
    """The hook of a platform's repository: what arrived is put live."""
    commit = sys.stdin.read().split()[1]
    processes.release(service, commit, of=Path.cwd())
    print(f"-----> {commit[:7]} is live")
    return 0


def control(service: StandIn, words: Arguments) -> int:
    """systemctl, supervisorctl and pm2: restart, start, stop and status of the service and its workers."""
    verb, units = words[0], words[1:]
    if verb in ("restart", "stop"):
        processes.stop(service)
    if verb in ("restart", "start"):
        processes.stop(service)
        processes.start(service, Path(processes.note(service)[2]))
    if any("worker" in unit for unit in units):
        _set_worker(service, up=verb in ("restart", "start"))
    print(f"{' '.join(units) or 'all'}: {verb}")
    return 0


def celery(service: StandIn, words: Arguments) -> int:
    """`inspect` fails while no worker is up, as the real one does; `control shutdown` ends them."""
    if "worker" in words:
        _set_worker(service, up=True)
    elif "shutdown" in words:
        _set_worker(service, up=False)
        print("Shutdown signal sent")
    elif "inspect" in words:
        if not (service.state / "worker").exists():
            print("Error: No nodes replied within time constraint", file=sys.stderr)
            return 69
        print("->  worker@host: OK\n    - empty -\n\n1 node online.")
    return 0


def supabase(service: StandIn, words: Arguments) -> int:
    """`db push` applies the migrations of the checked-out commit."""
    if words[:2] != ["db", "push"]:
        return 0
    environment = os.environ | service.variables
    return subprocess.run([sys.executable, "manage.py", "migrate"], env=environment, check=False).returncode


def npm(service: StandIn, words: Arguments) -> int:
    """`npm run WORD -- …` is the service's own word."""
    own = [word for word in words[1:] if word != "--"]
    environment = os.environ | service.variables
    return subprocess.run([sys.executable, "manage.py", *own], env=environment, check=False).returncode


def aws(service: StandIn, words: Arguments) -> int:
    """`s3 cp FROM s3://BUCKET/…` copies into a folder called s3."""
    source, target = (Path(word.removeprefix("s3://")) for word in words[2:4])
    goal = service.folder / "s3" / target
    if words[3].endswith("/") and not source.is_dir():
        goal = goal / source.name
    if not source.exists():
        print(f"The user-provided path {source} does not exist.", file=sys.stderr)
        return 255
    goal.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, goal)
    print(f"upload: {source} to s3://{target}")
    return 0


def redis_cli(service: StandIn, words: Arguments) -> int:
    print("PONG" if words == ["ping"] else "")
    return 0


def pip(service: StandIn, words: Arguments) -> int:
    print("Requirement already satisfied: everything")
    return 0


def curl(service: StandIn, words: Arguments) -> int:
    """The real one, led to the service whatever the host is called."""
    front = service.folder / "front.json"
    options = json.loads(front.read_text()) if front.exists() else []
    return subprocess.run(["/usr/bin/curl", *options, *words], check=False).returncode


def sudo(service: StandIn, words: Arguments) -> int:
    """As the same user."""
    return subprocess.run(words, check=False).returncode


def silent(service: StandIn, words: Arguments) -> int:
    """Written down, and that is all."""
    return 0


TOOLS: dict[str, Callable[[StandIn, Arguments], int]] = {
    "vercel": vercel,
    "pushed": pushed,
    "systemctl": control,
    "supervisorctl": control,
    "pm2": control,
    "celery": celery,
    "supabase": supabase,
    "npm": npm,
    "aws": aws,
    "redis-cli": redis_cli,
    "pip": pip,
    "curl": curl,
    "sudo": sudo,
    "chown": silent,
}


def _set_worker(service: StandIn, *, up: bool) -> None:
    if up:
        (service.state / "worker").touch()
    else:
        (service.state / "worker").unlink(missing_ok=True)


if __name__ == "__main__":
    folder, name, *arguments = sys.argv[1:]
    stand_in = processes.load(Path(folder))
    with stand_in.calls.open("a") as calls:
        calls.write(json.dumps([name, *arguments]) + "\n")
    sys.exit(TOOLS[name](stand_in, arguments))
