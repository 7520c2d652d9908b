"""Visitors of the shop: a bounded load that writes down every order it was answered 201 for; finds them later."""

import argparse
import http.client
import itertools
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

VISITORS = 4
TIMEOUT = 10.0
ORDER = json.dumps({"product": "green-tea", "quantity": 2})
# five requests in a round: three orders, two looks
ROUND = ("order", "/", "order", "/api/products", "order")


@dataclass
class Ledger:
    """What the visitors were answered; every acknowledged order is on the disk before the next request."""

    file: Path
    counts: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledge(self, order_id: str) -> None:
        with self.lock, self.file.open("a") as file:
            self.counts["orders"] += 1
            file.write(order_id + "\n")
            file.flush()
            os.fsync(file.fileno())

    def count(self, kind: str) -> None:
        with self.lock:
            self.counts[kind] += 1


def main() -> int:
    """`run URL FILE` or `verify URL FILE`."""
    arguments = _parse()
    if arguments.word == "verify":
        return verify(arguments.base_url, arguments.file)
    ended = threading.Event()
    _end_on_signal(ended)
    ledger = Ledger(arguments.file)
    run(arguments.base_url, ledger, rate=arguments.rate, seconds=arguments.seconds, ended=ended)
    summary = json.dumps(dict(sorted(ledger.counts.items())))
    arguments.file.with_suffix(".summary.json").write_text(summary + "\n")
    print(summary)
    return 0


def run(base_url: str, ledger: Ledger, *, rate: float, seconds: float, ended: threading.Event) -> None:
    """Ask `rate` times a second until `ended` is set or the time is over."""
    beginning = time.monotonic()
    turns = itertools.count()

    def visit() -> None:
        while not ended.is_set():
            turn = next(turns)  # atomic in CPython; a turn has its own moment, so late answers do not bunch
            moment = beginning + turn / rate
            if moment > beginning + seconds or ended.wait(max(0.0, moment - time.monotonic())):
                return
            ask(base_url, ROUND[turn % len(ROUND)], ledger)

    visitors = [threading.Thread(target=visit) for _ in range(VISITORS)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()


def ask(base_url: str, what: str, ledger: Ledger) -> None:
    """One request; the answer goes into the ledger."""
    try:
        if what == "order":
            status, body = _request(base_url, "POST", "/api/orders", ORDER)
        else:
            status, body = _request(base_url, "GET", what)
    except ConnectionRefusedError:
        ledger.count("refused")
        return
    except (OSError, http.client.HTTPException):
        ledger.count("broken")
        return
    if what == "order" and status == 201:
        ledger.acknowledge(json.loads(body)["id"])
        return
    ledger.count({200: "pages", 503: "maintenance"}.get(status, f"status {status}"))


def verify(base_url: str, file: Path) -> int:
    """Look for every acknowledged order by its id; exit 1 when one is not found."""
    ids = file.read_text().split() if file.exists() else []
    if not ids:
        print(f"no acknowledged order in {file}: nothing was proved", file=sys.stderr)
        return 1
    with ThreadPoolExecutor(VISITORS) as pool:
        lost = [problem for problem in pool.map(lambda each: _missing(base_url, each), ids) if problem]
    print(f"{len(ids) - len(lost)} of {len(ids)} acknowledged orders found")
    for problem in lost[:10]:
        print(f"lost: {problem}", file=sys.stderr)
    return 1 if lost else 0


def _missing(base_url: str, order_id: str) -> str:
    try:
        status, body = _request(base_url, "GET", f"/api/orders/{order_id}")
    except (OSError, http.client.HTTPException) as error:
        return f"{order_id} (no answer: {error})"
    if status == 200 and json.loads(body)["id"] == order_id:
        return ""
    return f"{order_id} (answered {status})"


def _request(base_url: str, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=TIMEOUT)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _end_on_signal(ended: threading.Event) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo.traffic", description=__doc__)
    parser.add_argument("word", choices=["run", "verify"])
    parser.add_argument("base_url")
    parser.add_argument("file", type=Path, help="one acknowledged order id a line")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=1800.0, help="ends by itself after this long")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
