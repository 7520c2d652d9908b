"""Demo services built and running in temporary folders, and a visitor who asks them."""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.build import Built, bring_up_plain, bring_up_shop, build_plain, build_shop, take_down


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status, headers and body of an answer; `json` reads the body."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Visitor:
    """Asks one service over HTTP; an error status is an answer too."""

    base_url: str

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask(urllib.request.Request(self.base_url + path, headers=headers))

    def post(self, path: str, **body: object) -> Answer:
        data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self.base_url + path, data=data, headers=headers))

    def _ask(self, request: urllib.request.Request) -> Answer:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return Answer(
                    status=response.status, headers=dict(response.headers), body=response.read().decode()
                )
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(status=answer.code, headers=dict(answer.headers), body=answer.read().decode())


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The shop, serving v1.0."""
    with ended(build_shop(tmp_path_factory.mktemp("v1.0") / "shop", port=free_port())) as built:
        bring_up_shop(built)
        yield built


@pytest.fixture
def visitor(shop: Built) -> Visitor:
    return Visitor(shop.base_url)


@pytest.fixture(scope="session")
def shop_at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Built]]:
    """`shop_at("v1.1")`: a shop of its own with two orders of v1.0, then put live at that version."""
    with ExitStack() as held:

        def make(version: str) -> Built:
            folder = tmp_path_factory.mktemp(version) / "shop"
            built = held.enter_context(ended(build_shop(folder, port=free_port(), broken=True)))
            bring_up_shop(built)
            for _ in range(2):
                Visitor(built.base_url).post("/api/orders", product="tea-pot", quantity=3)
            check_out(built, version)
            built.run("python", "manage.py", "migrate")
            built.run("bin/shop", "restart")
            return built

        yield make


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Built]:
    """The notice board, serving 1.0."""
    with ended(build_plain(tmp_path / "board", port=free_port())) as built:
        bring_up_plain(built)
        yield built


@contextmanager
def ended(built: Built) -> Iterator[Built]:
    """Its processes end with the block."""
    try:
        yield built
    finally:
        take_down(built)


def check_out(built: Built, version: str) -> None:
    """The code of a version and what it requires."""
    built.run("git", "fetch", "--quiet", "--tags")
    built.run("git", "checkout", "--quiet", version)
    built.run("pip", "install", "--no-index", "--find-links", "wheels", "-r", "requirements.txt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], *, seconds: float = 10) -> bool:
    """True as soon as it holds, False when it did not within that time."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
