"""What pages need before they open."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from releases import doorbell, tasks

PLAIN = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


@pytest.fixture(scope="session", autouse=True)
def plain_static_files() -> Iterator[None]:
    """Static files by their own names, as before `collectstatic`; whitenoise warns of a folder that is not there."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    with override_settings(STORAGES=PLAIN):
        yield


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The deployments for which a worker was rung."""
    found: list[int] = []
    monkeypatch.setattr(
        doorbell, "ring", lambda task, pk, *by: found.append(pk) if task == tasks.deploy.name else None
    )
    return found
