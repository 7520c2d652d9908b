"""Nothing of a text is lost: it is on the run sheet, or named among what is not placed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from releases.plan.compose import run_sheet
from releases.plan.sheet import RunSheet
from releases.plan.steps import is_program
from releases.runbooks.document import RUNNABLE, Document
from releases.runbooks.reader import read

CASES = Path(__file__).parents[2] / "cases" / "runbooks"
KEPT = ("communications", "maintenance", "troubleshooting", "reference")


def sheet_of(document: Document) -> RunSheet:
    return run_sheet(document, zero=datetime(2026, 1, 20, 18, 0, tzinfo=UTC))


def lines_of(sheet: RunSheet) -> Iterator[int]:
    parts = [*sheet.before, *sheet.release, *sheet.after, *sheet.at_the_end]
    parts += [part for way in sheet.ways for part in way.parts]
    yield from (row.line for part in parts for row in part.rows)
    yield from (reason.line for reason in sheet.reasons)
    for place in sheet.unplaced:
        yield from range(place.line, place.end + 1)


@pytest.mark.parametrize("file", sorted(CASES.glob("*.md")), ids=lambda file: file.stem)
def test_each_box_fence_and_trigger_is_on_the_sheet_or_named_as_not_placed(file: Path) -> None:
    document = read(file.read_bytes())
    sheet = sheet_of(document)
    fences = [block for block in document.blocks if block.kind in RUNNABLE or is_program(block)]
    counted = {aside.role for aside in sheet.asides if aside.role in KEPT}
    wanted = {each.line for each in (*document.items, *fences) if each.role not in counted}
    wanted |= {trigger.line for trigger in document.triggers}
    assert wanted - set(lines_of(sheet)) == set()


LOST = {
    "a box before the first stage": "- [ ] one\n\n## Deployment steps\n\n- [ ] two\n",
    "a fence before the first stage": "```bash\nls\n```\n\n## Deployment steps\n\n- [ ] two\n",
    "a fence among the criteria": "## Success criteria\n\n- [ ] a\n\n```bash\nls\n```\n",
    "an indented block": "## Deployment steps\n\n### 1. Code\n\n- [ ] a\n\nRun:\n\n    git pull\n",
    **{
        f"a line with {mark}": f"## Deployment steps\n\n- [ ] real\n- {mark} seeming\n"
        for mark in ("☐", "[✓]", "[-]", "[ x ]", "**[ ]**")
    },
}


@pytest.mark.parametrize("text", LOST.values(), ids=LOST.keys())
def test_what_nothing_plans_is_a_problem_named_and_not_understood(text: str) -> None:
    document = read(f"# Shop\n\n{text}")
    (problem,) = [each for each in document.problems if each.id in ("not-placed", "box-like")]
    sheet = sheet_of(document)
    assert problem.level == "warning"
    assert any(place.line <= problem.line <= place.end for place in sheet.unplaced)
    assert sheet.counts.understood < sheet.counts.lines


@pytest.mark.parametrize(
    "text",
    [
        "## After the deployment\n\n### Look around (T+15)\n\nLook at the shop.\n",
        "## Rollback procedure\n\n1. Stop the shop\n2. Take the old version\n",
    ],
)
def test_what_is_told_in_words_alone_is_named_as_not_placed(text: str) -> None:
    sheet = sheet_of(read(f"# Shop\n\n{text}"))
    assert sheet.unplaced
    assert sheet.counts.understood < sheet.counts.lines
