"""The stand-in over HTTP: what it is and answers stands in `app.json` beside it. Standard library, and psycopg.

GET /health, /health/ready, /stats and the pages of app.json; POST what app.json stores. PORT, STATE and DATABASE_URL
come from the environment.
"""

import json
import os
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import database

HOME = Path(__file__).resolve().parent
APP = json.loads((HOME / "app.json").read_text())
STATE = Path(os.environ["STATE"])
STARTED_AT = time.time()
COMMIT = subprocess.run(
    ["git", "rev-parse", "HEAD"], cwd=HOME, capture_output=True, text=True, check=True
).stdout.strip()


def health() -> tuple[int, dict[str, Any]]:
    """200 while the database answers, else 503; asked under maintenance, too."""
    body = {
        "status": "healthy",
        "version": APP["version"],
        "commit": COMMIT,
        "started_at": STARTED_AT,
        "pid": os.getpid(),
    }
    try:
        database.ask("SELECT 1")
    except database.ERRORS as error:
        return 503, body | {"status": "unhealthy", "error": str(error)}
    return 200, body


def stats() -> dict[str, Any]:
    """The numbers of this version; a file in STATE changes some of them while it runs."""
    changed = STATE / "stats.json"
    return APP["stats"] | (json.loads(changed.read_text()) if changed.exists() else {})


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/health"):
            self.answer(*health())
        elif self.path == "/stats":
            self.answer(200, stats())
        elif (STATE / "maintenance").exists():
            self.answer(503, {"error": "closed for maintenance"}, {"Retry-After": "60"})
        else:
            self.page()

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        statement = APP["posts"].get(self.path)
        if not statement:
            self.answer(404, {"error": "not here"})
            return
        try:
            database.change(statement, said)
        except database.ERRORS as error:
            self.answer(500, {"error": str(error)})
        else:
            self.answer(201, {"ok": True} | said)

    def page(self) -> None:
        statement = APP["pages"].get(self.path.partition("?")[0])
        if statement is None:
            self.answer(404, {"error": "not here"})
            return
        try:
            rows = database.ask(statement) if statement else []
        except database.ERRORS as error:
            self.answer(500, {"error": str(error)})
        else:
            self.answer(200, {"name": APP["name"], "rows": rows})

    do_HEAD = do_GET

    def answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(body, default=str).encode()
        self.send_response(status)
        plain = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        for name, value in (plain | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def note(text: str) -> None:
    """A line in the log of this folder."""
    (HOME / "var").mkdir(exist_ok=True)
    with (HOME / "var" / f"{APP['name']}.log").open("a") as log:
        log.write(f"{time.strftime('%F %T')} INFO {text}\n")


if __name__ == "__main__":
    note(f"{APP['version']} started")
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
