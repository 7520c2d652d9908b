"""Reading a runbook on the command line: its run sheet, its problems, its import; and every bad file."""

import json
import os
import re
import subprocess
import sys
import tomllib
from argparse import Namespace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from rich.cells import cell_len

from releases.errors import WrongUsage
from releases.management.commands.plan_runbook import moment
from releases.models import RunbookRevision
from releases.runbooks import lint
from tests.factories import make_service, settle_review
from tests.releases.world import RUNBOOK, World

ROOT: Path = settings.BASE_DIR
SHOP = ROOT / "demo/shop/RUNBOOK.md"
BAD_RUNBOOK = """\
# Shop

## Deployment steps

### 1. Clear (T-5 minutes)

```bash
rm -rf /srv/shop/cache
curl https://<host>/warm
```

- [x] Cleared

## Rollback triggers

- Error rate > 5% for > 10 minutes
- Data is damaged
"""
UNCLOSED = "# Shop\n\n## Deployment steps\n\n- [ ] Look\n\n```bash\nls\n"
COMMANDS = ("plan_runbook", "lint_runbook", "import_runbook")


@pytest.fixture
def ran(capsys, monkeypatch):
    """Run a command as its user types it: exit code, output and errors."""
    monkeypatch.delenv("COLUMNS", raising=False)

    def run(*words: object) -> Namespace:
        code = 0
        try:
            call_command(*map(str, words))
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        said = capsys.readouterr()
        return Namespace(code=code, out=said.out, err=said.err)

    return run


@pytest.fixture
def runbook(tmp_path):
    file = tmp_path / "RUNBOOK.md"
    file.write_text(BAD_RUNBOOK)
    return file


# --- plan_runbook; no test here may touch a database -----------------------------------------------------------


def test_a_file_becomes_a_run_sheet_with_nothing_registered(ran, runbook):
    seen = ran("plan_runbook", runbook, "--at", "2026-01-20T18:00")
    assert (seen.code, seen.err) == (0, "")
    for words in (
        "T-0      Tue 20 Jan 2026 18:00 UTC",
        "17:55 T-5m    1. Clear (T-5 minutes)",
        "▸ shell  rm -rf /srv/shop/cache  +1 more",
        "DANGER rm -rf",
        "DECIDE <host> is filled by HOST",
        "☑ Cleared  (claimed)",
        "measured: error_rate",
        "a person pulls it",
        "IN SHORT",
        "1 action by themselves once raised to auto",
        f"manage.py import_runbook {runbook} --service SERVICE",
    ):
        assert words in seen.out, words


def test_in_a_pipe_the_sheet_is_plain_text(ran, runbook):
    out = ran("plan_runbook", runbook).out
    assert "\x1b" not in out
    assert not any(line.endswith(" ") for line in out.splitlines())


def test_on_a_terminal_dangers_are_red_and_matters_yellow(ran, runbook, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    out = ran("plan_runbook", runbook).out
    assert "\x1b[1;91mDANGER" in out
    assert "\x1b[33mDECIDE" in out


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize(
    "file", [SHOP, *sorted((ROOT / "docs/examples").glob("*.md"))], ids=lambda file: file.name
)
def test_the_sheet_fits_its_terminal(ran, monkeypatch, file, width):
    monkeypatch.setenv("COLUMNS", str(width))
    out = ran("plan_runbook", file).out
    sheet, _, _ = out.partition("Next:")
    assert [line for line in sheet.splitlines() if cell_len(line) > width] == []


def test_the_shops_runbook_has_its_day_on_one_sheet(ran):
    out = ran("plan_runbook", SHOP, "--at", "2026-01-20T11:00").out
    assert re.search(r"10:00 T-1h +1\. Pre-flight", out)
    assert re.search(r"11:00 T-0 +11\. Maintenance off", out)
    assert re.search(r"Wed 21 Jan\n11:00 T\+1d +Next day", out)
    assert "way back           feature flags, 1 min · code, 5 min · code and database, 30 min" in out


def test_the_sheet_is_data_too(ran, runbook):
    seen = json.loads(ran("plan_runbook", runbook, "--at", "2026-01-20T18:00", "--json").out)
    assert seen["times"]["zero"] == "2026-01-20T18:00:00+00:00"
    (clear,) = seen["release"]
    assert (clear["at"], clear["rows"][0]["who"]) == ("2026-01-20T17:55:00+00:00", "person")
    assert seen["counts"]["boxes"] == 1


def test_a_database_that_is_not_there_is_not_missed(tmp_path, runbook):
    environment = {
        **os.environ,
        "DATABASE_URL": "sqlite:////nowhere/gantry.sqlite3",
        "GANTRY_VAR": str(tmp_path),
    }
    for words in (
        ["plan_runbook", runbook],
        ["lint_runbook", runbook],
        ["import_runbook", runbook, "--format=json"],
    ):
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env=environment, capture_output=True
        )
        assert (done.returncode, done.stderr) == (0, b""), words


NOON = datetime(2026, 1, 20, 12, 30, 5, tzinfo=ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", "2026-01-20 13:00"),
        ("18:00", "2026-01-20 18:00"),
        ("9:15", "2026-01-21 09:15"),
        ("2026-01-24T06:30", "2026-01-24 06:30"),
        ("2026-01-24 06:30", "2026-01-24 06:30"),
    ],
)
def test_t_zero_is_what_was_asked_or_the_next_full_hour(words, expected):
    assert f"{moment(words, now=NOON):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize("words", ["25:00", "soon", "2026-02-30T18:00", "18:60"])
def test_a_time_that_is_none_is_refused_in_a_line(ran, words):
    seen = ran("plan_runbook", SHOP, "--at", words)
    assert (seen.code, seen.err.count("\n"), f"--at is '{words}'" in seen.err) == (2, 1, True), seen


@pytest.mark.parametrize("words", ["9999-12-31T23:59", "0001-01-01T00:00"])
def test_a_time_at_the_end_of_the_calendar_leaves_the_rest_without_one(ran, words):
    assert ran("plan_runbook", SHOP, "--at", words).code == 0


def test_an_offset_beyond_the_calendar_is_no_clock_time(ran, tmp_path):
    file = tmp_path / "r.md"
    file.write_text(BAD_RUNBOOK.replace("T-5 minutes", "T-999999 months"))
    assert ran("plan_runbook", file).code == 0


# --- lint_runbook -----------------------------------------------------------------------------------------------


def test_problems_are_a_line_each_with_file_line_and_id(ran, runbook):
    seen = ran("lint_runbook", runbook)
    assert seen.code == 0
    lines = seen.out.splitlines()
    assert all(re.match(rf"{re.escape(str(runbook))}:\d+:[a-z-]+ \S.* — \S", line) for line in lines)
    assert [line.split()[0].rsplit(":")[1:] for line in lines] == [
        ["8", "danger-remove"],
        ["9", "placeholder"],
        ["12", "claims"],
    ]


def test_errors_end_with_1_and_warnings_when_they_are_to_count(ran, runbook, tmp_path):
    unclosed = tmp_path / "unclosed.md"
    unclosed.write_text(UNCLOSED)
    assert ran("lint_runbook", SHOP, "--strict").code == 0
    assert ran("lint_runbook", runbook, "--strict").code == 1
    assert ran("lint_runbook", SHOP, unclosed).code == 1


def test_a_file_that_cannot_be_read_ends_with_2_after_the_others_were(ran, runbook, tmp_path):
    seen = ran("lint_runbook", tmp_path / "none.md", runbook)
    assert (seen.code, f"gantry: there is no file {tmp_path}/none.md\n" == seen.err) == (2, True), seen
    assert "danger-remove" in seen.out


def linted(*words: object) -> "subprocess.CompletedProcess[str]":
    """The check as another repository's CI runs it: no settings, no environment."""
    return subprocess.run(
        [sys.executable, "-m", "releases.runbooks.lint", *map(str, words)],
        cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip


def test_the_check_needs_no_settings(runbook, tmp_path):
    done = linted(runbook)
    assert (done.returncode, done.stderr, "danger-remove" in done.stdout) == (0, "", True)
    assert linted(tmp_path).returncode == 2
    assert linted("--words", tmp_path / "none.toml", runbook).returncode == 2


def test_a_teams_own_words_are_heeded_by_the_check(tmp_path):
    words = tmp_path / "words.toml"
    words.write_text('[xx]\ndeployment_steps = ["los gehts"]\n')
    file = tmp_path / "r.md"
    file.write_text("# Shop\n\n## Los gehts\n\n- [ ] Look\n\n```bash\nrm -rf cache\n```\n")
    assert linted("--words", words, file).returncode == 0


def test_the_packaged_check_is_whole_and_needs_no_django():
    """What it imports lies in the packages and comes with the dependencies that pyproject.toml names."""
    code = "import sys, releases.runbooks.lint; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={}, capture_output=True, text=True, check=True
    )
    modules = done.stdout.split()
    assert not [name for name in modules if name.partition(".")[0] in ("django", "checks", "config", "rich")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = {name.rpartition(".")[0] or name for name in modules if name.startswith("releases")}
    assert packages <= set(project["tool"]["setuptools"]["packages"])
    needed = set(re.findall(r"^([a-z][\w-]*)", (ROOT / "requirements.in").read_text(), re.MULTILINE))
    assert set(project["project"]["dependencies"]) <= needed


def test_data_files_of_the_reader_are_packaged():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    kinds = project["tool"]["setuptools"]["package-data"]["releases.runbooks"]
    data = [
        file for file in (ROOT / "releases/runbooks").iterdir() if file.is_file() and file.suffix != ".py"
    ]
    assert [file.name for file in data if not any(file.match(kind) for kind in kinds)] == []


def test_the_hook_of_pre_commit_calls_the_script_that_is_installed():
    hook = dict(
        re.findall(r"^(?:- |  )(\w+): (.+)$", (ROOT / ".pre-commit-hooks.yaml").read_text(), re.MULTILINE)
    )
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    module, _, function = scripts[hook["entry"]].partition(":")
    assert (hook["language"], getattr(import_module(module), function)) == ("python", lint.main)
    for name in ("RUNBOOK.md", "docs/Deployment-checklist.md", "ops/rollback.markdown"):
        assert re.search(hook["files"], name)
    for name in ("README.md", "release/notes.txt", "deploy/readme.md"):
        assert not re.search(hook["files"], name)


# --- import_runbook -----------------------------------------------------------------------------------------------

KEYS = (
    "title metadata headings steps items blocks thresholds env_vars rollout_phases contacts signoff_roles "
    "sql_checks placeholders problems"
)


def test_what_was_read_is_data_with_fixed_keys(ran, runbook):
    seen = json.loads(ran("import_runbook", runbook, "--format", "json").out)
    assert " ".join(seen) == KEYS
    assert seen["items"] == [
        {"text": "Cleared", "checked": True, "heading": "1. Clear (T-5 minutes)", "line": 12}
    ]


def test_an_import_names_what_needs_review_with_its_line(ran, runbook, db):
    make_service(name="shop")
    seen = ran("import_runbook", runbook, "--service", "shop")
    assert seen.code == 0
    assert f"{runbook}:8: warning danger-remove: rm -rf" in seen.out
    assert f"{runbook}:8: open accept: danger-remove" in seen.out
    assert "next: manage.py review_runbook shop      (1 open)" in seen.out


def test_errors_are_mended_before_anything_is_reviewed(ran, tmp_path, db):
    make_service(name="shop")
    (tmp_path / "R.md").write_text(UNCLOSED)
    assert (
        f"next: mend the 1 errors in {tmp_path}/R.md"
        in ran("import_runbook", tmp_path / "R.md", "--service", "shop").out
    )


def test_a_changed_file_says_what_holds_and_what_is_reviewed_anew(ran, world: World, tmp_path):
    file = tmp_path / "R.md"
    file.write_text(RUNBOOK)
    first = ran("import_runbook", file, "--service", "tea")
    assert "carried over" not in first.out
    revision = RunbookRevision.objects.latest("pk")
    settle_review(revision)
    made = revision.decisions.count()
    file.write_text(RUNBOOK.replace("cat VERSION >> ../started", "cat VERSION > ../started", 1))
    seen = ran("import_runbook", file, "--service", "tea")
    assert f"since revision {revision.number}: 1 reworded" in seen.out
    assert (
        f"carried over: {made - 1} of {made} decisions hold, 1 steps to review anew: 3. Start (T-0) (line 20)"
        in seen.out
    )
    assert "next: manage.py publish_runbook tea --as USER" in seen.out


# --- bad files ------------------------------------------------------------------------------------------------------


BAD_FILES: dict[str, bytes] = {
    "beyond all measure": b"x" * 16_000_001,
    "empty": b"",
    "blank": b" \n\n",
    "binary": bytes(range(256)) * 40,
    "5 MB": b"- [ ] a box of a very long list\n" * 160_000,
}


def bad_file(folder: Path, what: str) -> Path:
    """A file, or something in its place, by what is wrong with it."""
    file = folder / "r.md"
    if what in BAD_FILES:
        file.write_bytes(BAD_FILES[what])
    if what == "links in a circle":
        file.symlink_to(file)
    if what == "below a file":
        file.write_text("# Shop")
    elsewhere = {
        "a folder": folder,
        "below a file": file / "r.md",
        "a name with NUL": Path("a\0b"),
        "a very long name": Path("n" * 5000),
    }
    return elsewhere.get(what, file)


UNREADABLE = (
    "missing", "a folder", "links in a circle", "below a file", "a name with NUL", "a very long name",
    "beyond all measure",
)  # fmt: skip
NO_TEXT = ("empty", "blank", "binary")


@pytest.mark.parametrize("what", UNREADABLE)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_cannot_be_read_is_one_line(ran, tmp_path, command, what):
    seen = ran(command, bad_file(tmp_path, what))
    assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1), seen
    assert "Traceback" not in seen.err


@pytest.mark.parametrize("what", NO_TEXT)
def test_a_file_without_text_is_one_line_or_a_problem(ran, tmp_path, db, what):
    make_service(name="shop")
    file = bad_file(tmp_path, what)
    for words in (["plan_runbook", file], ["import_runbook", file, "--service", "shop"]):
        seen = ran(*words)
        assert (seen.code, seen.out, seen.err.count("\n")) == (2, "", 1), seen
    assert not RunbookRevision.objects.exists()
    assert ran("lint_runbook", file).code == 1
    (problem,) = json.loads(ran("import_runbook", file, "--format", "json").out)["problems"][:1]
    assert problem["level"] == "error"


def test_what_is_too_large_is_read_as_far_as_it_goes_and_says_so(ran, tmp_path):
    file = bad_file(tmp_path, "5 MB")
    seen = ran("lint_runbook", file)
    assert (seen.code, "too-large" in seen.out) == (1, True)
    assert "too-large" in ran("plan_runbook", file).out


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read_or_refused(ran, tmp_path, codec):
    file = tmp_path / "r.md"
    file.write_bytes(BAD_RUNBOOK.encode(codec))
    seen = ran("plan_runbook", file)
    assert (seen.code, "1. Clear" in seen.out) in [(0, True), (2, False)]
    assert seen.err.count("\n") == (1 if seen.code else 0)


def test_a_pipe_is_a_file_too(ran, tmp_path):
    read_end, write_end = os.pipe()
    os.write(write_end, BAD_RUNBOOK.encode())
    os.close(write_end)
    assert ran("lint_runbook", f"/dev/fd/{read_end}").code == 0
    os.close(read_end)


def test_a_refused_time_is_an_error_of_usage():
    with pytest.raises(WrongUsage, match="write 18:00 or"):
        moment("tomorrow", now=NOON)


@pytest.mark.parametrize("command", ["plan_runbook", "lint_runbook"])
def test_a_named_pipe_is_refused_and_not_waited_for(ran, tmp_path, command):
    os.mkfifo(tmp_path / "pipe.md")
    seen = ran(command, tmp_path / "pipe.md")
    assert (seen.code, "is no ordinary file" in seen.err) == (2, True)
