"""What the tests of `releases` share."""

from pathlib import Path

import pytest

from tests.releases.world import World, make_world


@pytest.fixture(autouse=True)
def _fast_passwords(settings) -> None:
    """A real hash costs 0.3 s; these tests are not about it."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def world(db: None, tmp_path: Path) -> World:
    """A service whose environment runs v1, with a published runbook and three people."""
    return make_world(tmp_path)
