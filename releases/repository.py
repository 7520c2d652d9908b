"""Asking git: what a ref means, what runs in a folder, what changed between two commits. Reads only."""

import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from checks.gates.process import Captured, capture
from releases.errors import WrongUsage

# Credentials (helpers in the home folder, the ssh agent) and certificates are git's own business.
HANDED_DOWN = ("HOME", "SSH_AUTH_SOCK", "GIT_SSL_CAINFO", "SSL_CERT_FILE", "XDG_CONFIG_HOME")
GIT_ENV = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    **{name: os.environ[name] for name in HANDED_DOWN if name in os.environ},
}

LOCKED_TRIES, LOCKED_WAIT = 20, 0.25
SHOWN_COMMITS, COUNTED_COMMITS = 20, 5000
# A difference as git writes it by default, whatever the folder's own settings say.
PLAIN = (
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    "--no-renames",
    "--unified=0",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)
# What would move a terminal's cursor or colour it has no place in a subject.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
REQUIREMENT = r"(?P<name>[A-Za-z0-9][\w.-]*)\s*(?:\[[^\]]*\])?"
# Where a dependency and its version stand on a line, by the name of the file; the first that fits counts.
PINS = {
    "*requirements*.txt": re.compile(rf"\s*{REQUIREMENT}\s*(?P<version>[=~<>!]=?[^\s;#\\]+)"),
    "*requirements*.in": re.compile(rf"\s*{REQUIREMENT}\s*(?P<version>[=~<>!]=?[^\s;#\\]+)"),
    "pyproject.toml": re.compile(rf"\s*[\"']{REQUIREMENT}\s*(?P<version>[=~<>!]=?[^\"';]+)[^\"']*[\"']\s*,?"),
    "Gemfile.lock": re.compile(r" {4}(?P<name>[\w.-]+) \((?P<version>\d[^)]*)\)"),
    "go.mod": re.compile(r"(?:require\s+|\t)(?P<name>[\w.~-]+\.[\w.~/-]+) (?P<version>v\S+)"),
    "package.json": re.compile(
        r"\s*\"(?!version\")(?P<name>@?[\w./-]+)\":\s*\"(?P<version>(?:[~^]|[<>]=?)?\s*v?\d+[\w.+-]*|\*|latest)\",?"
    ),
}
# Files of dependencies of which it is only told that they changed.
LOCKS = (
    "Cargo.lock",
    "Cargo.toml",
    "Gemfile",
    "Pipfile",
    "Pipfile.lock",
    "composer.json",
    "composer.lock",
    "go.sum",
    "package-lock.json",
    "pdm.lock",
    "pnpm-lock.yaml",
    "poetry.lock",
    "uv.lock",
    "yarn.lock",
)


@dataclass(frozen=True, kw_only=True)
class WorkTree:
    """A folder's commit, its nearest tag or short id, and what is changed in it (empty: clean)."""

    commit: str
    name: str
    changes: str


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit as a line: short id, subject, author."""

    id: str
    subject: str
    author: str


@dataclass(frozen=True, kw_only=True)
class Pin:
    """A dependency whose version differs; "" before when it is new, "" after when it is gone."""

    name: str
    before: str
    after: str
    file: str


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What lies between two commits: the newest that come, how many more, and those that go (a way back has some).

    Commits are counted up to 5000.
    `migrations`: paths that match the service's globs. `files`: files of dependencies whose lines are not told.
    """

    commits: tuple[Commit, ...] = ()
    more: int = 0
    gone: tuple[Commit, ...] = ()
    more_gone: int = 0
    migrations: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    files: tuple[str, ...] = ()


def _git(*arguments: str, cwd: str, timeout: float = 60.0) -> Captured:
    safe = ("-c", "safe.directory=*")
    return capture(("git", *safe, *arguments), cwd=cwd, env=GIT_ENV, timeout=timeout)


def resolve(repository: str, ref: str) -> str:
    """The commit id that `ref` (tag, branch or commit) means in `repository`; raises WrongUsage naming both."""
    answer = _git("ls-remote", "--", repository, ref, f"{ref}^{{}}", cwd="/")
    if answer.code != 0:
        raise WrongUsage(f"cannot read the repository {repository}: {_last_line(answer)}")
    lines = [line.split("\t", 1) for line in answer.out.splitlines() if "\t" in line]
    found = {name: commit for commit, name in lines}
    for name in (f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}"):
        if name in found:
            return found[name]
    raise WrongUsage(f"{repository} has no tag or branch '{ref}': push it first, or name another with --ref")


def look(folder: str) -> WorkTree:
    """What is checked out in `folder`; raises WrongUsage when it is no git work tree."""
    head = _git("rev-parse", "HEAD", cwd=folder)
    if head.code != 0:
        raise WrongUsage(f"{folder} is no git work tree: {_last_line(head)}")
    named = _git("describe", "--tags", "--always", "HEAD", cwd=folder)
    status = _git("status", "--porcelain", "--untracked-files=no", cwd=folder)
    return WorkTree(commit=head.out.strip(), name=named.out.strip(), changes=status.out.rstrip())


def difference(folder: str) -> str:
    """The uncommitted difference in `folder`, at most 60 lines, for the eyes of who must clean up."""
    return "\n".join(_git("--no-pager", "diff", "HEAD", cwd=folder).out.splitlines()[:60])


def fetch(folder: str) -> None:
    """Bring the repository's commits into `folder` without touching its branches or tags; raises WrongUsage."""
    for _ in range(LOCKED_TRIES):
        answer = _git(*FETCH, cwd=folder, timeout=300.0)
        if answer.code == 0:
            return
        # Two fetches at once lock each other's refs; the other's result is ours too.
        if "lock" not in answer.err:
            break
        time.sleep(LOCKED_WAIT)
    raise WrongUsage(f"cannot fetch into {folder}: {_last_line(answer)}")


# Tags go to a namespace of our own: a moved tag upstream must neither stop the fetch nor move a local one.
FETCH = (
    "fetch",
    "--quiet",
    "--no-tags",
    "origin",
    "+refs/heads/*:refs/remotes/origin/*",
    "+refs/tags/*:refs/gantry/tags/*",
)


def has_commit(folder: str, commit: str) -> bool:
    """Is the commit present in the folder's object store?"""
    return _git("cat-file", "-e", f"{commit}^{{commit}}", cwd=folder).code == 0


def changed_paths(folder: str, old: str, new: str, *, globs: list[str]) -> tuple[str, ...]:
    """Paths that match one of `globs` and differ between two commits of `folder`, sorted."""
    return _matching(_paths(folder, old, new), globs) if old != new and globs else ()


def changes(folder: str, old: str, new: str, *, migrations: Iterable[str]) -> Changes:
    """Everything between two commits of `folder` that an approver wants to see; raises WrongUsage for an unknown one.

    `migrations` are globs. Two questions to git, a third where files of dependencies changed.
    """
    if old == new:
        return Changes()
    come, go = _commits(folder, old, new)
    paths = _paths(folder, old, new)
    read = [path for path in paths if _pattern_of(path)]
    pins = _pins(folder, old, new, read)
    told = {pin.file for pin in pins}
    return Changes(
        commits=tuple(come[:SHOWN_COMMITS]),
        more=len(come[SHOWN_COMMITS:]),
        gone=tuple(go[:SHOWN_COMMITS]),
        more_gone=len(go[SHOWN_COMMITS:]),
        migrations=_matching(paths, migrations),
        pins=pins,
        files=tuple(path for path in paths if path not in told and (path in read or _is(path, LOCKS))),
    )


def _commits(folder: str, old: str, new: str) -> tuple[list[Commit], list[Commit]]:
    """The commits that only `new` has, and those that only `old` has, newest first; merges are left out."""
    shown = ("--no-merges", "--no-show-signature", "--left-right", "--format=%m%x1f%h%x1f%s%x1f%an", "-z")
    cut = f"--max-count={COUNTED_COMMITS}"
    answer = _git("log", *shown, cut, f"{old}...{new}", "--", cwd=folder)
    _demand(answer, folder, old, new)
    sides: dict[str, list[Commit]] = {"<": [], ">": []}
    for row in answer.out.split("\0"):
        side, *fields = row.split("\x1f")
        if side in sides and len(fields) == 3:
            id_, subject, author = (CONTROL.sub(" ", each).strip() for each in fields)
            sides[side].append(Commit(id=id_, subject=subject, author=author))
    return sides[">"], sides["<"]


def _paths(folder: str, old: str, new: str) -> list[str]:
    """The paths that differ, sorted."""
    # A renamed file has left its old place, which counts as much as the new one.
    answer = _git("diff", "--name-only", "--no-renames", "-z", old, new, "--", cwd=folder)
    _demand(answer, folder, old, new)
    return sorted(path for path in answer.out.split("\0") if path)


def _demand(answer: Captured, folder: str, old: str, new: str) -> None:
    if answer.code != 0:
        raise WrongUsage(f"cannot compare {old[:10]} with {new[:10]} in {folder}: {_last_line(answer)}")


def _matching(paths: Iterable[str], globs: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if any(fnmatch(path, glob) for glob in globs))


def _is(path: str, names: Iterable[str]) -> bool:
    return any(fnmatch(path.rpartition("/")[2], name) for name in names)


def _pattern_of(path: str) -> re.Pattern[str] | None:
    return next((pattern for name, pattern in PINS.items() if _is(path, [name])), None)


def _pins(folder: str, old: str, new: str, paths: list[str]) -> tuple[Pin, ...]:
    """The dependencies whose lines differ in these files, by file and name."""
    if not paths:
        return ()
    literal = [f":(literal,top){path}" for path in paths]
    asked = ("-c", "core.quotepath=off", "diff", *PLAIN, old, new, "--", *literal)
    answer = _git(*asked, cwd=folder)
    _demand(answer, folder, old, new)
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path, sign, name, version in _versions(answer.out):
        found.setdefault((path, name), {})[sign] = version
    return tuple(
        Pin(name=name, before=signs.get("-", ""), after=signs.get("+", ""), file=path)
        for (path, name), signs in sorted(found.items())
        if signs.get("-") != signs.get("+")
    )


def _versions(diff: str) -> Iterator[tuple[str, str, str, str]]:
    """File, sign, name and version of each line that comes (+) or goes (-) and pins something."""
    path, is_head = "", True
    for line in diff.split("\n"):
        if line.startswith("diff --git "):
            path, is_head = "", True
        elif line.startswith("@@"):
            is_head = False
        elif is_head and line.startswith(("--- a/", "+++ b/")):
            path = line[6:].rstrip("\t")
        elif not is_head and line[:1] in ("+", "-") and (pattern := _pattern_of(path)):
            found = pattern.match(line, 1)
            if found:
                yield path, line[0], found["name"], found["version"].strip()


def is_repository(place: str) -> bool:
    """A local path that exists, or anything with a scheme or a colon (asked when it is used)."""
    try:
        return Path(place).exists() or ":" in place
    except OSError:
        return False


def _last_line(answer: Captured) -> str:
    return (answer.err.strip() or answer.out.strip() or "git said nothing").splitlines()[-1]
