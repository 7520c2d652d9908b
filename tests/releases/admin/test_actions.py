"""Buttons of the admin do what they say, and a refusal is a sentence on the page."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from checks.models import AuditEntry, Variable
from releases import doorbell, repository
from releases.models import Deployment, Grant
from tests import factories

pytestmark = pytest.mark.django_db


def press(client: Client, row, verb: str, user, **given: str) -> list[str]:
    """Fill in the dialog as `user`; returns the messages of the page that comes next."""
    client.force_login(user)
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_{verb}"
    answer = client.post(
        reverse(name, args=[row.pk]), {"_form_submitted": "on", **given}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert "HX-Redirect" in answer.headers, answer.content.decode()
    row.refresh_from_db()
    return [str(message) for message in get_messages(answer.wsgi_request)]


DIALOGS = {
    "releases_runbookrevision_publish": factories.make_revision,
    "releases_runbookrevision_new_release": factories.make_revision,
    "releases_runbookrevision_redraft": factories.make_revision,
    "releases_release_plan": factories.make_release,
    "releases_deployment_approve": factories.make_deployment,
    "releases_deployment_deploy": factories.make_deployment,
    "releases_deployment_go_on": factories.make_deployment,
    "releases_deployment_retry": factories.make_deployment,
    "releases_deployment_count_as_done": factories.make_deployment,
    "releases_deployment_skip": factories.make_deployment,
    "releases_deployment_pause": factories.make_deployment,
    "releases_deployment_abort": factories.make_deployment,
    "releases_deployment_roll_back": factories.make_deployment,
    "releases_checklistitem_tick": factories.make_item,
    "releases_checklistitem_waive": factories.make_item,
    "releases_incident_resolve": factories.make_incident,
    "releases_hold_lift": factories.make_hold,
    "checks_environment_hold": factories.make_environment,
    "checks_environment_run_checks": factories.make_environment,
    "checks_environment_back_up": factories.make_environment,
}


@pytest.mark.parametrize("role", ["", "viewer", "release_manager", "approver", "operator", "administrator"])
@pytest.mark.parametrize("name", DIALOGS)
def test_every_dialog_opens_and_looking_at_it_changes_nothing(client, name, role) -> None:
    row = DIALOGS[name]()
    client.force_login(factories.make_user(role) if role else factories.make_superuser())
    answer = client.get(reverse(f"admin:{name}", args=[row.pk]))
    assert answer.status_code == 200
    assert not AuditEntry.objects.exists()


def test_a_dialog_wants_the_token_of_the_form() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(factories.make_superuser())
    box = factories.make_item()
    answer = client.post(reverse("admin:releases_checklistitem_tick", args=[box.pk]), {"evidence": "seen"})
    assert answer.status_code == 403


# --- boxes -----------------------------------------------------------------------------------------------


def test_a_box_is_ticked_with_what_was_seen(client) -> None:
    box, user = factories.make_item(), factories.make_user("approver")
    assert press(client, box, "tick", user, evidence="CI run 1207 passed") == [f"ticked: {box.text}"]
    assert (box.state, box.by, box.evidence["said"]) == ("ticked", user, "CI run 1207 passed")
    assert box.at is not None


def test_a_box_is_not_ticked_without_evidence(client) -> None:
    box = factories.make_item()
    client.force_login(factories.make_superuser())
    answer = client.post(
        reverse("admin:releases_checklistitem_tick", args=[box.pk]), {"_form_submitted": "on"}
    )
    box.refresh_from_db()
    assert "This field is required" in answer.content.decode()
    assert box.state == "open"


def test_blanks_are_no_evidence(client) -> None:
    box = factories.make_item()
    client.force_login(factories.make_superuser())
    given = {"_form_submitted": "on", "evidence": "   "}
    client.post(reverse("admin:releases_checklistitem_tick", args=[box.pk]), given)
    box.refresh_from_db()
    assert box.state == "open"


def test_a_viewer_ticks_nothing_and_is_told_whom_to_ask(client) -> None:
    box = factories.make_item()
    (said,) = press(client, box, "tick", factories.make_user("viewer"), evidence="seen")
    assert "may not tick" in said
    assert box.state == "open"


def test_a_box_is_waived_with_a_reason(client) -> None:
    box = factories.make_item()
    press(client, box, "waive", factories.make_user("operator"), reason="no schema in this release")
    assert (box.state, box.evidence["said"]) == ("waived", "no schema in this release")


def test_a_box_that_is_closed_stays_as_it_is(client) -> None:
    box = factories.make_item(state="ticked")
    (said,) = press(client, box, "tick", factories.make_superuser(), evidence="again")
    assert "is ticked already" in said
    assert box.evidence == {"said": "seen"}


# --- runbooks and releases ----------------------------------------------------------------------------------


def test_a_draft_is_published(client) -> None:
    revision = factories.make_revision(status="draft")
    user = factories.make_user("release_manager")
    (said,) = press(client, revision, "publish", user)
    assert said.endswith("is published; next, create a release of it")
    assert (revision.status, revision.published_by) == ("published", user)


def test_a_draft_with_something_open_is_not_published(client) -> None:
    text = factories.TEXT.replace("bin/shop restart", "rm -rf /srv/shop/cache\nbin/shop restart")
    revision = factories.make_revision(status="draft", text=text)
    (said,) = press(client, revision, "publish", factories.make_user("release_manager"))
    assert "is not reviewed" in said
    assert revision.status == "draft"


def test_a_release_is_created_of_a_published_text(client, monkeypatch) -> None:
    monkeypatch.setattr(repository, "resolve", lambda place, ref: {"v1.4": "4" * 40}[ref])
    revision = factories.make_revision()
    press(client, revision, "new_release", factories.make_user("release_manager"), version="v1.4")
    release = revision.releases.get()
    assert (release.version, release.commit) == ("v1.4", "4" * 40)


def test_a_new_draft_of_a_published_text_is_made(client) -> None:
    revision = factories.make_revision()
    (said,) = press(client, revision, "redraft", factories.make_user("release_manager"))
    assert said.endswith("r2 is a draft of the same text")
    assert revision.runbook.revisions.get(number=2).status == "draft"


@pytest.mark.parametrize(
    ("status", "offered"), [("draft", {"Publish"}), ("published", {"Create a release", "New draft"})]
)
def test_a_revision_offers_what_makes_sense_in_its_status(client, status, offered) -> None:
    revision = factories.make_revision(status=status)
    client.force_login(factories.make_superuser())
    page = client.get(reverse("admin:releases_runbookrevision_change", args=[revision.pk])).content.decode()
    links = {"publish": "Publish", "new_release": "Create a release", "redraft": "New draft"}
    assert {title for verb, title in links.items() if f"/{verb}" in page} == offered


def test_an_approver_does_not_publish(client) -> None:
    revision = factories.make_revision(status="draft")
    (said,) = press(client, revision, "publish", factories.make_user("approver"))
    assert "may not publish" in said
    assert revision.status == "draft"


def test_a_release_is_planned_for_an_environment(client, world) -> None:
    release = world.release()
    press(client, release, "plan", world.rita, environment=str(world.environment.pk))
    planned = Deployment.objects.get()
    assert (planned.release, planned.environment, planned.status) == (release, world.environment, "planned")


def test_a_plan_that_cannot_be_made_is_a_sentence(client) -> None:
    environment = factories.make_environment(folder="/nowhere/at/all")
    release = factories.make_release(service=environment.service)
    user = factories.make_user("release_manager")
    (said,) = press(client, release, "plan", user, environment=str(environment.pk))
    assert "/nowhere/at/all" in said


def test_a_viewer_plans_nothing(client) -> None:
    environment = factories.make_environment()
    release = factories.make_release(service=environment.service)
    (said,) = press(client, release, "plan", factories.make_user("viewer"), environment=str(environment.pk))
    assert "may not deploy" in said


# --- deployments ----------------------------------------------------------------------------------------------


def test_an_approver_signs_the_plan(client) -> None:
    deployment, user = factories.make_deployment(), factories.make_user("approver")
    press(client, deployment, "approve", user)
    approval = deployment.approvals.get()
    assert (approval.by, approval.plan_hash) == (user, deployment.plan_hash)


def test_nobody_approves_their_own_request(client) -> None:
    user = factories.make_superuser()
    environment = factories.make_environment()
    release = factories.make_release(service=environment.service, requested_by=user)
    deployment = factories.make_deployment(release=release, environment=environment)
    (said,) = press(client, deployment, "approve", user)
    assert "cannot approve it" in said
    assert not deployment.approvals.exists()


def test_an_approved_deployment_is_queued_and_a_worker_rung(client, rung) -> None:
    deployment = factories.make_deployment()
    factories.make_approval(deployment=deployment)
    press(client, deployment, "deploy", factories.make_user("operator"))
    assert deployment.status == "queued"
    assert rung == [deployment.pk]


def test_an_unapproved_deployment_does_not_start(client, rung) -> None:
    deployment = factories.make_deployment()
    (said,) = press(client, deployment, "deploy", factories.make_user("operator"))
    assert "is not approved" in said
    assert (deployment.status, rung) == ("planned", [])


def test_a_deployment_is_rolled_back_for_a_reason(client, rung) -> None:
    deployment = factories.make_deployment(status="watching")
    press(client, deployment, "roll_back", factories.make_user("operator"), reason="orders fail")
    back = deployment.undone_by
    assert (back.status, back.reason) == ("queued", "orders fail")
    assert rung == [back.pk]


def test_a_waiting_deployment_goes_on(client, rung) -> None:
    deployment = factories.make_deployment(status="waiting")
    press(client, deployment, "go_on", factories.make_user("operator"))
    assert rung == [deployment.pk]


def test_a_deployment_that_ended_does_not_go_on(client, rung) -> None:
    deployment = factories.make_deployment(status="succeeded")
    (said,) = press(client, deployment, "go_on", factories.make_user("operator"))
    assert "only one that waits" in said
    assert rung == []


OFFERS = {
    "planned": {"Approve", "Deploy"},
    "queued": {"Abort"},
    "running": {"Pause", "Abort"},
    "waiting": {"Go on", "Abort", "Roll back"},
    "paused": {"Go on", "Abort", "Roll back"},
    "watching": {"Roll back"},
    "aborted": set(),
}


@pytest.mark.parametrize("status", OFFERS)
def test_a_page_offers_what_makes_sense_in_its_status(client, status) -> None:
    deployment = factories.make_deployment(status=status)
    client.force_login(factories.make_superuser())
    answer = client.get(reverse("admin:releases_deployment_change", args=[deployment.pk]))
    assert {each["title"] for each in answer.context["actions_detail"]} == OFFERS[status]


# --- incidents --------------------------------------------------------------------------------------------------


def test_an_incident_is_resolved_with_a_decision(client) -> None:
    incident = factories.make_incident()
    press(client, incident, "resolve", factories.make_user("operator"), decision="fixed forward in v1.3")
    assert (incident.status, incident.decision) == ("resolved", "fixed forward in v1.3")
    assert incident.resolved_at is not None


def test_an_approver_does_not_resolve_an_incident(client) -> None:
    incident = factories.make_incident()
    (said,) = press(client, incident, "resolve", factories.make_user("approver"), decision="all is well")
    assert "may not resolve" in said
    assert incident.status == "open"


# --- what administrators configure ----------------------------------------------------------------------------------


def form_of(environment, **variable: str) -> dict[str, str]:
    """The environment's form with one row for a variable."""
    given = {
        "service": str(environment.service_id),
        "name": environment.name,
        "folder": environment.folder,
        "base_url": environment.base_url,
        "order": "1",
        "time_scale": "1",
        "variables-TOTAL_FORMS": "1",
        "variables-INITIAL_FORMS": "1" if variable.get("id") else "0",
        "databases-TOTAL_FORMS": "0",
        "databases-INITIAL_FORMS": "0",
        "hosts-TOTAL_FORMS": "0",
        "hosts-INITIAL_FORMS": "0",
    }
    row = {"environment": str(environment.pk), **variable}
    return given | {f"variables-0-{name}": value for name, value in row.items()}


def save(client: Client, environment, **variable: str):
    client.force_login(factories.make_user("administrator"))
    address = reverse("admin:checks_environment_change", args=[environment.pk])
    return client.post(address, form_of(environment, **variable))


def test_a_secret_is_written_encrypted_and_never_into_the_audit_trail(client) -> None:
    environment = factories.make_environment()
    assert save(client, environment, name="TOKEN", is_secret="on", value="open sesame").status_code == 302
    variable = Variable.objects.get()
    assert (variable.value, variable.shown) == ("open sesame", "••••••")
    assert "open sesame" not in variable.stored
    assert not any("open sesame" in str(entry.new) for entry in AuditEntry.objects.all())


def test_an_empty_value_keeps_the_secret(client) -> None:
    variable = factories.make_variable(name="TOKEN", is_secret=True, value="open sesame")
    given = {"id": str(variable.pk), "name": "SHOP_TOKEN", "is_secret": "on", "value": ""}
    assert save(client, variable.environment, **given).status_code == 302
    variable.refresh_from_db()
    assert (variable.name, variable.value) == ("SHOP_TOKEN", "open sesame")


def test_a_secret_does_not_become_plain_by_unticking_a_box(client) -> None:
    variable = factories.make_variable(name="TOKEN", is_secret=True, value="open sesame")
    given = {"id": str(variable.pk), "name": "TOKEN", "value": ""}
    answer = save(client, variable.environment, **given)
    variable.refresh_from_db()
    assert "say the value" in answer.content.decode()
    assert variable.is_secret


def test_a_secret_that_is_too_short_is_refused_in_words(client) -> None:
    answer = save(client, factories.make_environment(), name="TOKEN", is_secret="on", value="abc")
    assert "at least 6 characters" in answer.content.decode()
    assert not Variable.objects.exists()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("Postgres", "a secret that is an everyday word of outputs and settings cannot be masked"),
        ("123456", "a secret that is a number, date or version of fewer than 10 digits cannot be masked"),
        ("tea-house", "a secret that is the name of its service or environment cannot be masked"),
    ],
)
def test_a_secret_that_is_too_common_is_refused_in_words(client, value, why) -> None:
    environment = factories.make_environment(service=factories.make_service(name="tea-house"))
    page = save(client, environment, name="TOKEN", is_secret="on", value=value).content.decode()
    assert f"{why} without hiding ordinary text: take a longer random value" in page
    assert not Variable.objects.exists()


def test_a_new_environment_knows_its_own_name_when_its_secrets_are_read(client) -> None:
    client.force_login(factories.make_user("administrator"))
    unsaved = factories.make_environment(name="live-site")
    given = form_of(unsaved, name="TOKEN", is_secret="on", value="live-site") | {
        "variables-0-environment": ""
    }
    unsaved.delete()
    page = client.post(reverse("admin:checks_environment_add"), given).content.decode()
    assert "a secret that is the name of its service or environment" in page


def test_a_role_that_is_given_is_audited(client) -> None:
    client.force_login(factories.make_user("administrator", username="ada"))
    user = factories.make_user()
    client.post(reverse("admin:releases_grant_add"), {"user": user.pk, "role": "operator"})
    entry = AuditEntry.objects.get()
    assert entry.verb == "added"
    assert entry.actor.startswith("ada ")
    assert entry.new == {"user": user.username, "role": "operator"}


def test_a_role_that_is_taken_is_audited(client) -> None:
    client.force_login(factories.make_superuser())
    grant = factories.make_user("operator").grants.get()
    client.post(reverse("admin:releases_grant_delete", args=[grant.pk]), {"post": "yes"})
    assert not Grant.objects.filter(pk=grant.pk).exists()
    assert AuditEntry.objects.get().verb == "deleted"


def test_a_clock_on_a_protected_environment_is_refused(client) -> None:
    environment = factories.make_environment(is_protected=True)
    client.force_login(factories.make_superuser())
    given = form_of(environment) | {"time_scale": "240", "is_protected": "on", "variables-TOTAL_FORMS": "0"}
    answer = client.post(reverse("admin:checks_environment_change", args=[environment.pk]), given)
    assert "time_scale is refused" in answer.content.decode()


# --- environments ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "task"), [("run_checks", "checks.run"), ("back_up", "releases.backup")])
def test_a_worker_is_rung_for_an_environment(client, monkeypatch, verb, task) -> None:
    environment, found = factories.make_environment(), []
    monkeypatch.setattr(doorbell, "ring", lambda task, *given: found.append((task, given[0])))
    press(client, environment, verb, factories.make_user("operator"))
    assert found == [(task, environment.pk)]
    *_, said = press(client, environment, verb, factories.make_user("viewer"))
    assert "may not operate" in said
    assert len(found) == 1
