"""A web server that behaves in every bad way, and a port where nobody listens."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from checks.probers.base import Question

PAGES = {
    "/stats": {"error_rate": 0.05, "p95_ms": 120, "version": "v1.1"},
    "/nan": {"error_rate": float("nan")},
}


class BadManners(BaseHTTPRequestHandler):
    """Each path is a way in which a source may behave."""

    released: threading.Event

    def do_GET(self) -> None:
        """Answer by the path."""
        if self.path in PAGES:
            return self.answer(200, json.dumps(PAGES[self.path]).encode())
        action = getattr(self, f"on_{self.path.strip('/').replace('-', '_')}", None)
        return action() if action else self.answer(404, b"not here")

    do_POST = do_GET

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """One whole answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def on_maintenance(self) -> None:
        self.answer(503, b"back soon", Retry_After="30")

    def on_echo(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        said = {"method": self.command, "body": body, "token": self.headers.get("X-Token"), "list": [1, 2]}
        self.answer(200, json.dumps(said).encode())

    def on_loop(self) -> None:
        self.answer(302, b"", Location="/loop")

    def on_moved(self) -> None:
        self.answer(301, b"", Location="/stats")

    def on_huge(self) -> None:
        self.answer(200, b"x" * 10 * 1024 * 1024)

    def on_slow(self) -> None:
        self.released.wait()

    def on_slow_body(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"part")
        self.wfile.flush()
        self.released.wait()

    def on_garbage(self) -> None:
        self.wfile.write(b"\x00\xff\x13not http at all\r\n\r\n")

    def on_broken_json(self) -> None:
        self.answer(200, b'{"error_rate": 0.0')

    def on_immense(self) -> None:
        self.answer(200, b'{"error_rate": 1E400}')

    def on_cut_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"only this")

    def handle(self) -> None:
        """A client that hung up is what these tests are about."""
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            return

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def web() -> Iterator[str]:
    """The base URL of that server."""
    BadManners.released = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), BadManners)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    BadManners.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def make_question(kind: str, target: str = "", **overrides) -> Question:
    """A question with a short timeout."""
    return Question(**{"kind": kind, "target": target, "timeout": 5.0} | overrides)
