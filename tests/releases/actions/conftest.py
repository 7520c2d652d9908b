"""A service that tells its version over HTTP, and the way to do one action on it."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from checks.gates.process import Captured, capture
from checks.models import Environment
from releases.actions import action as handler_of
from releases.actions.base import Context, Observation
from releases.plan.model import PlannedAction, from_json
from tests.factories import make_deployment, make_environment, make_release, make_service

BAD, GOOD = "b" * 40, "a" * 40


@dataclass
class Service:
    """What the service answers at /health, and what it was asked."""

    url: str = ""
    status: int = 200
    body: dict[str, Any] = field(default_factory=lambda: {"version": "v1.1"})
    asked: list[dict[str, str]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    """Answers every path with the same body and remembers what came."""

    service: Service

    def do_GET(self) -> None:
        """Answer."""
        length = int(self.headers.get("Content-Length", 0))
        named = {name: self.headers.get(name, "") for name in ("Authorization", "Content-Type")}
        body = self.rfile.read(length).decode()
        self.service.asked.append({"method": self.command, "path": self.path, "body": body, **named})
        said = json.dumps(self.service.body).encode()
        self.send_response(self.service.status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    do_POST = do_PUT = do_DELETE = do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def service() -> Iterator[Service]:
    """The service."""
    told = Service()
    handler = type("TheHandler", (Handler,), {"service": told})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def environment(db: None, service: Service, tmp_path: Path) -> Environment:
    """An environment of that service in an empty folder."""
    folder = tmp_path / "running"
    folder.mkdir()
    row = make_service(health={"ready": "/health"})
    return make_environment(service=row, folder=str(folder), base_url=service.url)


@pytest.fixture
def context(environment: Environment, tmp_path: Path) -> Context:
    """An action on its way from v1.0 to v1.1."""
    release = make_release(service=environment.service, version="v1.1", commit=BAD)
    deployment = make_deployment(release=release, environment=environment)
    return Context(
        deployment=deployment,
        environment=environment,
        plan=from_json({**deployment.plan, "previous_commit": GOOD}),
        variables={"PATH": os.environ["PATH"], "HOME": "/", "BASE_URL": environment.base_url},
        secrets=(),
        opened_at=timezone.now(),
        handed_on=tmp_path / "1-key-1.vars",
    )


Do = Callable[..., tuple[Captured, Observation]]


@pytest.fixture
def do() -> Do:
    """Carry one action out as the engine does: its command, then one look; a failed command is not looked after."""

    def do(
        context: Context, kind: str, text: str = "", *, expects: str = "", **options: str
    ) -> tuple[Captured, Observation]:
        action = PlannedAction(key="key", kind=kind, title=kind, text=text, expects=expects, options=options)
        handler = handler_of(kind)
        command = handler.command(action, context)
        said = Captured(code=0, out="", err="")
        if command:
            both = ("bash", "-c", 'exec "$@" 2>&1', "bash", *command.argv)
            said = capture(
                both,
                cwd=command.cwd,
                env={"PATH": os.environ["PATH"], **command.env},
                timeout=command.timeout,
            )
        context.output.write_text(said.out)
        if said.code != 0:
            return said, Observation(done=False, message=f"ended with {said.code}: {said.out}")
        return said, handler.confirm(action, context)

    return do
