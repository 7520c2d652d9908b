"""Kind git, on real work trees."""

import os
import subprocess

import pytest

from checks.observe import ask
from checks.verdicts import Verdict
from tests.checks.conftest import make_question

WHO = {
    f"GIT_{role}_{what}": "t@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
}


def git(folder, *words):
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **WHO}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def tree(tmp_path):
    """A work tree that stands at the tag v1.0."""
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / "shop.py").write_text("print()\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "tag", "v1.0")
    return tmp_path


def asked(tree, *conditions, **options):
    variables = {"PATH": os.environ["PATH"], "RELEASE_VERSION": "v1.0"}
    (answer,) = ask(
        [make_question("git", folder=str(tree), conditions=conditions, options=options, variables=variables)]
    )
    return answer


def test_a_clean_tree_passes_and_says_where_it_stands(tree):
    answer = asked(tree)
    assert answer.verdict is Verdict.PASSED
    assert answer.facts["HEAD"] == git(tree, "rev-parse", "HEAD")
    assert (answer.facts["TAG"], answer.facts["BRANCH"]) == ("v1.0", "main")


def test_a_changed_tree_fails_and_shows_what_changed(tree):
    (tree / "shop.py").write_text("changed\n")
    (tree / "new.py").touch()
    answer = asked(tree)
    assert answer.verdict is Verdict.FAILED
    assert answer.facts["CHANGES"] == " M shop.py\n?? new.py"


def test_a_ref_must_exist(tree):
    assert asked(tree, ref="$RELEASE_VERSION").facts["REF"] == git(tree, "rev-parse", "HEAD")
    assert asked(tree, ref="v9.9").verdict is Verdict.FAILED
    assert asked(tree, ref="--all").verdict is Verdict.FAILED


def test_a_folder_without_a_repository_is_an_error(tmp_path):
    answer = asked(tmp_path / "gone")
    assert answer.verdict is Verdict.ERROR
    assert "gone" in answer.message
