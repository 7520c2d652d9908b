"""Asking a real git: what a ref means, what runs in a folder, what changed."""

# ruff: noqa: E501 (rows of cases stay one line each, so that they can be read as a table)

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


# --- what lies between two commits ------------------------------------------------------------------------


def between(folder, old: str = "v2", new: str = "HEAD", *, migrations=()) -> repository.Changes:
    return repository.changes(str(folder), git(folder, "rev-parse", old), new, migrations=migrations)


def pins(folder, old: str = "HEAD~1") -> list[tuple[str, str, str, str]]:
    return [(pin.name, pin.before, pin.after, pin.file) for pin in between(folder, old).pins]


def test_the_commits_between_are_told_newest_first(origin):
    for name in ("one", "two"):
        commit(origin, {name: name}, tag=f"Add {name}".replace(" ", "-"))
    found = between(origin)
    assert [(each.subject, each.author) for each in found.commits] == [
        ("Add-two", "Rita"),
        ("Add-one", "Rita"),
    ]
    assert found.commits[0].id == git(origin, "rev-parse", "--short", "HEAD")
    assert (found.more, found.gone, found.pins, found.migrations) == (0, (), (), ())


def test_of_many_commits_the_newest_are_told_and_the_others_counted(origin):
    for number in range(25):
        git(origin, "commit", "--quiet", "--allow-empty", "--message", f"commit {number}")
    found = between(origin)
    assert [each.subject for each in found.commits[::19]] == ["commit 24", "commit 5"]
    assert (len(found.commits), found.more) == (20, 5)


def test_an_older_commit_takes_commits_away(origin):
    found = between(origin, "v2", "v1")
    assert ([each.subject for each in found.gone], found.commits) == (["v2"], ())


def test_commits_on_both_sides_are_told_apart(origin):
    git(origin, "checkout", "--quiet", "-b", "hotfix", "v1")
    commit(origin, {"fix": "x"}, tag="hotfixed")
    found = between(origin, "v2", "hotfixed")
    assert ([each.subject for each in found.commits], [each.subject for each in found.gone]) == (
        ["hotfixed"],
        ["v2"],
    )


def test_nothing_lies_between_a_commit_and_itself(origin):
    head = git(origin, "rev-parse", "HEAD")
    assert repository.changes("/nowhere", head, head, migrations=()) == repository.Changes()


def test_a_subject_cannot_write_over_a_terminal(origin):
    git(origin, "commit", "--quiet", "--allow-empty", "--message", "nice\x1b[2K\rApproved \x9b31m\u009f")
    (found,) = between(origin).commits
    assert found.subject == "nice [2K Approved  31m"


def test_migrations_between_are_told(origin):
    commit(origin, {"orders/migrations/0002.py": "x", "orders/models.py": "x"})
    assert between(origin, migrations=["*/migrations/0*.py"]).migrations == ("orders/migrations/0002.py",)


@pytest.mark.parametrize(
    ("file", "before", "after", "expected"),
    [
        ("requirements.txt", "a==1.0\nb==2\n", "a==1.1\nc>=3\n", [("a", "==1.0", "==1.1"), ("b", "==2", ""), ("c", "", ">=3")]),
        ("requirements.txt", "a[x]==1 \\\n    --hash=sha256:0\n", "a[x]==2 ; python_version > '3'  # why\n", [("a", "==1", "==2")]),
        ("deploy/requirements-dev.in", "a~=1\n", "a~=2\n", [("a", "~=1", "~=2")]),
        ("requirements.txt", "# a==1\n-r other.txt\n", "# a==2\n--- a/x\n+++ b/y\n-r more.txt\n", []),
        ("requirements.txt", "a==1\nb==1\n", "b==1\na==1\n", []),
        ("pyproject.toml", 'x = [\n  "a>=1,<2",\n]\n', 'x = [\n  "a>=2,<3; python_version>\'3\'",\n]\n', [("a", ">=1,<2", ">=2,<3")]),
        ("Gemfile.lock", "    rails (7.0.1)\n      rack (>= 2)\n", "    rails (7.1)\n      rack (>= 3)\n", [("rails", "7.0.1", "7.1")]),
        ("go.mod", "require (\n\tgo.uber.org/zap v1.1.0\n)\n", "require (\n\tgo.uber.org/zap v1.2.0 // indirect\n)\n", [("go.uber.org/zap", "v1.1.0", "v1.2.0")]),
        ("web/package.json", '{"version": "1.0.0",\n"@a/b": "^1.2.3",\n"test": "run 1"}\n', '{"version": "2.0.0",\n"@a/b": "^2.0.0",\n"test": "run 2"}\n', [("@a/b", "^1.2.3", "^2.0.0")]),
    ],
)  # fmt: skip
def test_dependencies_that_change_are_told_with_their_versions(origin, file, before, after, expected):
    commit(origin, {file: before})
    commit(origin, {file: after})
    assert pins(origin) == [(*each, file) for each in expected]


def test_a_file_of_dependencies_that_comes_or_goes_is_told(origin):
    commit(origin, {"requirements.txt": "a==1\n"})
    assert pins(origin) == [("a", "", "==1", "requirements.txt")]
    git(origin, "rm", "--quiet", "requirements.txt")
    git(origin, "commit", "--quiet", "--message", "no more")
    assert pins(origin) == [("a", "==1", "", "requirements.txt")]


def test_files_whose_lines_are_not_told_are_named(origin):
    commit(
        origin,
        {"poetry.lock": "x", "web/yarn.lock": "x", "requirements.txt": "-r other.txt\n", "lock.py": "x"},
    )
    assert between(origin).files == ("poetry.lock", "requirements.txt", "web/yarn.lock")


@pytest.mark.parametrize("name", ["été", "two words", "*", "deep/er"])
def test_a_folder_of_any_name_may_hold_dependencies(origin, name):
    commit(origin, {f"{name}/requirements.txt": "a==1\n"})
    assert pins(origin) == [("a", "", "==1", f"{name}/requirements.txt")]


def test_a_file_whose_name_git_has_to_quote_is_named_at_least(origin):
    commit(origin, {'a"quote/requirements.txt': "a==1\n"})
    found = between(origin)
    assert (found.pins, found.files) == ((), ('a"quote/requirements.txt',))


def test_the_folders_own_settings_of_git_change_nothing(origin):
    for key, value in {
        "diff.noprefix": "true", "diff.mnemonicPrefix": "true", "color.ui": "always", "log.showSignature": "true",
        "diff.external": "false", "log.decorate": "full", "diff.renames": "copies",
    }.items():  # fmt: skip
        git(origin, "config", key, value)
    commit(origin, {"requirements.txt": "a==1\n"}, tag="plain")
    found = between(origin)
    assert [each.subject for each in found.commits] == ["plain"]
    assert [pin.name for pin in found.pins] == ["a"]


def test_a_commit_that_is_not_there_cannot_be_compared_at_all(clone):
    with pytest.raises(WrongUsage, match="cannot compare"):
        repository.changes(str(clone), "f" * 40, "HEAD", migrations=())
