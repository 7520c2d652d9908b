"""A secret is written, never read: whoever looks at an environment's page sees the mask."""

import pytest
from django.urls import reverse

from checks.models import Variable
from tests import factories

pytestmark = pytest.mark.django_db
PLAIN = "s3cr3t-T0ken!value"


@pytest.mark.parametrize("role", ["viewer", "release_manager", "approver", "operator", "administrator"])
def test_nobody_is_shown_a_secret(client, role) -> None:
    environment = factories.make_environment()
    variable = Variable(environment=environment, name="TOKEN", is_secret=True)
    variable.value = PLAIN
    variable.save()
    client.force_login(factories.make_user(role))
    page = client.get(reverse("admin:checks_environment_change", args=[environment.pk])).content.decode()
    assert "TOKEN" in page
    assert PLAIN not in page
