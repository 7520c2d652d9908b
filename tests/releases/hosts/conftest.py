"""One machine for a module's blocks, cleared for each of them."""

import shutil
from collections.abc import Iterator

import pytest

from tests.releases.hosts.machines import Machine, machine


@pytest.fixture(scope="module")
def lasting() -> Iterator[Machine]:
    """A machine that lives as long as the module."""
    with machine("deploy@your-server") as found:
        yield found


@pytest.fixture
def host(lasting: Machine) -> Machine:
    """That machine, without the runs of earlier tests."""
    shutil.rmtree(lasting.home / ".gantry", ignore_errors=True)
    return lasting


@pytest.fixture
def mortal() -> Iterator[Machine]:
    """A machine of one test, which may go away."""
    with machine("web1") as found:
        yield found
