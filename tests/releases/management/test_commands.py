"""The command line: what it says of itself, and what it says of bad input: one line, its exit code, no traceback."""

import json
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import load_command_class

from releases.lifecycle import deployments
from releases.models import AccessToken, Approval, Deployment
from tests.factories import PASSWORD, make_deployment, make_environment, make_incident, make_user
from tests.releases.world import RUNBOOK, World

FOLDER = Path(import_module("releases.management").__file__ or "").parent / "commands"
COMMANDS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in ("__init__", "serve"))
WHO = ["--as", "olga"]


# --- what a command says of itself ------------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_what_it_is_for_with_examples_and_exit_codes(name):
    text = load_command_class("releases", name).create_parser("manage.py", name).format_help()
    assert f"manage.py {name}" in text.partition("examples:")[2]
    assert "exit codes:" in text


# --- bad input ----------------------------------------------------------------------------------------------

IN_PRODUCTION = ["--environment", "production"]
BAD = [
    ("create_release nothing v2", 2, "no service 'nothing' (there is: tea)"),
    ("create_release tea v9", 2, "has no tag or branch 'v9'"),
    ("create_release tea ../../v2 --ref v2", 2, "version"),
    (f"create_release tea {'v' * 101} --ref v2", 2, "version"),
    ("approve_release nothing v2 --environment production", 2, "no service 'nothing'"),
    ("approve_release tea v9 --environment production", 2, "no release 'v9'"),
    (
        "approve_release tea v2 --environment nowhere",
        2,
        "no environment 'tea/nowhere' (there is: tea/production)",
    ),
    ("deploy_release tea v9 --environment production", 2, "no release 'v9'"),
    ("deploy_release tea v2 --environment nowhere", 2, "no environment 'tea/nowhere'"),
    ("deploy_release tea v2 --environment production", 3, "is not approved"),
    ("deploy_release tea v2 --environment production --resume", 2, "waits or was interrupted"),
    ("deploy_release tea v2 --environment production --yes", 2, "--evidence"),
    (
        "deploy_release tea v2 --environment production --apply 3f2a",
        2,
        "give at least 8 characters of the hash",
    ),
    ("deploy_release tea v2 --environment production --apply 3f2a9c01b7de", 3, "now, not 3f2a9c01b7de"),
    ("deploy_release tea v2 --environment production --at soon", 2, "--at is 'soon'; write 18:00"),
    ("deploy_release tea v2 --environment production --at 2020-01-01T18:00", 2, "and that is over"),
    ("deploy_release tea v2 --environment production --at 9999-12-31T23:59-14:00", 2, "beyond the calendar"),
    ("deploy_release tea v2 --environment production --queue", 3, "is not approved"),
    ("deploy_release tea v2 --environment production --detach", 3, "is not approved"),
    ("deploy_release tea v2 --environment production --follow", 2, "there is nothing to follow"),
    ("deploy_release tea v2 --environment production --follow --detach", 2, "say it without --detach"),
    ("deploy_release tea v2 --environment production --dry-run --queue", 2, "say it without --queue"),
    ("deploy_release tea v2 --environment production --retry", 2, "go with --resume"),
    ("deploy_release tea v2 --environment production --resume --detach", 2, "waits or was interrupted"),
    ("deploy_release tea v2 --environment production --resume --at 18:00", 2, "--resume goes on at once"),
    ("deploy_release tea v2 --environment production --resume --retry --skip x", 2, "say one of --retry"),
    ("stop_release tea v9 --environment production", 2, "no release 'v9'"),
    ("stop_release tea v2 --environment nowhere", 2, "no environment 'tea/nowhere'"),
    ("stop_release tea v2 --environment production", 2, "is under way"),
    ("stop_release tea v2 --environment production --abort --reason x", 2, "is under way"),
    ("rollback_release tea v2 --environment production --reason x --yes", 2, "--yes needs --evidence"),
    ("rollback_release tea v2 --environment production --reason x", 2, "was never deployed"),
    ("tick_item tea v2 nothing --evidence x", 2, "no box of tea v2 fits 'nothing'"),
    ("tick_item tea v2 reviewed", 2, "needs evidence"),
    ("publish_runbook nothing", 2, "no service 'nothing'"),
    ("publish_runbook tea --revision 99", 2, "no such runbook revision"),
    ("import_runbook no-such-file.md --service tea", 2, "no file no-such-file.md"),
    ("import_runbook . --service tea", 2, "is a folder"),
    ("import_runbook manage.py", 2, "--service"),
    ("register_service no-such-file.toml", 2, "no file no-such-file.toml"),
    ("register_service .", 2, "is a folder"),
    ("maintenance_mode on --environment tea/nowhere", 2, "no environment 'tea/nowhere'"),
    ("maintenance_mode on --environment tea/production", 2, "declares no 'maintenance' command"),
    ("maintenance_mode status --environment tea/production", 1, "does not answer"),
    (
        "configure_features --enable automatic_rolback",
        2,
        "no feature 'automatic_rolback'; it has automatic_rollback",
    ),
    ("configure_features", 2, "say what to switch"),
    ("configure_features --enable a --disable a", 2, "at once"),
    ("configure_features --set novalue --environment tea/production", 2, "--set novalue has no value"),
    ("configure_features --enable x --environment tea/production", 1, "declares no show_config"),
    ("show_config --environment tea/nowhere", 2, "no environment 'tea/nowhere'"),
    ("clear_cache --environment tea/production", 2, "declares no 'clear_cache' command"),
    ("run_checks --environment tea/production", 2, "has no probes"),
    ("run_checks --environment tea", 2, "SERVICE/ENVIRONMENT"),
    ("backup_database --environment tea/production", 2, "declares no database"),
    ("restore_database 7 --environment tea/production", 2, "no backup '7'"),
    ("create_token --label CI --days 0", 2, "--days"),
    ("create_token --label CI --days 99999999999", 2, "--days"),
]
PROVED_BY = {"create_release": "rita", "publish_runbook": "rita", "approve_release": "anton"}
UNPROVED = ("import_runbook", "register_service", "show_config", "run_checks")


@pytest.mark.parametrize(("line", "code", "message"), BAD, ids=[line for line, _, _ in BAD])
def test_bad_input_gets_one_line_that_names_it(gantry, world: World, line, code, message):
    world.publish(
        RUNBOOK.replace("## Deployment", "## Pre-deployment\n\n- [ ] Code is reviewed\n\n## Deployment")
    )
    world.release()
    command, *words = line.split()
    who = PROVED_BY.get(command, "olga")
    seen = gantry(
        command, *words, *([] if command in UNPROVED else ["--as", who]), token_of=getattr(world, who)
    )
    assert (seen.code, message in seen.err) == (code, True), seen
    assert seen.err.strip().count("\n") == 0, seen.err


def test_one_who_decides_says_who(gantry, world: World):
    seen = gantry("publish_runbook", "tea")
    assert (seen.code, "say who decides: --as USER" in seen.err) == (2, True)


def test_one_who_decides_proves_it(gantry, world: World):
    seen = gantry("publish_runbook", "tea", "--as", "rita")
    assert (seen.code, "prove that you are rita" in seen.err) == (2, True)


@pytest.mark.parametrize(
    ("user", "secret", "message"),
    [
        ("rita", "wrong", "not rita's password"),
        ("nobody", PASSWORD, "no user 'nobody'"),
        ("rita", "gantry_made-up", "not rita's"),
    ],
)
def test_a_wrong_proof_is_refused(gantry, world: World, monkeypatch, user, secret, message):
    monkeypatch.setenv("GANTRY_PASSWORD", secret)
    seen = gantry("publish_runbook", "tea", "--as", user)
    assert (seen.code, message in seen.err) == (2, True), seen


def test_a_password_may_stand_in_a_file(gantry, world: World, tmp_path):
    make_user("release_manager", username="rosa", password=PASSWORD)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    assert (
        gantry("publish_runbook", "tea", "--as", "rosa", "--password-file", tmp_path / "password").code == 0
    )
    seen = gantry("publish_runbook", "tea", "--as", "rosa", "--password-file", tmp_path / "none")
    assert (seen.code, "cannot read a password from" in seen.err) == (2, True)


def test_a_role_that_may_not_is_refused(gantry, world: World):
    seen = gantry("create_release", "tea", "v2", *WHO, token_of=world.olga)
    assert (seen.code, "olga may not request" in seen.err) == (2, True)


def test_nothing_is_released_before_a_runbook_is_published(gantry, world: World, tmp_path):
    service = make_environment(service=None).service
    (tmp_path / "R.md").write_text(RUNBOOK)
    assert gantry("import_runbook", tmp_path / "R.md", "--service", service.name).code == 0
    seen = gantry("create_release", service.name, "v1", "--as", "rita", token_of=world.rita)
    assert (seen.code, "is published: `publish_runbook" in seen.err) == (2, True)


def test_ones_own_release_is_not_ones_own_to_approve(gantry, world: World):
    world.release()
    world.rita.is_superuser = True
    world.rita.save()
    seen = gantry("approve_release", "tea", "v2", *IN_PRODUCTION, "--as", "rita", token_of=world.rita)
    assert (seen.code, "requested tea v2 and cannot approve it" in seen.err) == (2, True)


def test_a_plan_of_another_hash_is_not_approved(gantry, world: World):
    world.release()
    words = ["approve_release", "tea", "v2", *IN_PRODUCTION, "--as", "anton", "--plan", "beef"]
    seen = gantry(*words, token_of=world.anton)
    assert (seen.code, "not beef" in seen.err) == (3, True)
    assert deployments.approval_of(Deployment.objects.get()) is None


def test_an_empty_hash_signs_nothing(gantry, world: World):
    world.release()
    words = ["approve_release", "tea", "v2", *IN_PRODUCTION, "--as", "anton", "--plan", ""]
    seen = gantry(*words, token_of=world.anton)
    assert (seen.code, "--plan is empty" in seen.err) == (2, True), seen
    assert not Approval.objects.exists()


# --- the whole way -----------------------------------------------------------------------------------------


def test_the_commands_take_a_release_from_a_file_to_live_and_back(gantry, world: World, tmp_path):
    (tmp_path / "R.md").write_text(RUNBOOK + "\nMore.\n")
    rita, anton, olga = ["--as", "rita"], ["--as", "anton"], WHO
    lines = [
        (["import_runbook", tmp_path / "R.md", "--service", "tea"], None, "imported as a draft"),
        (["review_runbook", "tea", "--level", "auto", "--why", "a test", *rita], world.rita, "decided for"),
        (["publish_runbook", "tea", *rita], world.rita, "is published"),
        (["create_release", "tea", "v2", *rita], world.rita, "tea v2 created"),
        (["create_release", "tea", "v2", *rita], world.rita, "tea v2 exists already"),
        (
            ["deploy_release", "tea", "v2", *IN_PRODUCTION, "--dry-run", *olga],
            world.olga,
            "tea v2 is not approved",
        ),
        (
            ["approve_release", "tea", "v2", *IN_PRODUCTION, *anton],
            world.anton,
            "tea v2 approved for tea/production",
        ),
        (["approve_release", "tea", "v2", *IN_PRODUCTION, *anton], world.anton, "was approved already"),
        (["deploy_release", "tea", "v2", *IN_PRODUCTION, *olga], world.olga, "successful"),
        (
            ["rollback_release", "tea", "v2", *IN_PRODUCTION, "--reason", "bad", *olga],
            world.olga,
            "rolled_back",
        ),
    ]
    for words, who, expected in lines:
        seen = gantry(*words, token_of=who)
        assert (seen.code, expected in seen.out) == (0, True), (words, seen)
    assert (world.running, world.started) == ("v1", ["v2", "v1"])


@pytest.mark.parametrize(
    ("marks", "code", "err"),
    [([], 0, ""), (["no-start"], 4, ""), (["no-start", "no-way-back"], 6, "the way back failed")],
)
def test_the_exit_code_says_how_a_deployment_ended(gantry, world: World, marks, code, err):
    world.approved()
    for name in marks:
        world.mark(name)
    seen = gantry("deploy_release", "tea", "v2", *IN_PRODUCTION, "--json", *WHO, token_of=world.olga)
    assert seen.code == code, seen
    assert json.loads(seen.out[seen.out.index("{") :])["exit_code"] == code
    assert Path(json.loads(seen.out[seen.out.index("{") :])["log"]).exists()


@pytest.mark.parametrize(("status", "code"), [("succeeded", 4), ("failed", 6), ("paused", 3), ("waiting", 6)])
def test_a_way_back_that_is_resumed_tells_how_the_release_ended(world: World, status, code):
    back = make_deployment(undoes=make_deployment(status="failed"), status=status)
    make_incident(deployment=back, environment=back.environment)
    assert import_module("releases.management.commands.deploy_release").exit_code(back) == code


def test_yes_ticks_the_boxes_marked_confirm_and_no_other(gantry, world: World):
    mark = "<!-- by: {}; scope: deployment -->"
    boxes = f"- [ ] Nobody is busy {mark.format('confirm')}\n- [ ] Look {mark.format('person')}\n"
    world.publish(RUNBOOK.replace("### 2.", f"{boxes}\n### 2."))
    deployment = world.approved()
    words = ["deploy_release", "tea", "v2", *IN_PRODUCTION, "--yes", "--evidence", "asked around", *WHO]
    assert gantry(*words, token_of=world.olga).code == 3
    states = dict(deployment.items.values_list("text", "state"))
    assert (states["Nobody is busy"], states["Look"]) == ("ticked", "open")
    assert deployment.items.get(text="Nobody is busy").evidence["in_bulk"] is True


def test_a_token_is_printed_once_and_proves_its_owner(gantry, world: World, monkeypatch):
    seen = gantry("create_token", "--label", "CI", *WHO, token_of=world.olga)
    monkeypatch.setenv("GANTRY_TOKEN", seen.out.strip())
    assert AccessToken.objects.get(label="CI").user == world.olga
    assert gantry("clear_cache").code == 0


def test_gantry_shows_its_own_configuration_without_secrets(gantry, db, settings):
    seen = gantry("show_config", "--json")
    found = json.loads(seen.out)
    assert found["settings"]["secret_key"] == "set"
    assert settings.SECRET_KEY not in seen.out
    assert set(found) == {"settings", "features", "maintenance", "versions"}


def test_gantrys_own_maintenance_mode_is_seen_by_the_next_command(gantry, db):
    assert json.loads(gantry("maintenance_mode", "on", "--json").out) == {"is_on": True}
    assert json.loads(gantry("maintenance_mode", "status", "--json").out) == {"is_on": True}
    assert "off" in gantry("maintenance_mode", "off").out
