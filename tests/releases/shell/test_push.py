"""A push takes the approved commit or nothing, by a real git."""

import os

import pytest

from checks.gates.process import Captured, capture
from releases.shell.bash import argv
from releases.shell.push import guarded
from tests.releases.world import git, make_clone, make_repository


@pytest.fixture
def clone(tmp_path):
    """A clone whose branch main is at v2, and whose origin takes pushes."""
    repository = make_repository(tmp_path)
    git(repository, "config", "receive.denyCurrentBranch", "ignore")
    git(repository, "config", "receive.advertisePushOptions", "true")
    return make_clone(repository, tmp_path / "clone", ref="v1")


def push(text: str, clone, approved: str) -> Captured:
    """Run the guarded text in the clone."""
    commit = git(clone, "rev-parse", approved)
    script = argv(guarded(text, commit=commit), handed_on=str(clone.parent / "set"))
    known = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "RELEASE_VERSION": "v2"}
    return capture(script, cwd=str(clone), env=known)


@pytest.mark.parametrize(
    ("text", "approved"),
    [
        ("git push origin main:live", "v2"),
        ("git push origin main", "v2"),
        ("git push origin HEAD:refs/heads/live", "v1"),
        ("git push --force origin \\\n  +HEAD:refs/heads/live", "v1"),
        ('git push origin "$RELEASE_VERSION:refs/heads/live" # the tag', "v2"),
        ("git push -o ci.skip origin main:live", "v2"),
        ("git push origin --tags", "v1"),
        ("git push origin --delete v1", "v2"),
        ("echo git push origin main", "v1"),
    ],
)
def test_the_approved_commit_is_pushed(clone, text, approved):
    assert push(text, clone, approved).code == 0


@pytest.mark.parametrize(
    ("text", "approved", "words"),
    [
        ("git push origin main:live", "v1", "main is at"),
        ("git push origin HEAD:refs/heads/live", "v2", "HEAD is at"),
        ("git push", "v2", "HEAD is at"),
        ("git push origin v1 main:live", "v1", "main is at"),
        ("git push origin nowhere:live", "v1", "nowhere is at no commit known here"),
        ("true\ngit push origin main:live\necho never", "v1", "it was not pushed"),
    ],
)
def test_another_commit_is_not_pushed(clone, tmp_path, text, approved, words):
    seen = push(text, clone, approved)
    assert (seen.code, words in seen.err, seen.out) == (1, True, ""), seen
    assert git(tmp_path / "repository", "branch", "--list", "live") == ""
