"""What holds for every document, whatever stands in it."""

import re
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.runbooks.document import Document
from releases.runbooks.reader import read
from tests.releases.runbooks.test_cases import CASES, NAMES

SCRAPS = (
    "# Deployment\n",
    "## Rollback triggers\n",
    "### 3. Maintenance on (T-15 minutes)\n",
    "- [ ] Backup is complete <!-- by: step -->\n",
    "  - [X] nested\n",
    "1. [ ] numbered\n",
    "[ ] bare\n",
    "> - [ ] quoted\n",
    "| a | b |\n|---|---|\n| [ ] | > 5% |\n",
    "```bash {name=x timeout=5}\n",
    "```\n",
    "~~~~sql\n",
    "SELECT 1; -- Expected: 1\n",
    "rm -rf <folder>\n",
    "<!--\n",
    "-->\n",
    "<pre>\n",
    "---\n",
    "Error rate > 5% for > 15 minutes\n",
    "**Expected**:\n",
    "    indented\n",
    "\t- [ ] tab\n",
    "\r\n",
    "\x00\ufeff\u202e\n",
    "√© ‚Äî Ã©\n",
    "===\n",
    "\n",
)
BOX = re.compile(r"\[[ xX]?\]|checkbox", re.IGNORECASE)


def lines_of(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def named(document: Document, id: str) -> list[int]:
    """The lines of the problems with that id."""
    return [problem.line for problem in document.problems if problem.id == id]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(SCRAPS), max_size=40).map("".join))
def test_every_item_stands_on_a_line_with_a_box(text: str) -> None:
    rows = lines_of(text)
    for item in read(text).items:
        assert BOX.search(rows[item.line - 1])


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(max_size=400), st.binary(max_size=400)))
def test_reading_never_fails_and_is_always_the_same(text: str | bytes) -> None:
    assert read(text) == read(text)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(NAMES), st.integers(0, 2**32), st.sampled_from(["cut", "drop", "double", "shift", "swap"])
)
def test_a_damaged_document_is_still_read(name: str, seed: int, damage: str) -> None:
    rows = (CASES / f"{name}.md").read_bytes().decode("utf-8", "replace").split("\n")
    place = seed % max(len(rows), 1)
    rows[place:] = {
        "cut": [rows[place][: seed % 7]],
        "drop": rows[place + 1 :],
        "double": [rows[place], *rows[place:]],
        "shift": ["  " + row for row in rows[place:]],
        "swap": [*rows[place + 1 :], rows[place]],
    }[damage]
    document = read("\n".join(rows))

    assert all(0 < problem.line <= len(rows) + 1 for problem in document.problems)
    assert len(document.to_json()) == 14


@pytest.mark.parametrize("name", NAMES)
def test_steps_hold_what_says_it_stands_in_them(name: str) -> None:
    document = read((CASES / f"{name}.md").read_bytes())
    orders = {step.order for step in document.steps}

    assert [step.order for step in document.steps] == list(range(1, len(document.steps) + 1))
    assert {item.step for item in document.items} <= orders | {None}
    assert {block.step for block in document.blocks} <= orders | {None}


@pytest.mark.parametrize("name", NAMES)
def test_no_two_things_share_a_key(name: str) -> None:
    document = read((CASES / f"{name}.md").read_bytes())
    keys = Counter(thing.key for thing in (*document.items, *document.blocks))

    assert all(count == 1 and len(key) == 16 for key, count in keys.items())


def test_a_key_outlives_emphasis_and_new_neighbours() -> None:
    before = read("# A\n\n## Deployment\n\n- [ ] Backup is complete\n").items[0]
    after = read("# A\n\n## Deployment\n\n- [ ] Another\n- [x] **Backup** is complete.\n").items[1]

    assert before.key == after.key


def test_a_key_changes_with_the_words_and_the_section() -> None:
    base = "# A\n\n## Deployment\n\n- [ ] Backup is complete\n"
    other = [base.replace("complete", "tested"), base.replace("Deployment", "Pre-deployment")]

    assert len({read(text).items[0].key for text in (base, *other)}) == 3


def test_fifty_levels_of_nesting_are_read() -> None:
    document = read("".join("  " * level + f"- [ ] level {level}\n" for level in range(50)))

    assert [item.text for item in document.items] == [f"level {level}" for level in range(50)]


def test_what_is_nested_deeper_than_that_is_named() -> None:
    document = read("".join("  " * level + f"- [ ] level {level}\n" for level in range(300)))

    assert named(document, "nested-too-deep") == [len(document.items)]


def test_a_document_that_is_too_large_says_where_reading_ended() -> None:
    document = read("- [ ] one more\n" * 100_000)

    assert named(document, "too-large") == [5_000]
    assert len(document.items) == 5_000


HOSTILE = {
    "an endless number": "9" * 200_000,
    "stars": "**" * 100_000 + " 5%",
    "brackets": "[" * 100_000 + "](" * 50_000,
    "backticks": "`" * 200_000,
    "open comments": "<!-- \n" * 4_900,
    "open tags": "<pre>\n" * 4_900,
    "limits on one line": "rate > 5% " * 29_000,
    "sudo": "```bash\n" + "sudo " * 50_000,
    "a path of nothing": "```bash\n" + "/a" * 100_000,
    "your hosts": "```bash\n" + "your-a" * 40_000,
    "a quote of quotes": ">" * 100_000 + " x",
    "a long table": "| a | b |\n|---|---|\n" + "| [ ] | > 5% |\n" * 4_900,
    "attributes": "```bash {" + "a=" * 100_000 + "\nx\n```",
    "headings": "# Rollback (T-5)\n" * 4_900,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_is_slow(text: str) -> None:
    started = time.process_time()
    read(text)

    assert time.process_time() - started < 3


def test_a_line_too_long_to_be_looked_through_is_an_error() -> None:
    document = read("```bash\nls " + "x" * 2_000 + "; rm -rf /\n```\n")

    assert named(document, "long-command") == [2]
    assert [problem.id for problem in document.errors] == ["long-command"]
