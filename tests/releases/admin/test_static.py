"""The pages as they are served in production: every file they name was collected, under its hashed name."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.urls import reverse

from tests import factories

HASHED = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}


@pytest.mark.django_db
def test_every_file_that_a_page_names_was_collected(client, tmp_path: Path) -> None:
    client.force_login(factories.make_superuser())
    deployment = factories.make_deployment()
    with override_settings(STORAGES=HASHED, STATIC_ROOT=tmp_path):
        call_command("collectstatic", interactive=False, verbosity=0)
        page = client.get(reverse("admin:releases_deployment_change", args=[deployment.pk])).content.decode()
    named = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page))
    assert any(re.fullmatch(r"releases/gantry\.[0-9a-f]{12}\.css", name) for name in named)
    assert {name for name in named if not (tmp_path / name).is_file()} == set()
