"""What was added, removed and reworded between two texts of a runbook."""

import time

import pytest

from releases.runbooks.changes import Changes, changes
from releases.runbooks.reader import read

TEXT = """# Tea shop

## Before the deployment

- [ ] All pull requests are reviewed
- [ ] Release notes are written

## Deployment steps

### 1. Code (T-10 minutes)

```bash
git fetch --tags
git checkout "$RELEASE_VERSION"
```

### 2. Restart (T-2 minutes)

```bash
bin/shop restart
```

- [ ] The new version answers

## Rollback triggers

- Error rate > 5% for more than 2 minutes
"""


def between(*replaced: tuple[str, str], old: str = TEXT) -> Changes:
    new = old
    for was, now in replaced:
        assert was in new
        new = new.replace(was, now)
    return changes(read(old), read(new))


def told(found: Changes) -> list[tuple[str, str, str, str]]:
    return [(each.part, each.how, each.before, each.after) for each in found.entries]


def test_a_text_does_not_differ_from_itself() -> None:
    assert not between()


def test_emphasis_and_blank_lines_are_no_change() -> None:
    assert not between(("Release notes are", "**Release notes** are"), ("## Rollback", "\n\n## Rollback"))


def test_an_added_box_is_told_with_its_line() -> None:
    found = between(("- [ ] Release notes", "- [ ] Translations are complete\n- [ ] Release notes"))
    assert told(found) == [("item", "added", "", "Translations are complete")]
    assert found.entries[0].line == 6


def test_a_removed_box_is_told_with_the_line_it_had() -> None:
    found = between(("- [ ] Release notes are written\n", ""))
    assert told(found) == [("item", "removed", "Release notes are written", "")]
    assert found.entries[0].line == 6


def test_similar_text_under_the_same_heading_is_reworded() -> None:
    found = between(("Release notes are written", "Release notes are written and translated"))
    assert told(found) == [
        ("item", "reworded", "Release notes are written", "Release notes are written and translated")
    ]


def test_other_text_under_the_same_heading_is_not_reworded() -> None:
    found = between(("Release notes are written", "Coffee stands on the table"))
    assert sorted(how for _, how, _, _ in told(found)) == ["added", "removed"]


def test_a_box_that_moved_below_another_heading_is_a_new_one() -> None:
    found = between(
        ("- [ ] Release notes are written\n", ""),
        ("- [ ] The new version answers", "- [ ] The new version answers\n- [ ] Release notes are written"),
    )
    assert sorted(how for _, how, _, _ in told(found)) == ["added", "removed"]


def test_below_a_reworded_heading_nothing_else_changed() -> None:
    found = between(("## Before the deployment", "## Before the release"))
    assert told(found) == [("heading", "reworded", "Before the deployment", "Before the release")]


def test_a_section_that_kept_what_is_below_it_was_only_renamed() -> None:
    found = between(("## Before the deployment", "## Preparation"))
    assert told(found) == [("heading", "reworded", "Before the deployment", "Preparation")]


def test_below_two_renamed_headings_only_they_changed() -> None:
    found = between(("## Deployment steps", "## The deployment"), ("### 2. Restart", "### 2. Restart again"))
    assert [how for _, how, _, _ in told(found)] == ["reworded", "reworded"]


def test_a_step_of_another_time_is_reworded_and_reviewed_anew() -> None:
    found = between(("2. Restart (T-2 minutes)", "2. Restart (T-5 minutes)"))
    assert told(found) == [("step", "reworded", "2. Restart (T-2 minutes)", "2. Restart (T-5 minutes)")]
    assert [step.heading for step in found.anew] == ["2. Restart (T-5 minutes)"]


def test_a_changed_command_asks_for_a_review_of_its_step_alone() -> None:
    found = between(("bin/shop restart", "bin/shop restart --hard"))
    assert told(found) == [("command", "reworded", "bin/shop restart", "bin/shop restart --hard")]
    assert [step.heading for step in found.anew] == ["2. Restart (T-2 minutes)"]


def test_a_quote_in_a_command_is_a_change() -> None:
    assert told(between(('"$RELEASE_VERSION"', "$RELEASE_VERSION")))[0][:2] == ("command", "reworded")


def test_a_long_command_shows_the_lines_that_differ() -> None:
    (entry,) = between(("git fetch --tags", "git fetch --tags --prune")).entries
    assert entry.rows == (
        ("-", "git fetch --tags"),
        ("+", "git fetch --tags --prune"),
        (" ", "… 1 as before"),
    )


def test_a_new_step_is_added_with_all_it_holds() -> None:
    found = between(
        ("## Rollback triggers", "### 3. Cache\n\n```bash\nbin/shop cache:clear\n```\n\n## Rollback triggers")
    )
    assert told(found) == [
        ("step", "added", "", "3. Cache"),
        ("command", "added", "", "bin/shop cache:clear"),
    ]
    assert [step.heading for step in found.anew] == ["3. Cache"]


def test_a_limit_that_was_lowered_is_reworded() -> None:
    found = between(("Error rate > 5%", "Error rate > 3%"))
    (limit,) = [entry for entry in found.entries if entry.part == "threshold"]
    assert limit.how == "reworded"
    assert ("5" in limit.before, "3" in limit.after) == (True, True)


@pytest.mark.parametrize("how", ["added", "removed"])
def test_a_first_text_and_an_emptied_one_are_all_new_and_all_gone(how) -> None:
    full, empty = read(TEXT), read("# Tea shop\n")
    found = changes(empty, full) if how == "added" else changes(full, empty)
    assert {entry.how for entry in found.entries} == {how}
    assert getattr(found, how) == len(found.entries)


def test_thousands_of_reworded_boxes_are_compared_in_a_second() -> None:
    old = "# Shop\n\n## Before\n\n" + "".join(f"- [ ] Check number {n} of the shelf\n" for n in range(2500))
    documents = read(old), read(old.replace("of the shelf", "of every shelf"))
    started = time.process_time()
    found = changes(*documents)
    assert found.reworded > 2400
    assert time.process_time() - started < 2
