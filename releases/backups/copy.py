"""Copying databases, as a process of its own: `python -m releases.backups.copy`, told by GANTRY_COPY (JSON).

No Django here: it starts in 0.1 s behind the gate, and credentials arrive in the environment, never in argv.
"""

import hashlib
import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from checks.gates.process import capture


class CopyFailed(Exception):
    """The copy could not be made or read back; one line for a person."""


def copy(url: str, target: Path, *, env: dict[str, str]) -> dict[str, Any]:
    """Copy one database to `target` and read it back whole.

    Returns {path, sha256, size (bytes), seconds, evidence}; written aside, fsynced, renamed, mode 0600.
    Raises CopyFailed.
    """
    started = time.monotonic()
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    aside = target.with_name(target.name + ".part")
    aside.unlink(missing_ok=True)
    evidence = _method(url)(url, aside, env)
    aside.chmod(0o600)
    checksum = sha256_of(aside)
    sync(aside)
    aside.rename(target)
    sync(target.parent)
    return {
        "path": str(target),
        "sha256": checksum,
        "size": target.stat().st_size,
        "seconds": round(time.monotonic() - started, 3),
        "evidence": evidence,
    }


def sha256_of(path: Path) -> str:
    """The sha256 (hex) of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def sqlite_path(url: str) -> Path:
    """The file of a `sqlite:////path` URL."""
    return Path(unquote(urlsplit(url).path.removeprefix("/")))


def postgres_env(url: str, env: dict[str, str]) -> dict[str, str]:
    """libpq's variables for a postgres URL, so that no credential stands in argv."""
    parts = urlsplit(url)
    found = {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    # Query parameters are libpq's own words: sslmode, sslrootcert, options …
    found |= {f"PG{name.upper()}": value for name, value in parse_qsl(parts.query)}
    return {**env, **{name: value for name, value in found.items() if value}}


def _method(url: str) -> Callable[[str, Path, dict[str, str]], dict[str, Any]]:
    scheme = urlsplit(url).scheme
    methods = {"sqlite": _sqlite, "postgres": _postgres, "postgresql": _postgres}
    if scheme not in methods:
        raise CopyFailed(f"databases of kind '{scheme}' cannot be copied: use sqlite:////path or postgres://")
    return methods[scheme]


def _sqlite(url: str, target: Path, env: dict[str, str]) -> dict[str, Any]:
    source = sqlite_path(url)
    if not source.exists():
        raise CopyFailed(f"the database file {source} does not exist")
    _need_space(target.parent, source.stat().st_size)
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode=DELETE")
        return sqlite_rows(target)
    except sqlite3.Error as error:
        raise CopyFailed(f"{source}: {error}") from error


def sqlite_rows(path: Path) -> dict[str, Any]:
    """Integrity checked and every table counted: {tables: {name: rows}}; raises CopyFailed."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copied:
        verdict = copied.execute("PRAGMA integrity_check").fetchone()[0]
        if verdict != "ok":
            raise CopyFailed(f"the copy {path} is damaged: {verdict}")
        names = copied.execute(
            "SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'"
        )
        quoted = [(name, name.replace('"', '""')) for (name,) in names.fetchall()]
        counts = {
            name: copied.execute(f'SELECT count(*) FROM "{quote}"').fetchone()[0] for name, quote in quoted
        }
    return {"integrity": "ok", "tables": counts}


def _postgres(url: str, target: Path, env: dict[str, str]) -> dict[str, Any]:
    surroundings = postgres_env(url, env)
    dump = ("pg_dump", "--format=custom", "--no-password", f"--file={target}")
    _run(dump, surroundings)
    # Reading the whole dump back proves every block of it; a listing reads only the table of contents.
    _run(("pg_restore", "--file=/dev/null", str(target)), surroundings)
    listing = _run(("pg_restore", "--list", str(target)), surroundings)
    entries = [line for line in listing.splitlines() if line and not line.startswith(";")]
    return {
        "read_back": "ok",
        "entries": len(entries),
        "tables": sum(" TABLE DATA " in line for line in entries),
    }


def _run(argv: tuple[str, ...], env: dict[str, str]) -> str:
    answer = capture(argv, cwd="/", env=env, timeout=3600.0, alone=False)
    if answer.code != 0:
        lines = (answer.err.strip() or answer.out.strip() or "no message").splitlines()
        raise CopyFailed(f"{argv[0]} failed with {answer.code}: {lines[-1]}")
    return answer.out


def _need_space(folder: Path, size: int) -> None:
    stats = os.statvfs(folder)
    free = stats.f_bavail * stats.f_frsize
    if free < size * 1.2:
        raise CopyFailed(f"{folder} has {free >> 20} MiB free and the copy needs {int(size * 1.2) >> 20} MiB")


def sync(path: Path) -> None:
    """Make sure that a file or a folder survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main() -> int:
    """Copy every database of the order and write the results to its file; 0, or 1 with one line of why."""
    os.umask(0o077)
    order = json.loads(os.environ["GANTRY_COPY"])
    env = {name: value for name, value in os.environ.items() if name != "GANTRY_COPY"}
    results = []
    for database in order["databases"]:
        print(f"copying {database['name']} …", flush=True)
        try:
            result = copy(database["url"], Path(database["target"]), env=env)
        except (CopyFailed, OSError) as error:
            print(f"backup of {database['name']} failed: {error}", flush=True)
            return 1
        results.append({"name": database["name"], **result})
        print(
            f"  {result['size']} bytes in {result['seconds']} s, sha256 {result['sha256'][:12]}…", flush=True
        )
    Path(order["results"]).write_text(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
