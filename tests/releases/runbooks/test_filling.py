"""Variables in the places of placeholders: whatever a value holds, it arrives as it is and is never run."""

import os
import sqlite3
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.runbooks.document import Hole
from releases.runbooks.filling import bound, filled, left

HOLE = Hole(words="<x>", line=1, variable="X")
NASTY = (
    "plain",
    "two words",
    "$(touch ran)",
    "`touch ran`",
    "'; touch ran; '",
    '"; touch ran; "',
    "a[$(touch ran)]",
    "' \"$(touch ran)\" '",
    "\\'; touch ran #",
    "*",
    "~ $HOME ${HOME}",
    "& touch ran &",
    "\n touch ran \n",
    "| touch ran",
    "-n",
    "ümlaut ✅",
    "EOF\ntouch ran\n",
)
values = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from([*"'\"`$()[]{};&|<>\\ \n#!*~a=", "touch ran", "$(touch ran)"]), max_size=8).map(
        "".join
    ),
)
# Each prints the value and nothing else.
SHOWN = {
    "bare": "printf '%s' <x>",
    "in double quotes": "printf '%s' \"<x>\"",
    "in single quotes": "printf '%s' '<x>'",
    "after an escaped quote": "printf '%s' \\\"<x> | tail -c +2",
    "after a comment with a quote": "# it's\nprintf '%s' '<x>'",
    "in an assignment": "A=<x>\nprintf '%s' \"$A\"",
    "in an exported assignment": "export A=<x>; printf '%s' \"$A\"",
    "in a substitution": "A=$(printf '%s.' <x>)\nprintf '%s' \"${A%.}\"",
    "in a substitution in quotes": 'A="$(printf \'%s.\' "<x>")"\nprintf \'%s\' "${A%.}"',
    "in a here-document": "IFS= read -r -d '' A <<END || true\n<x>.\nEND\nprintf '%s' \"${A%.?}\"",
    "for another shell": "bash -c \"printf '%s' <x>\"",
    "for another shell in single quotes": "bash -c 'printf \"%s\" <x>'",
    "for eval": "eval printf %s <x>",
    "in a here-document for a shell": "bash <<END\nprintf '%s' <x>\nEND",
    "in a subshell": "(cd / && printf '%s' <x>)",
    "continued": "printf '%s' \\\n  <x>",
}
# In these a value could be taken for code, so the words stay.
REFUSED = (
    "echo $((1 + <x>))",
    "((A = <x>))",
    "[[ <x> -eq 1 ]]",
    "let A=<x>",
    "unset <x>",
    "declare <x>",
    "a[<x>]=1",
    "echo ${A:-<x>}",
    "echo `echo <x>`",
    "echo $'<x>'",
    'echo "echo <x>" | sh',
    "printf 'echo <x>' | sudo bash",
    "python3 -c 'print(\"<x>\")'",
    "psql -c \"SELECT '<x>'\"",
    "awk '{print <x>}' f",
    "psql <<SQL\nSELECT '<x>';\nSQL",
    "cat <<'END'\n<x>\nEND",
    "bash -c \"echo '<x>'\"",
    "ssh deploy@host 'echo \"<x>\"'",
    "bash -c \"echo '$(true) <x>'\"",
    "cat <<END | bash\necho <x>\nEND",
)


def run(script: str, value: str, folder: Path) -> str:
    """What the script prints when X holds the value."""
    found = subprocess.run(
        ["bash", "-c", script],
        env={"X": value, "PATH": os.environ["PATH"], "HOME": "/nowhere"},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return found.stdout.decode()


@pytest.mark.parametrize("script", SHOWN.values(), ids=SHOWN.keys())
@pytest.mark.parametrize("value", NASTY)
def test_a_value_arrives_as_it_is(script: str, value: str, tmp_path: Path) -> None:
    assert run(filled(script, [HOLE], kind="shell"), value, tmp_path) == value
    assert not list(tmp_path.iterdir())


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*SHOWN.values(), *REFUSED]), values)
def test_no_value_is_ever_run(script: str, value: str) -> None:
    with TemporaryDirectory() as folder:
        # What stands in for ssh reads its words as the far shell would.
        run(filled(script, [HOLE], kind="shell").replace("ssh deploy@host", "bash -c"), value, Path(folder))

        assert not (Path(folder) / "ran").exists()


@pytest.mark.parametrize("script", REFUSED)
def test_words_stay_where_a_value_could_be_code(script: str) -> None:
    assert filled(script, [HOLE], kind="shell") == script
    assert left(script, [HOLE]) == ("<x>",)


@pytest.mark.parametrize("script", SHOWN.values(), ids=SHOWN.keys())
def test_no_words_are_left_elsewhere(script: str) -> None:
    assert left(filled(script, [HOLE], kind="shell"), [HOLE]) == ()


def test_longer_words_are_filled_first_and_comments_are_left_alone() -> None:
    holes = [
        Hole(words="YYYYMMDD", line=1, variable="DEPLOYMENT_DATE"),
        Hole(words="shop-YYYYMMDD.sql", line=1, variable="BACKUP_FILE"),
    ]
    script = "psql -f shop-YYYYMMDD.sql  # of YYYYMMDD\ncp conf.YYYYMMDD conf\n"

    assert filled(script, holes, kind="shell") == (
        'psql -f "${BACKUP_FILE}"  # of YYYYMMDD\ncp conf."${DEPLOYMENT_DATE}" conf\n'
    )


def test_words_in_a_comment_are_not_left() -> None:
    assert left(filled("echo <x>  # the <x>", [HOLE], kind="shell"), [HOLE]) == ()
    assert left(filled("SELECT <x> -- the <x>", [HOLE], kind="sql"), [HOLE], kind="sql") == ()


def test_a_date_with_dashes_is_cut_from_the_one_without() -> None:
    hole = Hole(words="YYYY-MM-DD", line=1, variable="DEPLOYMENT_DATE")
    script = filled("DEPLOYMENT_DATE=20260303; echo log-YYYY-MM-DD", [hole], kind="shell")

    assert run(script, "", Path("/")) == "log-2026-03-03\n"


def test_a_variable_of_that_name_is_no_placeholder() -> None:
    hole = Hole(words="YOUR_KEY", line=1, variable="YOUR_KEY")

    assert filled('echo $YOUR_KEY "${YOUR_KEY}"', [hole], kind="shell") == 'echo $YOUR_KEY "${YOUR_KEY}"'


def test_a_request_names_its_variables() -> None:
    hole = Hole(words="your-shop.com", line=1, variable="YOUR_SHOP_COM")

    assert filled("https://your-shop.com/health", [hole], kind="http") == "https://$YOUR_SHOP_COM/health"
    assert filled("<x>y", [HOLE], kind="http") == "${X}y"


# --- SQL ----------------------------------------------------------------------------------------------------

QUERIES = {
    "bare": "SELECT <x>",
    "a literal": "SELECT '<x>'",
    "within a literal": "SELECT substr('it''s <x>!', 6, length('it''s <x>!') - 6)",
    "beside comments and names": "SELECT '<x>' AS \"<x>\" -- <x>'\n/* '<x> */",
}


@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES.keys())
@settings(max_examples=60, deadline=None)
@given(value=st.one_of(values, st.text(max_size=20)).filter(lambda text: "\x00" not in text))
def test_a_query_answers_with_the_value(query: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    sql = bound(filled(query, [HOLE], kind="sql"), {"X": value})

    assert sqlite3.connect(":memory:").execute(sql).fetchone()[0] == value


def test_only_markers_are_bound() -> None:
    assert (
        bound("SELECT a::'x', ':''X''', :'X' -- :'X'", {"X": "o'k"})
        == "SELECT a::'x', ':''X''', 'o''k' -- :'X'"
    )


def test_a_marker_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        bound("SELECT :'X'", {})
