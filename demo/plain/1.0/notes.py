"""A notice board over HTTP: the standard library and SQLite, no framework.

GET /healthz, GET /notes, POST /notes {"text": ...}. PORT, DATA (the SQLite file) and VAR come from the environment.
"""

import json
import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import board

HOME = Path(__file__).resolve().parent
BUILD = (HOME / "BUILD").read_text().strip()
UP_SINCE = time.time()
ANSWERS: deque[int] = deque(maxlen=50)  # the latest statuses of /notes
CLOSED = Path(os.environ.get("VAR", HOME / "var")) / "closed"


def connect() -> sqlite3.Connection:
    """A connection of one request; fails where the file is missing instead of making an empty one."""
    connection = sqlite3.connect(
        f"file:{os.environ['DATA']}?mode=rw", uri=True, timeout=10, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    return connection


def error_percent() -> float | None:
    """How many of the latest answers were 5xx; None before the first."""
    return 100 * sum(status >= 500 for status in ANSWERS) / len(ANSWERS) if ANSWERS else None


def health() -> tuple[int, dict[str, Any]]:
    """200 when the schema is there, else 503; asked while closed for maintenance too."""
    body = {
        "build": BUILD,
        "up_since": UP_SINCE,
        "closed": CLOSED.exists(),
        "error_percent": error_percent(),
    }
    try:
        with closing(connect()) as connection:
            connection.execute("SELECT 1 FROM notes LIMIT 1")
    except sqlite3.Error as error:
        return 503, body | {"error": str(error)}
    return 200, body


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            self.answer(*health())
        elif CLOSED.exists():
            self.closed()
        elif self.path == "/notes":
            self.serve(board.read)
        else:
            self.answer(404, {"error": "not here"})

    def do_POST(self) -> None:
        if CLOSED.exists():
            self.closed()
        elif self.path == "/notes":
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.serve(lambda connection: board.write(connection, json.loads(body)), status=201)
        else:
            self.answer(404, {"error": "not here"})

    def closed(self) -> None:
        self.answer(503, {"error": "closed for maintenance"}, {"Retry-After": "60"})

    def serve(self, do: Callable[[sqlite3.Connection], dict[str, Any]], *, status: int = 200) -> None:
        try:
            with closing(connect()) as connection:
                body = do(connection)
        except (KeyError, TypeError, ValueError) as error:
            status, body = 400, {"error": f"bad note: {error}"}
        except sqlite3.Error as error:
            status, body = 500, {"error": str(error)}
        ANSWERS.append(status)
        self.answer(status, body)

    def answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        plain = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (plain | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
