"""A rotating sixth of the crash matrix, and what it is made of. All of it: `make crash-matrix`."""

import os
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.crash import driver
from tests.crash.cases import Case, Result
from tests.crash.matrix import PARTS, Matrix, part, run_all
from tests.crash.steps import BACK, FORWARD, STEPS
from tests.crash.table import BEGIN, END, write

CASES = [
    Case(direction=direction, action=name, name=name, point=point)
    for direction in (FORWARD, BACK)
    for name, step in STEPS.items()
    for point in step.points
]


def part_of_today() -> int:
    """GANTRY_CRASH_PART, else another one every day."""
    return int(os.environ.get("GANTRY_CRASH_PART") or datetime.now(UTC).timetuple().tm_yday % PARTS + 1)


def test_a_sixth_of_all_crashes_is_survived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    number = part_of_today()
    matrix = run_all(lambda cases: part(cases, number), logs=tmp_path)
    with capsys.disabled():
        print(f"\ncrash matrix, part {number}/{PARTS}: {matrix.summary()}")
    told = [f"{each.case}: {'; '.join(each.wrong)}\n{Path(each.log).read_text()}" for each in matrix.red]
    assert not told, "\n\n".join(told)
    assert len(matrix.results) >= 20


def test_the_parts_are_the_whole() -> None:
    parts = [part(CASES, number) for number in range(1, PARTS + 1)]
    assert sorted(map(str, CASES)) == sorted(str(case) for each in parts for case in each)


def test_every_part_has_every_kind_of_point() -> None:
    for number in range(1, PARTS + 1):
        assert {case.point for case in part(CASES, number)} == {case.point for case in CASES}


def test_a_seam_that_is_gone_is_told() -> None:
    with pytest.raises(driver.NoSuchSeam, match="no_such_function"):
        driver.wrap("releases.recorder", "no_such_function")


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text(f"# Reliability\n\n{BEGIN}\nold\n{END}\n\n## Other\n")
    good = Result(case=Case(direction=FORWARD, name="drain", point="c"), way="run again", take_over=0.5)
    bad = Result(case=Case(direction=BACK, name="restore", point="p", place="shut"), wrong=["no goods"])
    write(Matrix(results=(good, bad), undisturbed=(), seconds=60), on=date(2026, 3, 3), page=page)
    text = page.read_text()
    assert "old" not in text
    assert "2026-03-03: **1/2 in 1.0 minutes; take-over: median 0.50 s, longest 0.50 s.**" in text
    assert "| `drain` | · | · | · | again | · | · | · | · |" in text
    assert "| `restore (shut)` | · | · | · | · | **RED** | · | · | · |" in text
    assert text.endswith("## Other\n")


def test_a_page_without_its_place_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "reliability.md"
    page.write_text("# Reliability\n")
    with pytest.raises(ValueError, match="crash-matrix"):
        write(Matrix(results=(), undisturbed=(), seconds=0), on=date(2026, 3, 3), page=page)


def test_the_scripts_of_the_depot_are_bash() -> None:
    folder = Path(__file__).parent / "service"
    scripts = [each for each in (*(folder / "tools").iterdir(), folder / "tree" / "ctl") if each.is_file()]
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)
