"""What was decided about a command holds for that command, to the letter, and for no other."""

import pytest
from django.db.models import Model, TextField

from releases.errors import WrongUsage
from releases.lifecycle import reviews, runbooks
from releases.models import ChecklistItem, Decision, RunbookRevision
from releases.runbooks.changes import changes
from releases.runbooks.review import matters, subjects
from tests.factories import NOON, make_service, make_user

pytestmark = pytest.mark.django_db
TEXT = """# Tea

## Deployment steps

### 1. Code

{code}

### 2. Look

```bash
bin/look
```
"""


def bring(code: str, *, before: RunbookRevision | None = None) -> RunbookRevision:
    service = before.runbook.service if before else make_service()
    text = TEXT.replace("{code}", code)
    return runbooks.import_text(service, text, name="RUNBOOK.md", by="rita", at=NOON)[0]


def decided(code: str, kind: str, value: str) -> RunbookRevision:
    """A revision whose first thing of that kind is decided."""
    revision = bring(code)
    subject = next(subject for found, subject in subjects(revision.document) if found == kind)
    reviews.decide(revision, kind, subject, value, user=make_user("approver"), at=NOON, why="rehearsed")
    return revision


def fence(text: str, *, info: str = "bash") -> str:
    return f"```{info}\n{text}\n```"


@pytest.mark.parametrize(
    "then",
    [
        fence("rm -rf / build"),
        fence("ssh deploy@production\nrm -rf ./build"),
        fence("ssh deploy@production") + "\n\n" + fence("rm -rf ./build"),
        fence("rm -rf ./BUILD"),
        fence("rm -rf .\\ \n/build"),
    ],
)
def test_an_accepted_danger_is_that_command_alone(then: str) -> None:
    first = decided(fence("rm -rf ./build"), "accept", "yes")
    assert [matter.kind for matter in matters(first.reviewed)] == []
    newer = bring(then, before=first)
    assert not newer.decisions.filter(kind="accept").exists()
    assert not any(block.accepted for block in newer.reviewed.blocks)


def test_an_accepted_danger_holds_where_the_command_is_the_same() -> None:
    first = decided(fence("rm -rf ./build"), "accept", "yes")
    newer = bring(fence("rm -rf ./build  ") + "\n\nIt only holds what was built.", before=first)
    assert matters(newer.reviewed) == ()


def test_accepted_sql_is_of_its_database() -> None:
    first = decided(fence("DELETE FROM teas", info="sql {database=copy}"), "accept", "yes")
    newer = bring(fence("DELETE FROM teas", info="sql {database=live}"), before=first)
    assert not any(block.accepted for block in newer.reviewed.blocks)


def test_a_box_runs_the_command_that_was_turned_on_and_no_other() -> None:
    first = decided("- [ ] Purge: `bin/purge --only staging`", "run", "yes")
    assert first.reviewed.items[0].runs
    newer = bring("- [ ] Purge: `bin/purge -only -- staging`", before=first)
    assert newer.document.items[0].key == first.document.items[0].key
    assert not newer.reviewed.items[0].runs
    again = bring("- [ ] **Purge**: `bin/purge --only staging`", before=first)
    assert not again.reviewed.items[0].runs  # it falls once, and is turned on anew


def test_a_box_that_is_only_worded_anew_still_runs() -> None:
    first = decided("- [ ] Purge: `bin/purge --only staging`", "run", "yes")
    newer = bring("- [ ] **Purge:** `bin/purge --only staging`", before=first)
    assert newer.reviewed.items[0].runs


LOOK = fence("SELECT 1", info="sql")
CAREFUL = fence("bin/code", info="bash {confirm=true}")
BOXED = fence("bin/code") + "\n\n- [ ] Purge: `bin/purge --only staging`"


@pytest.mark.parametrize(
    ("was", "now"),
    [
        (LOOK, fence("SELECT 1")),
        (fence("ssh deploy@staging\nbin/code"), fence("ssh deploy@production\nbin/code")),
        (
            fence("ssh deploy@staging") + "\n\n" + fence("bin/code"),
            fence("ssh deploy@production") + "\n\n" + fence("bin/code"),
        ),
        (CAREFUL, fence("bin/code")),
        (fence("bin/code"), fence("bin/code", info="bash {on_fail=continue}")),
        (fence("bin/code", info="bash {probe=health}"), fence("bin/code")),
        (fence("SELECT 1", info="sql {database=copy}"), LOOK),
        (fence("bin/code") + "\n\nExpected: `done`", fence("bin/code")),
        (fence("bin/code -a"), fence("bin/code - a")),
        (BOXED, BOXED.replace("--only", "-only")),
    ],
)
def test_a_level_falls_with_all_that_says_what_is_run_and_how(was: str, now: str) -> None:
    first = decided(was, "level", "auto")
    assert first.reviewed.steps[0].automation == "auto"
    newer = bring(now, before=first)
    assert newer.reviewed.steps[0].automation != "auto"
    told = changes(first.document, newer.document)
    assert told.anew[0].heading == "1. Code"
    assert told.entries or "only" in now  # a box says the same words


def test_a_level_holds_while_only_words_change() -> None:
    first = decided(fence("bin/code"), "level", "auto")
    newer = bring("It takes a minute.\n\n" + fence("bin/code", info="bash {name=code}"), before=first)
    assert newer.reviewed.steps[0].automation == "auto"
    assert not changes(first.document, newer.document).anew


def test_a_value_that_no_column_holds_is_refused() -> None:
    revision = bring(fence("bin/code <host>"))
    anton = make_user("approver")
    with pytest.raises(WrongUsage, match="at most 200 characters, not 201"):
        reviews.decide(revision, "fill", "<host>", "H" * 201, user=anton, at=NOON)
    with pytest.raises(WrongUsage, match="at most 200 characters"):
        box = bring("- [ ] It is there")
        reviews.decide(box, "by", box.document.items[0].key, f"probe:{'p' * 200}", user=anton, at=NOON)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("# Tea", "t" * 198 + ".md", "at most 200 characters, not 201"),
        ("# Tea \ud800", "RUNBOOK.md", "half a character \\(U\\+D800\\)"),
        ("# Tea", "RUN\udcffBOOK.md", "half a character \\(U\\+DCFF\\)"),
    ],
)
def test_what_no_database_stores_is_refused_in_words(text: str, name: str, said: str) -> None:
    with pytest.raises(WrongUsage, match=said):
        runbooks.import_text(make_service(), text, name=name, by="rita", at=NOON)


@pytest.mark.parametrize(("model", "name"), [(ChecklistItem, "heading"), (Decision, "subject")])
def test_what_the_text_says_finds_room_however_long_it_is(model: type[Model], name: str) -> None:
    # PostgreSQL refuses what is longer than a column, SQLite does not.
    assert isinstance(model._meta.get_field(name), TextField)
