"""What the notice board does with its table."""

import sqlite3
from typing import Any


def read(connection: sqlite3.Connection) -> dict[str, Any]:
    rows = connection.execute("SELECT id, text, autor FROM notes ORDER BY id DESC LIMIT 50")  # the bug
    return {"notes": [dict(row) for row in rows]}


def write(connection: sqlite3.Connection, note: dict[str, Any]) -> dict[str, Any]:
    author = note.get("author", "anonymous")
    added = connection.execute("INSERT INTO notes (text, author) VALUES (?, ?)", [note["text"], author])
    return {"id": added.lastrowid, "text": note["text"], "author": author}
