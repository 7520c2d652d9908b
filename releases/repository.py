"""Asking git: what a ref means, what runs in a folder, what changed between two commits. Reads only."""

import os
import time
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


@dataclass(frozen=True, kw_only=True)
class WorkTree:
    """A folder's commit, its nearest tag or short id, and what is changed in it (empty: clean)."""

    commit: str
    name: str
    changes: str


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
    if old == new or not globs:
        return ()
    # A renamed file has left its old place, which counts as much as the new one.
    answer = _git("diff", "--name-only", "--no-renames", "-z", old, new, cwd=folder)
    if answer.code != 0:
        raise WrongUsage(f"cannot compare {old[:10]} with {new[:10]} in {folder}: {_last_line(answer)}")
    paths = answer.out.split("\0")
    return tuple(sorted(path for path in paths if path and any(fnmatch(path, glob) for glob in globs)))


def is_repository(place: str) -> bool:
    """A local path that exists, or anything with a scheme or a colon (asked when it is used)."""
    try:
        return Path(place).exists() or ":" in place
    except OSError:
        return False


def _last_line(answer: Captured) -> str:
    return (answer.err.strip() or answer.out.strip() or "git said nothing").splitlines()[-1]
