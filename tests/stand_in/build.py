"""Builds a stand-in service in a folder: git history, clone, tools on PATH, service.toml; starts its first version."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from demo.build import Built
from tests.stand_in import processes
from tests.stand_in.processes import StandIn

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
IDENTITY = ("-c", "user.name=Stand-in", "-c", "user.email=team@stand-in.example")
TOOLS = "vercel systemctl supervisorctl pm2 celery supabase npm aws redis-cli pip curl sudo chown".split()
WELL = {"error_rate": 0.2, "p95_ms": 300.0}


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version: its tag, what `app.json` says of it, and further files of its commit (path to text).

    `pages` are paths with the statement whose rows they list, `posts` paths with the statement that stores.
    """

    name: str
    stats: Mapping[str, float] = field(default_factory=lambda: WELL)
    features: Sequence[str] = ()
    pages: Mapping[str, str] = field(default_factory=lambda: {"/": ""})
    posts: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of system. `runs_from`: its process runs in the clone (`tree`), or in what a platform built (`live`)."""

    name: str
    versions: Sequence[Version]
    database_url: str = ""
    migrations: str = "migrations"
    runs_from: str = "tree"
    commands: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    path: Sequence[Path] = ()


def build(folder: Path, kind: Kind, *, port: int, time_scale: int) -> Built:
    """The service at the first of its versions, running; the others wait as tags in its origin."""
    folder.mkdir(parents=True)
    folder = folder.resolve()
    (folder / "state").mkdir()
    (folder / "state" / "worker").touch()
    _tools(folder)
    _history(folder, kind)
    stand_in = StandIn(folder=folder, port=port, variables=_variables(folder, kind, port))
    stand_in.save()
    built = Built(
        name=kind.name,
        folder=folder,
        origin=folder / "origin.git",
        tree=stand_in.tree,
        toml=folder / "service.toml",
        runbook=folder / "RUNBOOK.md",
        port=port,
        base_url=f"http://127.0.0.1:{port}",
        environment=stand_in.variables,
    )
    write_toml(built, kind, time_scale=time_scale)
    built.run("python", "manage.py", "migrate")
    processes.start(stand_in, folder / kind.runs_from)
    return built


def end(built: Built) -> None:
    """End the service's process."""
    processes.stop(processes.load(built.folder))


def write_toml(built: Built, kind: Kind, *, time_scale: int) -> None:
    """What Gantry is told of the service, with this clock."""
    commands = {"show_config": "python manage.py show_config", "stop": "systemctl stop app", **kind.commands}
    values = {
        "name": kind.name,
        "origin": built.origin,
        "globs": json.dumps([f"{kind.migrations}/*.sql"]),
        "commands": _table(commands),
        "tree": built.tree,
        "base_url": built.base_url,
        "time_scale": time_scale,
        "variables": _table(built.environment),
    }
    built.toml.write_text(Template((HERE / "service.toml").read_text()).substitute(values))


def calls(built: Built) -> list[str]:
    """Every call of an outside tool so far, as it was typed."""
    written = built.folder / "calls.jsonl"
    return (
        [" ".join(json.loads(line)) for line in written.read_text().splitlines()] if written.exists() else []
    )


def _table(values: Mapping[str, str]) -> str:
    return "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())


def _variables(folder: Path, kind: Kind, port: int) -> dict[str, str]:
    url = kind.database_url or f"sqlite:///{folder / 'data.sqlite3'}"
    path = [folder / "bin", *kind.path, Path(sys.executable).parent, "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "PATH": ":".join(map(str, path)),
        "LANG": "C.UTF-8",
        "PORT": str(port),
        "STATE": str(folder / "state"),
        "DATABASE_URL": url,
        "DATA": url.removeprefix("sqlite:///"),
        "APP_HOME": str(folder / kind.runs_from),
        **kind.variables,
    }


def _tools(folder: Path) -> None:
    (folder / "bin").mkdir()
    for name in (*TOOLS, "pushed"):
        tool = folder / "bin" / name
        module = f'"{sys.executable}" -m tests.stand_in.tools "{folder}" {name} "$@"'
        tool.write_text(f'#!/bin/sh\nexport PYTHONPATH="{ROOT}"\nexec {module}\n')
        tool.chmod(0o755)


def _history(folder: Path, kind: Kind) -> None:
    """The first version is cloned before the others are made, so that they have to be fetched."""
    work = folder / "history"
    _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    _git(folder, "init", "--quiet", "--initial-branch=main", str(work))
    for version in kind.versions:
        _commit(work, kind, version)
        _git(work, "push", "--quiet", str(folder / "origin.git"), "main", version.name)
        if version is kind.versions[0]:
            for name in ("tree", "live"):
                _git(folder, "clone", "--quiet", "origin.git", name)
                _git(folder / name, "checkout", "--quiet", "--detach", version.name)
            _remotes(folder)


def _commit(work: Path, kind: Kind, version: Version) -> None:
    shutil.copytree(
        HERE / "app", work, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "ruff.toml")
    )
    known = {
        "name": kind.name,
        "version": version.name,
        "migrations": kind.migrations,
        "stats": dict(version.stats),
        "features": list(version.features),
        "pages": dict(version.pages),
        "posts": dict(version.posts),
    }
    for path, text in {"app.json": json.dumps(known, indent=1), **version.files}.items():
        file = work / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    _git(work, "add", "--all")
    _git(work, *IDENTITY, "commit", "--quiet", "--message", f"Release {version.name}")
    _git(work, "tag", version.name)


def _remotes(folder: Path) -> None:
    """`git push production` puts live what it is given; `staging` only takes it."""
    for name in ("production", "staging"):
        _git(folder, "clone", "--quiet", "--bare", "origin.git", f"{name}.git")
        _git(folder / "tree", "remote", "add", name, str(folder / f"{name}.git"))
    hook = folder / "production.git" / "hooks" / "post-receive"
    hook.write_text(f'#!/bin/sh\nexec "{folder / "bin" / "pushed"}"\n')
    hook.chmod(0o755)


def _git(folder: Path, *words: str) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_GLOBAL": os.devnull}
    subprocess.run(["git", *words], cwd=folder, env=environment, check=True, capture_output=True)
