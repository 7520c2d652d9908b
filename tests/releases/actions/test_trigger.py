"""Deployments done elsewhere: done when the service shows it, and not when only the command ended well."""

import time
from dataclasses import replace

import pytest

from tests.releases.actions.conftest import BAD, GOOD
from tests.releases.world import git, make_clone, make_repository

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("status", "body", "done", "words"),
    [
        (200, {"version": "v1.1"}, True, "v1.1 is ready, 3 times running"),
        (200, {"version": "1.1"}, True, "1.1 is ready"),
        (200, {"version": BAD[:7]}, True, "ready"),
        (200, {"version": "main", "commit": BAD}, True, "ready"),
        (200, {"version": "v1.1", "started_at": 1.0}, True, "ready"),
        (200, {"version": BAD[:6]}, None, f"{BAD[:6]} answers, v1.1 ({BAD[:10]}) should"),
        (200, {"version": "v1.0", "commit": GOOD}, None, "v1.0 aaaaaaaaaa answers"),
        (200, {}, None, "a version that is not told answers"),
        (503, {"version": "v1.1"}, None, "not ready"),
    ],
)
def test_the_version_or_the_commit_of_the_plan_is_what_counts(
    context, do, service, status, body, done, words
):
    service.status, service.body = status, body
    said, seen = do(context, "trigger", "echo deployed")
    assert (said.out, seen.done, words in seen.message) == ("deployed\n", done, True), seen


def test_a_way_back_waits_for_the_version_before(context, do, service):
    back = replace(context, plan=replace(context.plan, direction="back"))
    assert do(back, "trigger", "true")[1].done is None
    service.body = {"version": "v1.0"}
    assert do(back, "trigger", "true")[1].done


def test_where_the_commit_stays_the_old_process_is_not_the_new_one(context, do, service):
    same = replace(context, plan=replace(context.plan, previous_commit=BAD))
    service.body = {"version": "v1.1", "started_at": context.opened_at.timestamp() - 60}
    assert "OLD process" in do(same, "trigger", "true")[1].message
    service.body = {"version": "v1.1", "started_at": time.time()}
    assert do(same, "trigger", "true")[1].done


@pytest.mark.parametrize("kind", ["trigger", "revert"])
def test_without_a_page_that_tells_it_cannot_be_seen(context, do, kind):
    context.environment.service.health = {}
    _, seen = do(context, kind, "true # git push")
    assert (seen.done, "cannot be seen" in seen.message) == (False, True)


def test_a_command_that_fails_is_not_waited_for(context, do, service):
    said, seen = do(context, "trigger", "exit 4")
    assert (said.code, seen.done, service.asked) == (4, False, [])


def test_a_push_takes_the_commit_of_the_plan_or_nothing(context, do, service, clone):
    approved = replace(context, plan=replace(context.plan, commit=git(clone, "rev-parse", "v2")))
    assert do(approved, "trigger", "git push origin main:live")[1].done
    said, _ = do(context, "trigger", "git push origin main:live")
    assert (said.code, f"{BAD} is approved; it was not pushed" in said.out) == (1, True)


# --- revert -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "done", "words"),
    [
        (200, {"version": "v1.1-reverted"}, True, "ready"),
        (200, {"commit": "c" * 40}, True, "ready"),
        (200, {"version": "v1.1"}, None, "still answers"),
        (200, {"commit": BAD[:12]}, None, "still answers"),
        (200, {}, None, "names no version"),
        (200, {"version": "v1.2", "started_at": 1.0}, None, "OLD process"),
        (503, {"version": "v1.2"}, None, "not ready"),
    ],
)
def test_a_revert_is_done_when_the_bad_version_is_gone(context, do, service, status, body, done, words):
    service.status, service.body = status, body
    _, seen = do(context, "revert", "true || git push origin HEAD:main")
    assert (seen.done, words in seen.message) == (done, True), seen


@pytest.fixture
def clone(context, tmp_path):
    """The environment's folder as a clone of a repository with v1 and v2, on its branch."""
    repository = make_repository(tmp_path)
    git(repository, "config", "receive.denyCurrentBranch", "ignore")
    folder = make_clone(repository, tmp_path / "clone")
    for name, value in (("user.name", "Rita"), ("user.email", "rita@example.org")):
        git(folder, "config", name, value)
    context.environment.folder = str(folder)
    return folder


def test_a_revert_is_committed_without_an_editor_and_pushed(context, do, service, clone, tmp_path):
    service.body = {"version": "v3"}
    git(clone, "checkout", "--quiet", "main")
    said, seen = do(context, "revert", "git revert HEAD\ngit push origin main")
    assert (said.code, seen.done) == (0, True), said
    assert git(tmp_path / "repository", "show", "main:VERSION") == "v1"


def test_a_revert_on_no_branch_would_not_be_pushed_and_is_refused(context, do, clone):
    said, _ = do(context, "revert", "git revert HEAD\ngit push origin main")
    assert (said.code, "stands on no branch" in said.out) == (1, True)
    assert git(clone, "log", "-1", "--format=%s") == "v1"


def test_a_revert_that_stays_here_is_done_when_git_is(context, do, service, clone):
    git(clone, "checkout", "--quiet", "--detach", "v2")
    assert do(context, "revert", "git revert HEAD")[1].done
    assert (clone / "VERSION").read_text() == "v1\n"
    assert service.asked == []
