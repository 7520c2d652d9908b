#!/usr/bin/env bash
# Applies every schema/*.sql that has not been applied yet, each in one transaction, in the order of their names.
set -euo pipefail
cd "$(dirname "$0")"
mkdir -p "$(dirname "$DATA")"
exec python3 - schema/*.sql <<'PY'
import os, pathlib, sqlite3, sys

db = sqlite3.connect(os.environ["DATA"], timeout=10, isolation_level=None)
db.execute("PRAGMA journal_mode = WAL")
db.execute("CREATE TABLE IF NOT EXISTS applied (name TEXT PRIMARY KEY)")
done = {name for (name,) in db.execute("SELECT name FROM applied")}
for file in map(pathlib.Path, sys.argv[1:]):
    if file.name in done:
        continue
    db.executescript(f"BEGIN IMMEDIATE; {file.read_text()} INSERT INTO applied VALUES ('{file.name}'); COMMIT;")
    print("applied", file.name)
print(db.execute("SELECT count(*) FROM applied").fetchone()[0], "schema files are in")
PY
