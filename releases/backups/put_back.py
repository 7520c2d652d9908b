"""Putting a copy back, as a process of its own: `python -m releases.backups.put_back`, told by GANTRY_PUT_BACK.

The replaced database is never deleted: it keeps a dated name, and the command that brings it back is printed.
"""

import json
import os
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from checks.gates.process import capture
from releases.backups.copy import CopyFailed, postgres_env, sha256_of, sqlite_path, sqlite_rows, sync


def put_back(url: str, source: Path, *, sha256: str, env: dict[str, str], stamp: str) -> str:
    """Replace the database at `url` by the copy; returns the name under which the replaced one is kept.

    With the same `stamp` it finishes what was interrupted, and does nothing when it was done. Raises CopyFailed,
    with the database as it was, when the copy is not the one that was made.
    """
    if not source.exists():
        raise CopyFailed(f"the copy {source} is gone; restore another with `restore_database`")
    if sha256_of(source) != sha256:
        raise CopyFailed(f"the copy {source} is not as it was made (its checksum differs); restore another")
    if urlsplit(url).scheme == "sqlite":
        return _sqlite(url, source, stamp)
    return _postgres(url, source, env, stamp)


def _sqlite(url: str, source: Path, stamp: str) -> str:
    live = sqlite_path(url)
    aside = live.with_name(f"{live.name}.coming-{stamp}")
    kept = live.with_name(f"{live.name}.replaced-{stamp}")
    if kept.exists() and live.exists():
        return str(kept)
    if not kept.exists():
        sqlite_rows(source)
        shutil.copyfile(source, aside)
        _like(live, aside)
        sync(aside)
    # The write-ahead log belongs to the replaced database and goes with it.
    for suffix in ("", "-wal", "-shm"):
        part = live.with_name(live.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    aside.rename(live)
    return str(kept)


def _like(live: Path, coming: Path) -> None:
    """Mode and owner of the replaced file: the service must be able to write, and nobody else to read."""
    if not live.exists():
        return
    shutil.copymode(live, coming)
    with suppress(PermissionError):
        os.chown(coming, live.stat().st_uid, live.stat().st_gid)


def _postgres(url: str, source: Path, env: dict[str, str], stamp: str) -> str:
    surroundings = postgres_env(url, env)
    name = surroundings["PGDATABASE"]
    coming, kept = f"{name}_coming_{stamp}", f"{name}_replaced_{stamp}"
    mark = f"put back by Gantry {stamp}"
    if _remark(name, surroundings) == mark:
        _say(f"ALTER DATABASE {_quoted(kept)} WITH ALLOW_CONNECTIONS true", surroundings)
        return kept
    _run(("dropdb", "--if-exists", "--force", "--no-password", coming), surroundings)
    _run(("createdb", "--no-password", coming), surroundings)
    restore = ("pg_restore", "--exit-on-error", "--no-password", f"--dbname={coming}", str(source))
    try:
        _run(restore, surroundings)
        _say(f"COMMENT ON DATABASE {_quoted(coming)} IS {_literal(mark)}", surroundings)
        _swap(surroundings, live=name, coming=coming, kept=kept)
    except CopyFailed:
        _run(("dropdb", "--if-exists", "--force", "--no-password", coming), surroundings)
        raise
    return kept


def _swap(env: dict[str, str], *, live: str, coming: str, kept: str) -> None:
    """Both renames in one transaction from another database, after the last session is gone."""
    statements = (
        f"ALTER DATABASE {_quoted(live)} WITH ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {_literal(live)}",
        f"BEGIN; ALTER DATABASE {_quoted(live)} RENAME TO {_quoted(kept)}; "
        f"ALTER DATABASE {_quoted(coming)} RENAME TO {_quoted(live)}; COMMIT",
        f"ALTER DATABASE {_quoted(kept)} WITH ALLOW_CONNECTIONS true",
    )
    try:
        for statement in statements:
            _say(statement, env)
    except (CopyFailed, KeyboardInterrupt):
        _say(f"ALTER DATABASE {_quoted(live)} WITH ALLOW_CONNECTIONS true", env)
        raise


def _remark(name: str, env: dict[str, str]) -> str:
    """What is remarked of a database: one that was put back bears the stamp of it."""
    query = f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {_literal(name)}"
    return _say(query, env).strip()


def _say(statement: str, env: dict[str, str]) -> str:
    options = ("--no-psqlrc", "--set=ON_ERROR_STOP=1", "--quiet", "--tuples-only", "--dbname=postgres")
    return _run(("psql", *options, "--command", statement), env)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _run(argv: tuple[str, ...], env: dict[str, str]) -> str:
    answer = capture(argv, cwd="/", env=env, timeout=3600.0, alone=False)
    if answer.code != 0:
        lines = (answer.err.strip() or answer.out.strip() or "no message").splitlines()
        raise CopyFailed(f"{argv[0]} failed with {answer.code}: {lines[-1]}")
    return answer.out


def main() -> int:
    """Put every database of the order back; 0, or 1 with one line of why."""
    order = json.loads(os.environ["GANTRY_PUT_BACK"])
    env = {name: value for name, value in os.environ.items() if name != "GANTRY_PUT_BACK"}
    stamp = order.get("stamp") or datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    results = []
    for database in order["databases"]:
        try:
            kept = put_back(
                database["url"], Path(database["path"]), sha256=database["sha256"], env=env, stamp=stamp
            )
        except (CopyFailed, OSError) as error:
            print(f"restore of {database['name']} failed, it is as it was: {error}", flush=True)
            return 1
        print(
            f"{database['name']} is back from {database['path']}; the replaced one is kept as {kept}",
            flush=True,
        )
        results.append({"name": database["name"], "kept": kept, "path": database["path"]})
    Path(order["results"]).write_text(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
