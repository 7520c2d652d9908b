"""What the tests of `releases` share."""

from pathlib import Path

import pytest

from tests.releases.world import World, make_world


@pytest.fixture
def world(db: None, tmp_path: Path) -> World:
    """A service whose environment runs v1, with a published runbook and three people."""
    return make_world(tmp_path)
