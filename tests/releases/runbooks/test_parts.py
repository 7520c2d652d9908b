"""The pure parts of the reader, by themselves."""

import pytest

from releases.runbooks import annotations, dangers, roles, script, typed, words
from releases.runbooks.encoding import decode


def test_a_numbered_step_keeps_the_role_of_its_stage() -> None:
    assert roles.inherit("9. Post-deployment checks", above="deployment_steps") == "deployment_steps"
    assert roles.inherit("Post-deployment checks", above="deployment_steps") == "post_deployment"


def test_every_role_of_the_tables_is_a_role() -> None:
    assert {role for role, _ in (*roles.TABLE, *roles.GENERAL)} <= set(words.ROLES)
    assert set(roles.MAY_BECOME) == set(words.ROLES) - {"other"}


def test_maintenance_has_a_direction() -> None:
    assert typed.direction_of("python manage.py maintenance_mode on\n") == "on"
    assert typed.direction_of("./ctl maintenance off\n") == "off"
    assert typed.direction_of("./ctl restart\n") == ""


def test_a_comment_is_no_command_and_a_quoted_hash_is_no_comment() -> None:
    assert script.lines("# nothing\necho '# kept' # gone\n") == ["echo '# kept'"]


def test_a_continued_line_is_one_command_and_a_here_document_is_none() -> None:
    text = "pg_dump -Fc \\\n  shop\ncat > .env <<EOF\nrm -rf /\nEOF\nls\n"

    assert script.lines(text) == ["pg_dump -Fc shop", "cat > .env <<EOF", "ls"]


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
    assert dangers.writes(sql)


@pytest.mark.parametrize(
    "sql", ["SELECT 'DELETE FROM a'", "-- UPDATE\nSELECT updated FROM a", "EXPLAIN SELECT 1"]
)
def test_sql_that_only_reads_is_left_alone(sql: str) -> None:
    assert not dangers.writes(sql)


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
