"""The depot: goods in a PostgreSQL table. A page that is closed in maintenance, and two that are not."""

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psycopg

SLOT = Path(os.environ["DEPOT"])
VERSION = Path("VERSION").read_text().strip()
STARTED = time.time()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, headers, body = PAGES.get(environ["PATH_INFO"], missing)()
    start_response(status, [("Content-Type", "application/json"), *headers])
    return [json.dumps(body).encode()]


def front() -> tuple[str, list[tuple[str, str]], dict[str, Any]]:
    if (SLOT / "state" / "closed").exists():
        return "503 Service Unavailable", [("Retry-After", "60")], {"closed": True}
    hold("visit")
    return "200 OK", [], {"version": VERSION}


def health() -> tuple[str, list[tuple[str, str]], dict[str, Any]]:
    return "200 OK", [], {"version": VERSION, "started_at": STARTED}


def stock() -> tuple[str, list[tuple[str, str]], dict[str, Any]]:
    hold("smoke")
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        row = connection.execute("SELECT sum(amount) FROM goods").fetchone()
    return "200 OK", [], {"amount": int(row[0])}


def missing() -> tuple[str, list[tuple[str, str]], dict[str, Any]]:
    return "404 Not Found", [], {}


def hold(step: str) -> None:
    """As tools/ledger.sh: wait in the middle of this answer when it was chosen."""
    chosen = SLOT / "holds" / f"{step}.half"
    try:
        chosen.rename(chosen.with_name(f"{chosen.name}.reached"))
    except FileNotFoundError:
        return
    while not (SLOT / "holds" / "released").exists():
        time.sleep(0.02)


PAGES = {"/": front, "/health": health, "/stock": stock}
