"""Asking a real git: what a ref means, what runs in a folder, what changed."""

import pytest

from releases import repository
from releases.errors import WrongUsage
from tests.releases.world import commit, git, make_clone, make_repository


@pytest.fixture
def origin(tmp_path):
    return make_repository(tmp_path)


@pytest.fixture
def clone(origin, tmp_path):
    return make_clone(origin, tmp_path / "clone")


@pytest.mark.parametrize("ref", ["v1", "v2", "main"])
def test_a_tag_and_a_branch_mean_their_commit(origin, ref):
    assert repository.resolve(str(origin), ref) == git(origin, "rev-parse", ref)


def test_an_annotated_tag_means_the_commit_and_not_the_tag(origin):
    git(origin, "tag", "--annotate", "--message", "three", "v3")
    assert repository.resolve(str(origin), "v3") == git(origin, "rev-parse", "v3^{commit}")


def test_a_tag_wins_over_a_branch_of_the_same_name(origin):
    git(origin, "branch", "v1", "v2")
    assert repository.resolve(str(origin), "v1") == git(origin, "rev-parse", "refs/tags/v1")


def test_a_moved_tag_means_its_new_commit(origin):
    before = repository.resolve(str(origin), "v2")
    assert (
        commit(origin, {"VERSION": "v2 again"}, tag="v2") == repository.resolve(str(origin), "v2") != before
    )


@pytest.mark.parametrize("ref", ["v9", "v", "refs", "*", "", "--upload-pack=touch pwned", "v1 v2", "../v1"])
def test_a_missing_ref_is_named(origin, tmp_path, monkeypatch, ref):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WrongUsage, match="has no tag or branch"):
        repository.resolve(str(origin), ref)
    assert not list(tmp_path.rglob("pwned"))


@pytest.mark.parametrize("place", ["/nowhere/at-all", "--upload-pack=touch pwned"])
def test_a_repository_that_is_none_is_named(place):
    with pytest.raises(WrongUsage, match="cannot read the repository"):
        repository.resolve(place, "v1")


def test_a_folder_says_what_it_runs(clone):
    tree = repository.look(str(clone))
    assert (tree.commit, tree.name, tree.changes) == (git(clone, "rev-parse", "v1"), "v1", "")


@pytest.mark.parametrize("name", ["missing", "plain"])
def test_a_folder_without_git_is_named(tmp_path, name):
    (tmp_path / "plain").mkdir()
    with pytest.raises(WrongUsage, match="is no git work tree"):
        repository.look(str(tmp_path / name))


def test_a_change_in_a_tracked_file_is_seen_and_shown(clone):
    (clone / "VERSION").write_text("by hand\n")
    assert "VERSION" in repository.look(str(clone)).changes
    assert "+by hand" in repository.difference(str(clone))


def test_an_untracked_file_is_nobodys_change(clone):
    (clone / "shop.sqlite3").touch()
    assert repository.look(str(clone)).changes == ""


def test_a_long_difference_is_cut(clone):
    (clone / "VERSION").write_text("line\n" * 500)
    assert len(repository.difference(str(clone)).splitlines()) == 60


def test_fetching_brings_new_commits_and_moves_nothing(origin, clone):
    tag, new = git(clone, "rev-parse", "v2"), commit(origin, {"VERSION": "again"}, tag="v2")
    assert not repository.has_commit(str(clone), new)
    repository.fetch(str(clone))
    assert repository.has_commit(str(clone), new)
    assert (git(clone, "rev-parse", "v2"), git(clone, "rev-parse", "HEAD")) == (
        tag,
        git(clone, "rev-parse", "v1"),
    )


def test_fetching_from_an_origin_that_is_gone_is_told(origin, clone):
    origin.rename(origin.with_name("elsewhere"))
    with pytest.raises(WrongUsage, match="cannot fetch into"):
        repository.fetch(str(clone))


@pytest.mark.parametrize(
    ("path", "globs", "matches"),
    [
        ("orders/migrations/0002_x.py", ["*/migrations/0*.py"], True),
        ("a/b/migrations/0002_x.py", ["*/migrations/0*.py"], True),
        ("orders/migrations/0002_été.py", ["*/migrations/0*.py"], True),
        ("orders/migrations/0002 two words.py", ["*/migrations/0*.py"], True),
        ("orders/migrations/__init__.py", ["*/migrations/0*.py"], False),
        ("schema/002.sql", ["*/migrations/0*.py", "schema/*.sql"], True),
        ("orders/models.py", ["*/migrations/0*.py"], False),
        ("schema/002.sql", [], False),
    ],
)
def test_schema_changes_are_found_by_their_paths(origin, path, globs, matches):
    old = git(origin, "rev-parse", "HEAD")
    new = commit(origin, {path: "x"})
    assert repository.changed_paths(str(origin), old, new, globs=globs) == ((path,) if matches else ())
    assert repository.changed_paths(str(origin), new, old, globs=globs) == ((path,) if matches else ())


def test_a_migration_that_was_moved_away_is_a_schema_change(origin):
    old = commit(origin, {"orders/migrations/0001.py": "a migration\n" * 20})
    git(origin, "mv", "orders/migrations/0001.py", "old.py")
    git(origin, "commit", "--quiet", "--message", "moved")
    found = repository.changed_paths(str(origin), old, "HEAD", globs=["*/migrations/0*.py"])
    assert found == ("orders/migrations/0001.py",)


def test_an_unknown_commit_cannot_be_compared(clone):
    with pytest.raises(WrongUsage, match="cannot compare"):
        repository.changed_paths(str(clone), "HEAD", "f" * 40, globs=["*"])
