"""The hosts of an environment on its page."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


def page(client, environment) -> str:
    return client.get(reverse("admin:checks_environment_change", args=[environment.pk])).content.decode()


def test_staff_see_where_blocks_run_and_only_administrators_change_it(client) -> None:
    host = factories.make_host(address="deploy@web1.internal", port=2222)
    client.force_login(factories.make_user("viewer"))
    seen = page(client, host.environment)
    assert "deploy@web1.internal" in seen and "2222" in seen
    assert 'name="hosts-0-address"' not in seen
    client.force_login(factories.make_superuser())
    assert 'name="hosts-0-address"' in page(client, host.environment)
