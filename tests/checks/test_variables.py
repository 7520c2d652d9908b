"""What the commands of an environment see, and what nobody else does."""

import pytest
from django.db import IntegrityError

from checks.models import Environment, Service, Variable
from checks.secrets import MASK
from checks.variables import missing, secrets_of, variables_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def environment() -> Environment:
    service = Service.objects.create(name="shop", title="Shop", repository="/nowhere")
    return Environment.objects.create(
        service=service, name="staging", folder="/nowhere", base_url="http://127.0.0.1:1/"
    )


def give(environment: Environment, name: str, value: str, *, is_secret: bool = False) -> Variable:
    row = Variable(environment=environment, name=name, is_secret=is_secret)
    row.value = value
    row.save()
    return row


def test_commands_see_the_declared_variables_and_the_place(environment):
    give(environment, "COLOUR", "blue")
    give(environment, "TOKEN", "s3cret-value", is_secret=True)
    seen = variables_of(environment)
    assert (seen["COLOUR"], seen["TOKEN"]) == ("blue", "s3cret-value")
    assert (seen["SERVICE"], seen["ENVIRONMENT"]) == ("shop", "staging")
    assert seen["BASE_URL"] == "http://127.0.0.1:1/"


def test_nothing_of_gantrys_own_environment_is_handed_down(environment, monkeypatch):
    monkeypatch.setenv("GANTRY_ONLY", "1")
    assert not {"GANTRY_ONLY", "SECRET_KEY", "DATABASE_URL"} & variables_of(environment).keys()


def test_a_declared_path_replaces_the_default(environment):
    assert "/usr/bin" in variables_of(environment)["PATH"]
    give(environment, "PATH", "/opt/bin")
    assert variables_of(environment)["PATH"] == "/opt/bin"


def test_a_secret_is_stored_unreadable_and_shown_masked(environment):
    row = give(environment, "TOKEN", "s3cret-value", is_secret=True)
    row.refresh_from_db()
    assert "s3cret" not in row.stored
    assert (row.value, row.shown) == ("s3cret-value", MASK)


def test_only_secrets_are_secret(environment):
    give(environment, "COLOUR", "blue")
    give(environment, "TOKEN", "s3cret-value", is_secret=True)
    assert secrets_of(environment) == ("s3cret-value",)


def test_missing_variables_are_named(environment):
    give(environment, "COLOUR", "blue")
    assert missing(environment, ["COLOUR", "PATH", "SIZE", "AGE"]) == ["AGE", "SIZE"]


def test_a_protected_environment_runs_in_real_time(environment):
    with pytest.raises(IntegrityError, match="environment_protected_runs_in_real_time"):
        Environment.objects.filter(pk=environment.pk).update(is_protected=True, time_scale=240)


def test_a_protected_demo_may_run_faster(environment):
    Environment.objects.filter(pk=environment.pk).update(is_protected=True, is_demo=True, time_scale=240)
    environment.refresh_from_db()
    assert environment.time_scale == 240
