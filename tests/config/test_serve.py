"""`manage.py serve` starts web, worker and beat, and ends them together."""

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from django.conf import settings

from tests.servers import free_port, survivors, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Served:
    """A running `manage.py serve`."""

    def __init__(self, environment: dict[str, str], *, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", "--port", str(port)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def answers(self, path: str = "/health/live") -> bool:
        assert self.process.poll() is None, self.process.communicate()[0]
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def leaders(self) -> dict[str, psutil.Process]:
        """web and worker by name."""
        children = psutil.Process(self.process.pid).children()
        return {"web" if "gunicorn" in child.cmdline() else "worker": child for child in children}

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.communicate(timeout=60)


@pytest.fixture
def served(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Served]:
    served = Served({**process_environment, "GANTRY_VAR": str(tmp_path)}, port=free_port())
    try:
        wait_until(served.answers, what="the web answers")
        wait_until(lambda: list(tmp_path.glob("beat/schedule*")), what="beat runs")
        yield served
    finally:
        served.end()


def everything_of(served: Served) -> list[psutil.Process]:
    return psutil.Process(served.process.pid).children(recursive=True)


def test_it_serves_the_admin_and_its_style(served: Served) -> None:
    assert served.answers("/admin/login/")
    assert served.answers("/static/unfold/css/styles.css")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_process(served: Served, sign: signal.Signals) -> None:
    processes = everything_of(served)
    served.process.send_signal(sign)
    output, _ = served.process.communicate(timeout=60)
    assert served.process.returncode == 0, output
    assert survivors(processes) == []


@pytest.mark.parametrize("victim", ["web", "worker"])
def test_when_one_process_dies_the_others_end_and_it_is_named(served: Served, victim: str) -> None:
    processes = everything_of(served)
    served.leaders()[victim].kill()
    output, _ = served.process.communicate(timeout=60)
    assert served.process.returncode == 1
    assert f"{victim} ended by signal 9; the others were ended too" in output
    assert survivors(processes) == []


def test_a_taken_port_is_named_and_nothing_is_started(served: Served) -> None:
    port = served.url.rpartition(":")[2]
    second = subprocess.run(
        [sys.executable, "manage.py", "serve", "--port", port],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in second.stderr
    assert "--port" in second.stderr
