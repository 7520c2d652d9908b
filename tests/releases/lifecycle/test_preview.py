"""What is known beside a plan of a real repository before it runs."""

import pytest
from django.utils import timezone

from releases.lifecycle import deployments, planning, preview
from releases.lifecycle.deployments import approval_of
from releases.plan.model import plan_hash
from releases.plan.shown import plan_lines, shown_json
from releases.plan.ways import make_way_back
from tests.factories import make_attempt, make_deployment, make_environment, make_variable
from tests.releases.world import RUNBOOK, World, commit, git

pytestmark = pytest.mark.django_db
TOKEN = "s3cret-token"
TEXT = RUNBOOK.replace("test ! -e no-look", 'test ! -e no-look\ncurl -H "$TOKEN" $BASE_URL')


@pytest.fixture
def shown(world: World):
    """The dry run of v2, as lines."""
    make_variable(environment=world.environment, name="TOKEN", value=TOKEN, is_secret=True)
    world.publish(TEXT)

    def shown(**given) -> str:
        release = world.release()
        plan = planning.make(release, world.environment)
        return "\n".join(
            plan_lines(plan, plan_hash(plan), preview.beside(release, world.environment, plan, **given))
        )

    return shown


def test_commands_are_shown_with_the_values_of_the_environment(shown):
    lines = shown()
    assert 'curl -H "••••••" http://127.0.0.1:1\n' in lines
    assert 'echo "v2 over v1" > ../look' in lines
    assert TOKEN not in lines


def test_the_commits_between_are_shown(world, shown):
    assert f"  1 new commit\n    {git(world.folder, 'rev-parse', '--short', 'v2')}  v2  (Rita)\n" in shown()


def test_migrations_and_dependencies_between_are_shown(world, shown):
    git(world.repository, "checkout", "--quiet", "v2")
    commit(world.repository, {"orders/migrations/0002.py": "x", "requirements.txt": "rich==1\n"}, tag="v2")
    lines = shown()
    assert "  1 migration\n    orders/migrations/0002.py\n" in lines
    assert "    + rich ==1 (requirements.txt)\n" in lines


def test_a_commit_that_is_not_there_is_told(world, shown):
    release = world.release()
    plan = planning.make(release, world.environment)
    world.environment.folder = "/"
    (said,) = preview.beside(release, world.environment, plan).holds
    assert "cannot compare" in said


def test_who_has_to_sign_is_shown_and_who_did(world, shown):
    assert "by nobody yet: an approver has to, who is not rita (they requested it)" in shown()
    deployment = world.approved()
    assert "  signed    approved by anton" in shown(approval=approval_of(deployment))


def test_what_it_took_before_is_shown(world, shown):
    plan = planning.make(world.release(), world.environment)
    before = make_deployment(environment=world.environment, release=world.release(), status="failed")
    for action in plan.actions:
        make_attempt(deployment=before, action=action.key)
    assert shown().count("~2.5 s") == len(plan.actions)


def test_what_holds_it_is_shown(shown):
    assert "  HOLDS     it is closed" in shown(holds=[ValueError("it is closed")]).split("\n")


def test_a_box_about_another_environment_is_offered_what_happened_there(world, shown):
    box = "## Pre-deployment checklist\n\n- [ ] Deployed to staging\n\n## Deployment steps"
    world.publish(TEXT.replace("## Deployment steps", box))
    staging = make_environment(service=world.service, name="staging")
    make_deployment(release=world.release(), environment=staging, status="succeeded")
    deployments.plan(world.release(), world.environment, user=world.anton, at=timezone.now())
    assert ": Deployed to staging: staging #1 of v2" in shown()


def test_a_way_back_shows_what_it_takes_away_and_needs_no_signature(world, shown):
    release = world.release()
    plan = planning.make(release, world.environment)
    back = make_way_back(plan, covers="CODE")
    world.folder.joinpath("x").touch()
    git(world.folder, "fetch", "--tags")
    told = preview.beside(release, world.environment, back)
    assert ([each.subject for each in told.changes.gone], told.signed, told.whole) == (["v2"], (), None)


def test_what_is_shown_is_all_that_programs_get(world, shown):
    release = world.release()
    plan = planning.make(release, world.environment)
    found = shown_json(plan, plan_hash(plan), preview.beside(release, world.environment, plan))
    commands = [action["command"] for step in found["steps"] for action in step["actions"]]
    assert any('curl -H "••••••" http://127.0.0.1:1' in command for command in commands)
    assert TOKEN not in str(found)
