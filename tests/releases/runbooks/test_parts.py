"""The pure parts of the reader, by themselves."""

import pytest

from releases.runbooks import annotations, commands, roles, schedule
from releases.runbooks.encoding import decode
from releases.runbooks.schedule import When


@pytest.mark.parametrize(
    ("heading", "when"),
    [
        ("Backup (T-30 minutes)", When(offset=-30.0)),
        ("Smoke tests (T+5)", When(offset=5.0)),
        ("Look (T+2 hours)", When(offset=120.0)),
        ("Go (T-0)", When(offset=0.0)),
        ("Merge (5 minutes)", When(duration=5.0)),
        ("Only the program (code, 2 minutes)", When(duration=2.0)),
        ("Step 4", When()),
        ("The T-shirt shop", When()),
    ],
)
def test_a_heading_says_when_its_step_happens(heading: str, when: When) -> None:
    assert schedule.of_heading(heading, windows=False) == when


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("**Time**: 5 minutes", 5.0),
        ("**Recovery Time:** <1 minute", 1.0),
        ("Expected duration: 30-45 minutes", 30.0),
        ("Time heals in 5 minutes", None),
    ],
)
def test_a_line_says_how_long_its_step_takes(line: str, minutes: float | None) -> None:
    assert schedule.duration_line(line) == minutes


def test_a_numbered_step_keeps_the_role_of_its_stage() -> None:
    assert roles.inherit("9. Post-deployment checks", above="deployment_steps") == "deployment_steps"
    assert roles.inherit("Post-deployment checks", above="deployment_steps") == "post_deployment"


def test_every_role_of_the_tables_is_a_role() -> None:
    assert {role for role, _ in roles.TABLE} <= set(roles.ROLES)
    assert set(roles.MAY_BECOME) == set(roles.ROLES) - {"other"}


def test_maintenance_has_a_direction() -> None:
    assert commands.direction_of("python manage.py maintenance_mode on\n") == "on"
    assert commands.direction_of("./ctl maintenance off\n") == "off"
    assert commands.direction_of("./ctl restart\n") == ""


def test_a_comment_is_no_command_and_a_quoted_hash_is_no_comment() -> None:
    assert commands.lines("# nothing\necho '# kept' # gone\n") == ["echo '# kept'"]


def test_a_continued_line_is_one_command_and_a_here_document_is_none() -> None:
    script = "pg_dump -Fc \\\n  shop\ncat > .env <<EOF\nrm -rf /\nEOF\nls\n"

    assert commands.lines(script) == ["pg_dump -Fc shop", "cat > .env <<EOF", "ls"]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM a WHERE b = 1",
        "SELECT 1; DROP TABLE a",
        "WITH x AS (SELECT 1) INSERT INTO a SELECT 1",
        "CALL f()",
    ],
)
def test_sql_that_may_write_is_seen(sql: str) -> None:
    assert commands.writes(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 'DELETE FROM a'", "-- UPDATE\nSELECT updated FROM a", "EXPLAIN SELECT 1"]
)
def test_sql_that_only_reads_is_left_alone(sql: str) -> None:
    assert not commands.writes(sql)


def test_a_probe_needs_a_name() -> None:
    assert annotations.note("by: probe").faults == ("by: probe",)
    assert annotations.note("by: probe:disk").by_name == "disk"


def test_an_ordinary_comment_is_no_annotation() -> None:
    assert annotations.note("TODO: ask Mira") == annotations.Note()


def test_broken_text_is_repaired_and_reported() -> None:
    broken = "Ready ✅ – go".encode().decode("mac_roman")
    decoded = decode(broken)

    assert decoded.text == "Ready ✅ – go"
    assert [problem.id for problem in decoded.problems] == ["mojibake"]


def test_other_encodings_are_read_and_reported() -> None:
    decoded = decode("Déjà\n".encode("cp1252"))

    assert decoded.text == "Déjà\n"
    assert [problem.id for problem in decoded.problems] == ["not-utf-8"]
