"""What the notice board does with its table."""

import sqlite3
from typing import Any


def read(connection: sqlite3.Connection) -> dict[str, Any]:
    rows = connection.execute("SELECT id, text FROM notes ORDER BY id DESC LIMIT 50")
    return {"notes": [dict(row) for row in rows]}


def write(connection: sqlite3.Connection, note: dict[str, Any]) -> dict[str, Any]:
    added = connection.execute("INSERT INTO notes (text) VALUES (?)", [note["text"]])
    return {"id": added.lastrowid, "text": note["text"]}
