"""The pure parts of the reader, by themselves."""

import pytest

from releases.runbooks import annotations, dangers, placeholders, roles, script, typed, words
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


@pytest.mark.parametrize(
    "info",
    [
        "bash {confirm}",
        "bash {confirm:true}",
        "bash {confirm: true}",
        'bash {"confirm": true}',
        'bash {"confirm": true,}',
        "bash {'confirm': true}",
        "bash confirm=true {name=x}",
        'bash confirm=true {"name": "x"}',
        "bash {name=x,confirm=true}",
        "bash {name=x} confirm=true",
        "bash,confirm",
        "bash {Confirm=true}",
    ],
)
def test_who_asks_for_a_confirmation_gets_it(info: str) -> None:
    language, attributes = annotations.fence(info)

    assert (language, attributes["confirm"]) == ("bash", "true")
    assert list(annotations.faults(attributes)) == []


def test_a_hyphen_is_an_underscore() -> None:
    assert annotations.fence("bash {on-fail=wait}")[1] == {"on_fail": "wait"}


@pytest.mark.parametrize(
    ("info", "level"),
    [
        ("bash {confirm=}", "error"),
        ("bash {confirm=yes}", "error"),
        ("bash {confirm=true confirm=false}", "error"),
        ('bash {"confirm": true, "confirm": false}', "error"),
        ("bash confirm=true {confirm=false}", "error"),
        ("bash {.confirm}", "error"),
        ("bash {confirm-first}", "error"),
        ("bash {confirm=true;name=x}", "error"),
        ("bash {onFail=wait}", "error"),
        ("bash {on_fail}", "error"),
        ("bash {probe}", "error"),
        ("bash {probes=health}", "error"),
        ("bash {timeout=0}", "error"),
        ("bash {timeout=1m}", "error"),
        ("bash {wait=5}", "warning"),
        ("bash {.wide}", "warning"),
        ("bash copy", "warning"),
        ("bash {interactive=false}", "info"),
    ],
)
def test_what_is_not_understood_of_a_fence_is_told(info: str, level: str) -> None:
    assert [fault.level for fault in annotations.faults(annotations.fence(info)[1])] == [level]


@pytest.mark.parametrize(
    "line",
    [
        "cat <<EOF > file",
        "cat <<EOF >file",
        "cat <<-EOF > file",
        "sort <in.txt >out.txt",
        "sort <in.txt 2>err",
        "sort < in.txt > out.txt",
        "diff <(ls a) >b",
        "sort <in.txt >>out.txt",
    ],
)
def test_a_redirection_is_no_placeholder(line: str) -> None:
    assert placeholders.placeholders(line) == []


@pytest.mark.parametrize("words", ["<host>", "<x>", "<commit hash>", "<app/name>", "<host1>"])
def test_words_in_angles_are_a_placeholder(words: str) -> None:
    assert placeholders.placeholders(f"ls {words}/a > b") == [(words, 0)]
