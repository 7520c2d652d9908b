"""Every page of the admin opens for everybody who may see it, and shows what people wrote as text."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from maintenance_mode.core import set_maintenance_mode

from checks.models import AuditEntry
from releases.admin.site import site
from releases.lifecycle import items
from releases.models import AccessToken
from releases.models.deployments import output_path
from releases.permissions import ROLES
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db
site.get_urls()  # loads the pages

MODELS = sorted((model for model in site._registry), key=lambda model: model._meta.label)
NAMES = [f"{model._meta.app_label}_{model._meta.model_name}" for model in MODELS]
EVIL = "<script>alert('gantry')</script>"
PEOPLE = ("superuser", *ROLES)


@pytest.fixture
def world():
    """One row of everything, hanging together."""
    environment = factories.make_environment(time_scale=240, is_demo=True)
    factories.make_variable(
        environment=environment, name="TOKEN", value="a secret of the shop", is_secret=True
    )
    database = factories.make_database(environment=environment, url="postgres://shop:hunter22@db/shop")
    factories.make_result(probe=factories.make_probe(environment=environment))
    factories.make_snapshot(metric=factories.make_metric(environment=environment))
    factories.make_feature(environment=environment)
    release = factories.make_release(service=environment.service, version="v1.1")
    factories.settle_review(release.revision)
    factories.make_item(release=release)
    deployment = factories.make_deployment(release=release, environment=environment, status="watching")
    factories.make_attempt(deployment=deployment, tail="done")
    factories.make_approval(deployment=deployment)
    factories.make_incident(deployment=deployment)
    factories.make_hold(environment=environment)
    factories.make_backup(database=database, deployment=deployment)
    factories.make_deployment(undoes=deployment, status="queued")
    token = {"label": "ci", "digest": "0" * 64, "created_at": NOON, "expires_at": NOON}
    AccessToken.objects.create(user=release.requested_by, **token)
    return deployment


@pytest.fixture(params=PEOPLE)
def visitor(request, client: Client) -> Client:
    """A client signed in as somebody of each role."""
    is_super = request.param == "superuser"
    client.force_login(factories.make_superuser() if is_super else factories.make_user(request.param))
    return client


def sign_in(client: Client, role: str = "") -> Client:
    client.force_login(factories.make_user(role) if role else factories.make_superuser())
    return client


def addresses() -> list[str]:
    """Every list, form and history of every registered model that has rows."""
    found = [reverse("admin:index")]
    for model, name in zip(MODELS, NAMES, strict=True):
        found.append(reverse(f"admin:{name}_changelist"))
        row = model._default_manager.order_by("pk").first()
        if row:
            found.append(reverse(f"admin:{name}_change", args=[row.pk]))
    return found


def test_every_page_opens_for_every_role(world, visitor) -> None:
    answers = {address: visitor.get(address).status_code for address in addresses()}
    closed = {address for address, status in answers.items() if status != 200}
    assert all(address.startswith("/admin/auth/") and answers[address] == 403 for address in closed)


def test_a_superuser_sees_every_page(world, client) -> None:
    sign_in(client)
    assert {client.get(address).status_code for address in addresses()} == {200}
    assert len(addresses()) > 2 * len(MODELS) - 2


def test_every_add_form_opens_for_administrators_and_for_nobody_else(world, visitor) -> None:
    for name in NAMES:
        assert visitor.get(reverse(f"admin:{name}_add")).status_code in (200, 403)


def test_an_administrator_may_add_what_is_configured(client) -> None:
    sign_in(client, "administrator")
    opened = {name for name in NAMES if client.get(reverse(f"admin:{name}_add")).status_code == 200}
    assert opened == {"checks_service", "checks_environment", "checks_probe", "releases_grant"}


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"administrator"}))
def test_other_roles_add_nothing(client, role) -> None:
    sign_in(client, role)
    assert {client.get(reverse(f"admin:{name}_add")).status_code for name in NAMES} == {403}


EVIDENCE = (
    "deployment",
    "attempt",
    "approval",
    "checklistitem",
    "release",
    "runbookrevision",
    "incident",
    "hold",
    "backup",
    "decision",
)


@pytest.mark.parametrize("name", [f"releases_{name}" for name in EVIDENCE])
def test_evidence_is_neither_edited_nor_deleted_even_by_a_superuser(world, client, name) -> None:
    sign_in(client)
    row = MODELS[NAMES.index(name)]._default_manager.first()
    change = client.post(reverse(f"admin:{name}_change", args=[row.pk]), {"status": "succeeded"})
    delete = client.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"})
    assert (change.status_code, delete.status_code) == (403, 403)


def test_the_audit_trail_is_only_read(client) -> None:
    box = factories.make_item()
    items.tick(box, user=factories.make_superuser(), evidence="seen", at=NOON)
    entry = AuditEntry.objects.get()
    sign_in(client)
    for verb in ("change", "delete"):
        address = reverse(f"admin:checks_auditentry_{verb}", args=[entry.pk])
        assert client.post(address, {"actor": "nobody", "post": "yes"}).status_code == 403
    assert AuditEntry.objects.get().actor == entry.actor


def test_the_history_of_a_row_is_its_audit_trail(client) -> None:
    box = factories.make_item()
    items.tick(box, user=factories.make_superuser(username="olga"), evidence="seen", at=NOON)
    answer = sign_in(client).get(reverse("admin:releases_checklistitem_history", args=[box.pk]), follow=True)
    assert "olga" in answer.content.decode()


def test_a_visitor_is_sent_to_the_door(client) -> None:
    answer = client.get(reverse("admin:releases_deployment_changelist"))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_an_account_that_is_not_staff_sees_nothing(client) -> None:
    client.force_login(factories.make_user("administrator", is_staff=False))
    assert client.get(reverse("admin:index")).status_code == 302


@pytest.mark.parametrize("object_id", ["0", "nonsense", "<script>"])
def test_a_deployment_that_does_not_exist_is_no_error(client, object_id) -> None:
    sign_in(client)
    approve = reverse("admin:releases_deployment_approve", args=[object_id])
    assert client.post(approve, {"_form_submitted": "on"}).status_code == 404


# --- what people wrote is text -------------------------------------------------------------------------


@pytest.fixture
def hostile():
    """A world in which every text that somebody can write holds a script."""
    service = factories.make_service(title=EVIL)
    environment = factories.make_environment(service=service, time_scale=240)
    text = factories.TEXT.replace("Orders go through", EVIL).replace("bin/smoke", f"echo '{EVIL}' #")
    runbook = factories.make_runbook(service=service, name=EVIL)
    revision = factories.make_revision(runbook=runbook, text=f"# {EVIL}\n\n{text}")
    asker = factories.make_user(username=EVIL)
    release = factories.make_release(service=service, version=EVIL, revision=revision, requested_by=asker)
    factories.make_item(release=release, text=EVIL, heading=EVIL, state="ticked", evidence={"said": EVIL})
    deployment = factories.make_deployment(
        release=release, environment=environment, status="waiting", message=EVIL, reason=f"why {EVIL}"
    )
    factories.make_attempt(
        deployment=deployment, tail=EVIL, command=EVIL, outcome="failed", by=EVIL, result={"message": EVIL}
    )
    factories.make_incident(deployment=deployment, title=EVIL, cause=EVIL, decision=EVIL)
    factories.make_hold(environment=environment, reason=EVIL, by=asker)
    factories.make_variable(environment=environment, name=EVIL, value=EVIL)
    return deployment


def test_no_page_runs_a_script_that_somebody_wrote(hostile, client) -> None:
    sign_in(client)
    for address in addresses():
        page = client.get(address).content.decode()
        assert "<script>alert" not in page, address


def test_the_deployment_page_shows_outputs_as_text(hostile, client) -> None:
    sign_in(client)
    page = client.get(reverse("admin:releases_deployment_change", args=[hostile.pk])).content.decode()
    assert '<pre class="g-output">&lt;script&gt;alert(' in page


def test_log_and_output_are_plain_text(hostile, client) -> None:
    sign_in(client)
    attempt = hostile.attempts.get()
    for address in ("admin:releases_deployment_log", "admin:releases_attempt_output"):
        answer = client.get(reverse(address, args=[attempt.pk if "attempt" in address else hostile.pk]))
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert EVIL in answer.content.decode()


def test_a_long_output_is_shown_from_its_end_and_sent_whole(client, settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path
    attempt = factories.make_attempt(output="1-long-1.log")
    output_path("1-long-1.log").write_text("begin\n" + "x" * 2_000_000 + "\nend\n")
    address = reverse("admin:releases_attempt_output", args=[attempt.pk])
    shown = sign_in(client).get(address).content.decode()
    assert shown.startswith(
        f"[the last 1,048,576 of 2,000,011 bytes; all of them: {address}?download]\n\nxxx"
    )
    assert shown.endswith("\nend\n")
    whole = client.get(address + "?download")
    assert b"".join(whole.streaming_content).startswith(b"begin\n")
    assert whole["Content-Disposition"] == 'attachment; filename="1-long-1.log"'


# --- secrets --------------------------------------------------------------------------------------------


def test_a_secret_is_on_no_page(world, client) -> None:
    sign_in(client)
    for address in addresses():
        assert "a secret of the shop" not in client.get(address).content.decode(), address


def test_who_may_not_change_a_database_does_not_see_its_password(world, client) -> None:
    sign_in(client, "viewer")
    page = client.get(
        reverse("admin:checks_environment_change", args=[world.environment_id])
    ).content.decode()
    assert "postgres://shop:••••••@db/shop" in page
    assert "hunter22" not in page


# --- what a page must say --------------------------------------------------------------------------------


def test_every_page_about_an_environment_with_a_clock_of_its_own_says_so(world, client) -> None:
    sign_in(client)
    rows = [world, world.environment, world.attempts.get(), world.incidents.get(), world.items.first()]
    for row in rows:
        page = client.get(
            reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
        )
        assert "240 × faster" in page.content.decode(), row


def test_lists_name_the_clock_too(world, client) -> None:
    sign_in(client)
    for name in ("releases_deployment", "checks_environment", "releases_incident", "releases_attempt"):
        assert "×240" in client.get(reverse(f"admin:{name}_changelist")).content.decode()


def test_real_time_is_not_mentioned(client) -> None:
    deployment = factories.make_deployment()
    page = (
        sign_in(client)
        .get(reverse("admin:releases_deployment_change", args=[deployment.pk]))
        .content.decode()
    )
    assert "faster" not in page


def test_maintenance_of_gantry_itself_stands_beside_the_title(client) -> None:
    sign_in(client)
    set_maintenance_mode(True)
    try:
        assert "Gantry is under maintenance" in client.get(reverse("admin:index")).content.decode()
    finally:
        set_maintenance_mode(False)
    assert "Gantry is under maintenance" not in client.get(reverse("admin:index")).content.decode()


def test_the_overview_says_what_runs_where(client) -> None:
    environment = factories.make_environment()
    first = factories.make_release(service=environment.service, version="v1.1")
    bad = factories.make_release(service=environment.service, version="v1.2", revision=first.revision)
    factories.make_deployment(release=first, environment=environment, status="succeeded")
    factories.make_deployment(release=bad, environment=environment)
    page = sign_in(client).get(reverse("admin:index")).content.decode()
    assert re.search(r'g-version">\s*<b>v1.1</b>', page)
    assert "needs an approval" in page


def test_after_a_way_back_the_overview_names_the_version_before(client) -> None:
    bad = factories.make_deployment(status="rolled_back")
    factories.make_deployment(undoes=bad, status="succeeded")
    page = sign_in(client).get(reverse("admin:index")).content.decode()
    assert re.search(r'g-version">\s*<b>v1.0</b>', page)


def read(environment, *, at) -> None:
    """A metric of the environment was read as 19.8 then."""
    factories.make_snapshot(metric=factories.make_metric(environment=environment), value="19.8", at=at)


def readings(client: Client) -> tuple[str, str]:
    """The value of the only metric on the overview, and what is said of its time."""
    sign_in(client)
    (place,) = client.get(reverse("admin:index")).context["places"]
    return place.readings[0].value, place.readings[0].note


def test_a_reading_of_the_version_that_runs_is_shown_as_it_is(client) -> None:
    now = timezone.now()
    deployment = factories.make_deployment(status="succeeded", live_at=now - timedelta(minutes=5))
    read(deployment.environment, at=now - timedelta(minutes=1))
    assert readings(client) == ("19.8", "")


def test_what_was_read_before_the_version_came_is_not_its_own(client) -> None:
    now = timezone.now()
    bad = factories.make_deployment(status="rolled_back", started_at=now - timedelta(minutes=9))
    back = factories.make_deployment(undoes=bad, status="succeeded", live_at=None, ended_at=now)
    read(bad.environment, at=now - timedelta(minutes=2))
    assert readings(client) == ("", f"last read then, before {back}")
    assert "19.8" not in client.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("is_going_back", [False, True])
def test_what_was_read_since_another_version_began_says_so(client, is_going_back) -> None:
    now = timezone.now()
    good = factories.make_deployment(status="succeeded", live_at=now - timedelta(hours=1))
    status = "failed" if is_going_back else "running"
    later = factories.make_deployment(
        environment=good.environment, status=status, started_at=now - timedelta(minutes=3)
    )
    if is_going_back:
        factories.make_deployment(undoes=later, status="running", started_at=now)
    read(good.environment, at=now - timedelta(minutes=2))
    assert readings(client) == ("19.8", f"read then, after {later} began")


@pytest.mark.parametrize("status", ["planned", "queued"])
def test_a_deployment_that_has_not_begun_changes_no_reading(client, status) -> None:
    now = timezone.now()
    good = factories.make_deployment(status="succeeded", live_at=now - timedelta(hours=1))
    factories.make_deployment(environment=good.environment, status=status)
    read(good.environment, at=now - timedelta(minutes=2))
    assert readings(client) == ("19.8", "")


@pytest.mark.parametrize(
    ("is_fenced", "words"), [(False, "open to users"), (True, "under maintenance</span>")]
)
def test_an_environment_says_in_words_whether_it_is_open(client, is_fenced, words) -> None:
    environment = factories.make_environment(is_fenced=is_fenced)
    sign_in(client)
    page = client.get(reverse("admin:checks_environment_change", args=[environment.pk])).content.decode()
    assert words in page


@pytest.mark.parametrize("planned_at", [NOON - timedelta(hours=1), NOON + timedelta(hours=1)])
def test_the_overview_shows_what_runs_before_what_stands_in_line(client, planned_at) -> None:
    running = factories.make_deployment(status="running")
    factories.make_deployment(environment=running.environment, status="queued", planned_at=planned_at)
    sign_in(client)
    (place,) = client.get(reverse("admin:index")).context["places"]
    assert place.in_flight == running


# --- queries ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["releases_deployment", "releases_checklistitem", "checks_environment", "index"]
)
def test_a_longer_list_asks_no_more_of_the_database(client, name) -> None:
    sign_in(client)
    address = reverse("admin:index") if name == "index" else reverse(f"admin:{name}_changelist")
    factories.make_snapshot(metric=factories.make_metric(environment=factories.make_deployment().environment))
    asked = queries(client, address)
    for _ in range(3):
        factories.make_snapshot(
            metric=factories.make_metric(environment=factories.make_deployment().environment)
        )
    assert len(queries(client, address)) == len(asked)


def test_a_longer_journal_asks_no_more_of_the_database(client) -> None:
    sign_in(client)
    deployment = factories.make_deployment(status="waiting")
    address = reverse("admin:releases_deployment_change", args=[deployment.pk])
    asked = queries(client, address)
    for action in deployment.plan["steps"][0]["actions"] * 3:
        factories.make_attempt(deployment=deployment, action=action["key"])
    deployment.items.update(state="ticked", at=NOON, by=deployment.requested_by, evidence={"said": "seen"})
    factories.make_approval(deployment=deployment)
    assert len(queries(client, address)) == len(asked)


def queries(client: Client, address: str) -> list[str]:
    client.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    # Gantry's own maintenance is asked about once a second, whatever page is opened.
    return [query["sql"] for query in captured if "maintenancestate" not in query["sql"]]
