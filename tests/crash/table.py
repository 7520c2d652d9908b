"""The matrix as a table on docs/reliability.md, between its markers: other tables stand on that page, too."""

import re
from datetime import date
from pathlib import Path

from tests.crash.cases import Case, Result
from tests.crash.matrix import Matrix
from tests.crash.steps import BACK, FORWARD, POINTS, STEPS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- crash-matrix -->", "<!-- /crash-matrix -->"
WAYS = {
    "done once": "once",
    "run again": "again",
    "counted as done": "person: done",
    "run again by a person": "person: again",
}
TITLES = {FORWARD: "Forward", BACK: "Back"}


def write(matrix: Matrix, *, on: date, page: Path = PAGE) -> None:
    """Put the table in the place of the one before; raises ValueError where the page has no markers."""
    text = page.read_text()
    marked = re.compile(f"{BEGIN}.*{END}", re.DOTALL)
    if not marked.search(text):
        raise ValueError(f"{page} has no {BEGIN} … {END}")
    page.write_text(marked.sub(lambda _: f"{BEGIN}\n\n{body(matrix, on)}\n{END}", text))


def body(matrix: Matrix, on: date) -> str:
    """The figures, then a table each way: a row an action, a column a point."""
    parts = [f"{on:%Y-%m-%d}: **{matrix.summary()}.**", ""]
    for direction in (FORWARD, BACK):
        results = [each for each in matrix.results if each.case.direction == direction]
        parts += [f"### {TITLES[direction]}", "", *_table(results), ""]
    return "\n".join(parts)


def _table(results: list[Result]) -> list[str]:
    columns = [point.name for point in POINTS]
    rows: dict[str, dict[str, str]] = {}
    for result in results:
        rows.setdefault(_row_of(result.case), {})[result.case.point] = _shown(result)
    lines = [[f"`{name}`", *(cells.get(column, "·") for column in columns)] for name, cells in rows.items()]
    head = [["step", *columns], ["---"] * (len(columns) + 1)]
    return [f"| {' | '.join(line)} |" for line in (*head, *lines)]


def _row_of(case: Case) -> str:
    return f"{case.name} ({case.place})" if case.is_extra else case.name


def _shown(result: Result) -> str:
    if result.wrong:
        return "**RED**"
    if not STEPS[result.case.name].leaves:
        return "looked"
    return WAYS[result.way]
