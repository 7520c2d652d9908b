"""Registering a service from its TOML: what differs is changed and named; a mistake changes nothing."""

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import DataError
from django.utils import timezone

from checks.models import AuditEntry, Environment, Probe, Service, Variable
from releases.errors import WrongUsage
from releases.lifecycle import environments
from releases.lifecycle.environments import register
from tests.factories import make_environment

pytestmark = pytest.mark.django_db

GOOD = """
[service]
name = "shop"
title = "Tea shop"
repository = "/"
migrations = ["*/migrations/0*.py"]
[service.health]
ready = "/health/ready"
[service.commands]
stop = "bin/shop stop"
[[environment]]
name = "production"
folder = "/srv/shop"
base_url = "http://127.0.0.1:8000"
order = 2
[environment.variables]
COLOUR = "blue"
TOKEN = { secret = "s3cret-value" }
[[environment.database]]
name = "default"
url = "sqlite:////srv/shop.sqlite3"
[[environment.host]]
name = "user@your-server"
address = "deploy@shop.internal"
port = 2222
[[environment.probe]]
name = "traffic"
kind = "http"
target = "/stats"
conditions = ["[STATUS] == 200"]
every = "500ms"
[environment.probe.readings]
error_rate = { value = "[BODY].error_rate", unit = "percent" }
"""


@pytest.fixture
def give(tmp_path: Path):
    """Register a text; the lines of what changed."""

    def give(text: str) -> list[str]:
        path = tmp_path / "shop.toml"
        path.write_text(text)
        return register(path, by="rita", at=timezone.now())

    return give


def test_a_service_is_registered_with_all_that_belongs_to_it(give):
    lines = give(GOOD)
    assert [line.split()[1] for line in lines] == [
        "service", "environment", "variable", "variable", "database", "host", "probe", "metric"
    ]  # fmt: skip
    place = Environment.objects.get()
    assert (str(place), place.order, place.is_protected) == ("shop/production", 2, False)
    assert {row.name: row.value for row in place.variables.all()} == {
        "COLOUR": "blue",
        "TOKEN": "s3cret-value",
    }
    host = place.hosts.get()
    assert (str(host), host.address, host.port) == ("user@your-server", "deploy@shop.internal", 2222)
    assert (Probe.objects.get().every_seconds, place.metrics.get().unit) == (0.5, "percent")


def test_the_same_file_again_changes_nothing(give):
    give(GOOD)
    before = AuditEntry.objects.count()
    assert give(GOOD) == []
    assert AuditEntry.objects.count() == before


def test_only_what_differs_is_changed_and_named(give):
    give(GOOD)
    assert give(GOOD.replace('"Tea shop"', '"Better tea"').replace("order = 2", "order = 3")) == [
        "changed: service shop title: Tea shop → Better tea",
        "changed: environment shop/production order: 2 → 3",
    ]
    assert give(GOOD.replace("port = 2222", 'identity_file = "/keys/shop"')) == [
        "changed: service shop title: Better tea → Tea shop",
        "changed: environment shop/production order: 3 → 2",
        "changed: host shop/production user@your-server port: 2222 → 22",
        "changed: host shop/production user@your-server identity_file:  → /keys/shop",
    ]


def test_a_changed_secret_is_named_and_not_shown(give):
    give(GOOD)
    (line,) = give(GOOD.replace("s3cret-value", "an0ther-value"))
    assert line == "changed: variable shop/production TOKEN stored"
    assert Variable.objects.get(name="TOKEN").value == "an0ther-value"
    assert "an0ther" not in str(list(AuditEntry.objects.values_list("old", "new")))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "shop"', "", r"\[service\] with a name is missing"),
        ('name = "shop"', 'name = "not a slug"', "slug"),
        ('title = "Tea shop"', 'titel = "Tea shop"', "unknown key 'titel'"),
        ('repository = "/"', 'repository = "/no/where"', "does not exist"),
        ("ready =", "redy =", "unknown key 'redy'"),
        ("stop =", "halt =", "unknown key 'halt'"),
        ("[[environment]]", "[environment]", "two brackets"),
        ('folder = "/srv/shop"', "", "has no folder"),
        ('base_url = "http://127.0.0.1:8000"', 'base_url = "no url"', "URL"),
        ("order = 2", 'order = "first"', "order|integer"),
        ("order = 2", "time_scale = 0", "time_scale"),
        ("order = 2", "protected = true\ntime_scale = 2", "time_scale is refused on a protected"),
        ('secret = "s3cret-value"', 'secret = "abc"', "at least 6 characters"),
        ('secret = "s3cret-value"', 'secret = "changeme"', "variable TOKEN: a secret that is an everyday word"),
        ('secret = "s3cret-value"', 'secret = "shop-production"', "TOKEN: .* the name of its service or env"),
        ('{ secret = "s3cret-value" }', '{ sekret = "s3cret-value" }', "TOKEN"),
        ('url = "sqlite:////srv/shop.sqlite3"', "", "database.*url"),
        ('name = "user@your-server"', "", "host.*name"),
        ('name = "user@your-server"', 'name = "two words"', "one word"),
        ('address = "deploy@shop.internal"', "", "host.*address"),
        ('address = "deploy@shop.internal"', 'address = "-oProxyCommand=evil"', "an address is user@host"),
        ("port = 2222", "port = 70000", "65535"),
        ("port = 2222", "key = 1", "unknown key 'key'"),
        ('name = "traffic"', "", "probe.*name"),
        ('kind = "http"', 'kind = "pigeon"', "pigeon"),
        ('"[STATUS] == 200"', '"STATUS 200"', "probe traffic"),
        ('every = "500ms"', 'every = "now and then"', "is no duration"),
        ('{ value = "[BODY].error_rate", unit = "percent" }', '{ unit = "percent" }', "error_rate.*value"),
        ("order = 2", "order = = 2", "is not valid TOML"),
        ('repository = "/"', f'repository = "/{"x" * 300}"', "does not exist"),
        ('title = "Tea shop"', "title = 7", "title is 7; it should be a text"),
        ('["*/migrations/0*.py"]', '"*.py"', "migrations is '\\*.py'; it should be a list of texts"),
        ('["*/migrations/0*.py"]', '["a", 1]', "it should be a list of texts"),
        ('stop = "bin/shop stop"', "stop = true", "commands is .* it should be a table of texts"),
        ('[service.health]\nready = "/health/ready"', 'health = "/ready"', "it should be a table of texts"),
        ("order = 2", "order = true", "order is True; it should be a whole number"),
        ("order = 2", "order = 2.5", "order is 2.5; it should be a whole number"),
        ("order = 2", 'protected = "no"', "protected is 'no'; it should be true or false"),
        ('COLOUR = "blue"', 'COLOUR = ["blue"]', "COLOUR .* is a list; write a text"),
        ('COLOUR = "blue"', r'COLOUR = "\u0000"', "COLOUR .* holds a NUL character"),
        ('COLOUR = "blue"', '"1 COLOUR" = "blue"', "'1 COLOUR' is no name"),
        ('url = "sqlite:////srv/shop.sqlite3"', "url = 5432", "url is 5432; it should be a text"),
        ('kind = "http"', 'kind = ["http"]', "it should be a text"),
        ('["[STATUS] == 200"]', '"[STATUS] == 200"', "conditions is .* a list of texts"),
        ('{ value = "[BODY].error_rate", unit = "percent" }', '"[BODY].x"', "error_rate .* write it as a table"),
        ('every = "500ms"', 'every = "0s"', "out of bounds"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_file_and_changes_nothing(give, old, new, message):
    assert old in GOOD
    with pytest.raises(WrongUsage, match=message) as said:
        give(GOOD.replace(old, new, 1))
    assert "shop.toml" in str(said.value)
    assert not Service.objects.exists()


def test_an_environment_named_twice_is_a_mistake(give):
    twice = GOOD + '[[environment]]\nname = "production"\nfolder = "/b"\nbase_url = "http://127.0.0.1:1"\n'
    with pytest.raises(WrongUsage, match="production"):
        give(twice)


def test_another_service_is_left_alone(give):
    other = make_environment()
    give(GOOD)
    other.refresh_from_db()
    assert Service.objects.count() == 2


def test_what_the_database_does_not_store_is_told_in_one_sentence(give, monkeypatch):
    def record(*_: object, **__: object) -> None:
        raise DataError("value too long for type character varying(50)\nLINE 1: ...")

    monkeypatch.setattr(environments, "record", record)
    with pytest.raises(WrongUsage, match=r"shop.toml: a text is too long, .* character varying\(50\)$"):
        give(GOOD)


def test_on_the_command_line_a_mistake_is_one_sentence_and_exit_code_2(tmp_path, capsys):
    path = tmp_path / "shop.toml"
    path.write_text(GOOD.replace("order = 2", 'order = "second"'))
    with pytest.raises(SystemExit) as ended:
        call_command("register_service", str(path))
    said = f"gantry: {path}: [[environment]] production order is 'second'; it should be a whole number\n"
    assert (ended.value.code, capsys.readouterr().err) == (2, said)


# --- the way to production ---------------------------------------------------------------------------------

STAGING = """
[[environment]]
name = "staging"
folder = "/srv/staging"
base_url = "http://127.0.0.1:8001"
"""
LATER = GOOD.replace("order = 2", 'order = 2\nafter = "staging"')


@pytest.mark.parametrize("step", [1, -1])
def test_an_environment_comes_after_another_wherever_that_stands_in_the_file(give, step):
    service, _, rest = LATER.partition("[[environment]]")
    tables = [f"[[environment]]{rest}", STAGING][::step]
    give(service + "\n".join(tables))
    assert str(Environment.objects.get(name="production").after) == "shop/staging"
    assert give(service + "\n".join(tables)) == []


def test_what_an_environment_comes_after_and_when_it_is_open_are_changed_and_named(give):
    give(GOOD + STAGING)
    changed = GOOD.replace("order = 2", 'order = 2\nafter = "staging"\nwindow = "Mon-Thu 09:00-17:00 UTC"')
    assert give(changed + STAGING) == [
        "changed: environment shop/production after: None → shop/staging",
        "changed: environment shop/production window:  → Mon-Thu 09:00-17:00 UTC",
    ]
    assert len(give(GOOD + STAGING)) == 2
    place = Environment.objects.get(name="production")
    assert (place.after, place.window) == (None, "")


def test_the_order_of_two_environments_can_be_turned_round(give):
    give(LATER + STAGING)
    give(GOOD + STAGING.replace('"staging"', '"staging"\nafter = "production"'))
    order = {str(row): str(row.after) for row in Environment.objects.select_related("after")}
    assert order == {"shop/production": "None", "shop/staging": "shop/production"}


def test_an_environment_may_come_after_one_that_is_not_in_the_file(give):
    give(GOOD + STAGING)
    assert give(LATER) == ["changed: environment shop/production after: None → shop/staging"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LATER, "production is after 'staging'; there is no other"),
        (LATER.replace('"staging"', '"production"'), "in a circle: production after production"),
        (LATER + STAGING + 'after = "production"', "in a circle: "),
        (LATER.replace('"staging"', "7"), "is after '7'|after is 7"),
        (GOOD.replace("order = 2", 'window = "Mon 9-5 UTC"'), "'Mon 9-5 UTC' names no days with their hours"),
        (GOOD.replace("order = 2", f'window = "{"Mon 09:00-10:00 UTC;" * 20}"'), "300 characters"),
    ],
)
def test_an_order_or_a_window_that_cannot_be_is_named(give, text, message):
    with pytest.raises(WrongUsage, match=message):
        give(text)
    assert not Environment.objects.exists()


def test_the_admin_refuses_an_order_that_cannot_be(db):
    first = make_environment(name="first")
    second = make_environment(service=first.service, name="second", after=first)
    first.after = second
    with pytest.raises(ValidationError, match="a circle: first after second after first"):
        first.full_clean()
    first.after = make_environment()
    with pytest.raises(ValidationError, match="belongs to another service"):
        first.full_clean()
    first.after = first
    with pytest.raises(ValidationError, match="a circle: first after first"):
        first.full_clean()
