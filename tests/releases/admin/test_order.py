"""The way from one environment to the next on its pages."""

import pytest
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def staging(client):
    client.force_login(factories.make_superuser())
    return factories.make_environment(name="staging", window="daily 09:00-17:00 UTC")


def posted(client, environment, **given) -> str:
    """The page after its form was sent with these changes."""
    address = reverse("admin:checks_environment_change", args=[environment.pk])
    form = client.get(address).context["adminform"].form
    values = {name: value for name, value in form.initial.items() if value is not None}
    values |= {
        field.html_name: field.value()
        for each in client.get(address).context["inline_admin_formsets"]
        for field in each.formset.management_form
    }
    return client.post(address, values | given, follow=True).content.decode()


def test_the_page_of_an_environment_shows_its_hours_and_what_it_comes_after(client, staging):
    later = factories.make_environment(service=staging.service, name="production", after=staging)
    page = client.get(reverse("admin:checks_environment_change", args=[later.pk])).content.decode()
    assert f'<option value="{staging.pk}" selected' in page
    listed = client.get(reverse("admin:checks_environment_changelist")).content.decode()
    assert "daily 09:00-17:00 UTC" in listed


def test_an_administrator_sets_both(client, staging):
    earlier = factories.make_environment(service=staging.service, name="trial")
    posted(client, staging, after=earlier.pk, window="Sat 10:00-11:00 UTC")
    staging.refresh_from_db()
    assert (staging.after, staging.window) == (earlier, "Sat 10:00-11:00 UTC")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"window": "Sat 10-11 UTC"}, "names no days with their hours"),
        ({"after": "itself"}, "that is a circle: staging after staging"),
        ({"after": "other"}, "belongs to another service"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(client, staging, given, said):
    places = {"itself": staging.pk, "other": factories.make_environment().pk}
    page = posted(client, staging, **{name: places.get(value, value) for name, value in given.items()})
    assert said in page
    staging.refresh_from_db()
    assert (staging.after, staging.window) == (None, "daily 09:00-17:00 UTC")


def test_the_page_of_a_box_shows_what_is_offered_for_it(client, staging):
    release = factories.make_release(service=staging.service, version="v2")
    factories.make_deployment(release=release, environment=staging, status="succeeded")
    box = factories.make_item(release=release, text="Deployed to staging")
    address = reverse("admin:releases_checklistitem_change", args=[box.pk])
    assert "staging #1 of v2" in client.get(address).content.decode()
    factories.make_item(release=release, text="Code is reviewed")
    other = factories.make_item(release=release, text="Tested in staging", state="ticked")
    closed = reverse("admin:releases_checklistitem_change", args=[other.pk])
    assert "staging #1 of v2" not in client.get(closed).content.decode()
