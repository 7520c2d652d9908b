"""What pages need before they open."""

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(scope="session", autouse=True)
def static_folder() -> None:
    """Whitenoise warns of a folder that `collectstatic` has not made yet."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
