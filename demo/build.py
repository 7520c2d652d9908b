"""Builds a demo service in a folder: git origin, working clone, Python environment, service.toml. Starts nothing."""

import os
import secrets
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from demo.wheels import build_wheel

HERE = Path(__file__).resolve().parent
WHEELS = {"v1.0": "shop-pricing-1.0", "v1.1": "shop-pricing-1.1"}
SHOP_VERSIONS = ("v1.0", "v1.1", "v1.2")
PLAIN_VERSIONS = ("1.0", "2.0", "2.1")
BROKEN = "v1.1-broken"
EPOCH = 1_767_258_000  # 2026-01-01; each commit a day later, so the commit ids never change
DAY = 86_400
AUTHOR = ("Tea Shop", "team@shop.example")


@dataclass(frozen=True, kw_only=True)
class Built:
    """A service that lies ready in a folder: `origin` is the git repository, `tree` the working clone."""

    name: str
    folder: Path
    origin: Path
    tree: Path
    toml: Path
    runbook: Path
    port: int
    base_url: str
    environment: dict[str, str]

    def run(self, *command: str, check: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command in the service's folder with its variables and nothing else; the output is captured."""
        environment = self.environment | variables
        # the service's own PATH finds the program: a child's env alone would be searched with ours
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.run(
            [program, *command[1:]], cwd=self.tree, env=environment, check=check, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip


def build_shop(
    folder: Path,
    *,
    port: int,
    database_url: str | None = None,
    broker_url: str | None = None,
    time_scale: int = 240,
    smoke_orders: int = 1,
    broken: bool = False,
) -> Built:
    """The shop at v1.0 with tags v1.1 and v1.2 waiting in its origin (and v1.1-broken where asked for)."""
    folder = _new(folder)
    history = _History(folder, sources=HERE / "shop", runbook="RUNBOOK.md")
    history.commit(SHOP_VERSIONS[0])
    tree = history.clone()
    history.commit("v1.1")
    if broken:
        history.commit(BROKEN, branch="broken")
    history.commit("v1.2")
    python = _python_environment(folder / ".venv")
    _fill_in(
        HERE / "shop" / "service.toml",
        folder,
        port=port,
        time_scale=time_scale,
        path=_path(python.parent),
        database_url=database_url or f"sqlite:///{folder / 'shop.sqlite3'}",
        broker_url=broker_url or "filesystem://",
        smoke_orders=smoke_orders,
        secret_key=secrets.token_urlsafe(40),
        smoke_token=secrets.token_urlsafe(24),
    )
    shutil.copy(HERE / "shop" / "env.example", tree / ".env")
    built = open_built(folder)
    built.run("pip", "install", "--no-index", "--find-links", "wheels", "-r", "requirements.txt")
    return built


def build_plain(folder: Path, *, port: int, time_scale: int = 240) -> Built:
    """The notice board at 1.0 with tags 2.0 (schema) and 2.1 (its main page fails) waiting in its origin."""
    folder = _new(folder)
    history = _History(folder, sources=HERE / "plain", runbook="RUNBOOK.md")
    history.commit(PLAIN_VERSIONS[0])
    history.clone()
    for version in PLAIN_VERSIONS[1:]:
        history.commit(version)
    _fill_in(
        HERE / "plain" / "service.toml",
        folder,
        port=port,
        time_scale=time_scale,
        path=_path(Path(sys.executable).parent),
        data=folder / "notes.sqlite3",
    )
    return open_built(folder)


def open_built(folder: Path) -> Built:
    """What an earlier build left in this folder."""
    folder = folder.resolve()
    toml = folder / "service.toml"
    declared = tomllib.loads(toml.read_text())
    environment = declared["environment"][0]
    variables = {
        name: value if isinstance(value, str) else value["secret"]
        for name, value in environment["variables"].items()
    }
    return Built(
        name=declared["service"]["name"],
        folder=folder,
        origin=folder / "origin.git",
        tree=folder / "tree",
        toml=toml,
        runbook=folder / "tree" / "RUNBOOK.md",
        port=int(variables["PORT"]),
        base_url=environment["base_url"],
        environment=variables,
    )


def bring_up_shop(built: Built) -> None:
    """Put v1.0 live: schema, products, static files, processes. Raises CalledProcessError with the output."""
    built.run("python", "manage.py", "migrate", "--noinput")
    built.run("python", "manage.py", "seed_products")
    built.run("python", "manage.py", "collectstatic", "--noinput")
    built.run("bin/shop", "start")


def bring_up_plain(built: Built) -> None:
    """Put 1.0 live: schema, process."""
    built.run("./apply.sh")
    built.run("./ctl", "start")


def take_down(built: Built) -> None:
    """End every process of the service, by its own stop command; fine when none runs."""
    command = tomllib.loads(built.toml.read_text())["service"]["commands"]["stop"]
    built.run(*command.split())


class _History:
    """A git history made of overlays: each version is the tree before it plus its own files."""

    def __init__(self, folder: Path, *, sources: Path, runbook: str) -> None:
        self.sources = sources
        self.runbook = sources / runbook
        self.origin = folder / "origin.git"
        self.tree = folder / "tree"
        self.work = folder / "history"
        self.count = 0
        _git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        _git(folder, "init", "--quiet", "--initial-branch=main", str(self.work))

    def commit(self, version: str, *, branch: str = "main") -> None:
        """Lay the version over the tree, commit, tag, push; another branch leaves main where it was."""
        when = EPOCH + self.count * DAY
        self.count += branch == "main"
        if branch != "main":
            _git(self.work, "switch", "--quiet", "--create", branch)
        shutil.copytree(self.sources / version, self.work, dirs_exist_ok=True, ignore=_generated)
        # git's index knows a file by size and time; a same-sized one copied over it would pass as unchanged
        (self.work / ".git" / "index").unlink(missing_ok=True)
        shutil.copy(self.runbook, self.work / self.runbook.name)
        if version in WHEELS:
            build_wheel(HERE / "wheels-src" / WHEELS[version], into=self.work / "wheels")
        _git(self.work, "add", "--all")
        _git(self.work, "commit", "--quiet", "--message", f"Release {version}", when=when)
        _git(self.work, "tag", "--annotate", version, "--message", version, when=when)
        _git(self.work, "push", "--quiet", str(self.origin), branch, version)
        if branch != "main":
            _git(self.work, "switch", "--quiet", "main")

    def clone(self) -> Path:
        """The environment's working tree, at the version committed last; later ones wait to be fetched."""
        _git(self.origin.parent, "clone", "--quiet", str(self.origin), str(self.tree))
        _git(self.tree, "checkout", "--quiet", "--detach")
        return self.tree


def _generated(folder: str, names: Sequence[str]) -> set[str]:
    return {name for name in names if name == "__pycache__" or name.endswith(".pyc")}


def _git(folder: Path, *arguments: str, when: int = EPOCH) -> None:
    name, email = AUTHOR
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_GLOBAL": os.devnull,  # no signing, hooks or line endings of the user's own
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": name,
        "GIT_AUTHOR_EMAIL": email,
        "GIT_AUTHOR_DATE": f"{when} +0000",
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
        "GIT_COMMITTER_DATE": f"{when} +0000",
    }
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=False)
    return folder.resolve()


def _python_environment(venv: Path) -> Path:
    """The service's own environment: sees the packages of this interpreter, takes its own by `pip`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    packages = [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    site = next((venv / "lib").glob("python3.*")) / "site-packages"
    (site / "from_gantry.pth").write_text("\n".join(packages) + "\n")
    pip = venv / "bin" / "pip"
    pip.write_text(
        "#!/bin/sh\n"
        "export PIP_NO_DEPS=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1\n"
        f'exec "{python}" -m pip "$@"\n'
    )
    pip.chmod(0o755)
    return python


def _path(first: Path) -> str:
    git = Path(shutil.which("git") or "/usr/bin/git").parent
    folders = [first, git, Path("/usr/local/bin"), Path("/usr/bin"), Path("/bin")]
    return ":".join(dict.fromkeys(map(str, folders)))


def _fill_in(template: Path, folder: Path, *, port: int, **values: object) -> None:
    toml = folder / "service.toml"
    text = Template(template.read_text()).substitute(
        name=folder.name,
        origin=folder / "origin.git",
        tree=folder / "tree",
        port=port,
        base_url=f"http://127.0.0.1:{port}",
        **values,
    )
    toml.touch(mode=0o600)  # it carries secrets
    toml.write_text(text)
