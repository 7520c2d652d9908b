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
    "beside a substitution": "A=$(date +%Y)\nprintf '%s' <x>",
    "continued": "printf '%s' \\\n  <x>",
    "after a here-document": "cat >/dev/null <<E\n$((<y)) \"\nE\nprintf '%s' <x>",
    "after a compound command": "if true; then :; fi\n(cd /)\nprintf '%s' <x>",
    "after nohup": "nohup printf '%s' <x>",
    "with a redirection": "printf '%s' <x> 2>&1",
    "into filters": "printf '%s' <x> | cat | tee /dev/null",
}
# These are what checklists are full of; their words are filled.
COMMON = (
    "psql -h <x> -U <x> -d <x> -f migrate.sql",
    "pg_restore --clean -d <x> dump",
    "gunzip -c <x>.gz | psql -d shop",
    "psql shop < <x>",
    "mysql -h <x> shop",
    'curl -fsS -H "Authorization: Bearer <x>" https://<x>/health?a=<x>',
    "curl https://<x>/health | jq .status",
    "curl https://<x>/health | python3 -m json.tool",
    "python manage.py migrate shop <x>",
    "venv/bin/python3.11 -m pip install shop==<x>",
    "npm install shop@<x> && npm run build",
    "kubectl set image deploy/shop shop=registry/shop:<x>",
    "docker run -d -e HOST=<x> registry/shop:<x>",
    "sudo -u deploy systemctl restart <x>",
    "git tag -a <x> -m 'Release <x>' && git push origin <x>",
    "set -e\ncd /srv/<x>\ngit checkout <x>  # <x>",
    "echo <x> >> deploys.log",
    "tar -xzf <x>.tar.gz -C /srv",
    "if [ -f a ]; then\n  rm a\nfi\nsystemctl restart <x>",
)
# In these a value could be taken for code, so the words stay.
REFUSED = (
    "echo $((1 + <x>))",
    "((A = <x>))",
    "[[ <x> -eq 1 ]]",
    "let A=<x>",
    "unset <x>",
    "declare <x>",
    "declare -i A=<x>",
    "a[<x>]=1",
    "A=([<x>]=1)",
    "A=(<x>)",
    "export a[<x>]=1",
    "printf -v <x> a",
    "test -v <x>",
    "read <x> < f",
    "echo ${A:-<x>}",
    "echo ${A[<x>]}",
    "echo `echo <x>`",
    "A=$(printf '%s.' <x>)",
    'A="$(printf "%s." "<x>")"',
    "echo $'<x>'",
    "<x> a",
    "sudo <x>",
    "sudo -E -u <x> ls",
    "nohup <x>",
    "env <x>",
    "timeout 5 <x>",
    'echo "echo <x>" | sh',
    "printf 'echo <x>' | sudo bash",
    "echo <x> |\nbash",
    "echo <x> | \\\n bash",
    "echo <x> |& bash",
    "echo <x> | tee f | bash",
    "echo <x> | ./run",
    "echo <x> | { bash; }",
    "echo <x> | (bash)",
    'echo <x> | while read -r a; do eval "$a"; done',
    "{ echo <x>; } | bash",
    "(echo <x>) | bash",
    "if true; then echo <x>; fi | bash",
    "for a in <x>; do eval $a; done",
    "echo <x> > f; bash f",
    "echo <x> | tee f\nchmod +x f; ./f",
    "echo <x> > >(bash)",
    'bash <(echo "<x>")',
    "bash <<< <x>",
    "cat <<< <x> | bash",
    "grep x <<<foo; bash -c <x>",
    'f() { bash -c "$1"; }\nf <x>',
    'function f { bash -c "$1"; }\nf <x>',
    "shopt -s expand_aliases; alias ls='bash -c'\nls <x>",
    "A=<x>\neval $A",
    'A=<x>\nB=$A\nbash -c "$B"',
    "A=<x>\necho $((A))",
    "A=<x>\n[[ $A -eq 1 ]]",
    "PS4=<x>; set -x; ls",
    "SECONDS=<x>",
    "BASH_ENV=<x> ls",
    "A=1 <x>",
    "python3 -c 'print(\"<x>\")'",
    "psql -c \"SELECT '<x>'\"",
    "psql -tAc <x>",
    "psql --command=<x>",
    "psql -v a=<x> -f f",
    'mysql -Be "<x>"',
    "echo \"SELECT '<x>'\" | psql",
    "sqlite3 shop.db <x>",
    'sqlcmd -Q "<x>"',
    'mongosh --eval "<x>"',
    'lua -e "<x>"',
    "lua5.4 -e <x>",
    "awk '{print <x>}' f",
    'sed "s|hi|<x>|" f',
    "jq '<x>' f",
    "psql <<SQL\nSELECT '<x>';\nSQL",
    "cat <<'END'\n<x>\nEND",
    "cat <<END\n$((<x>))\nEND",
    "cat <<END\n`<x>`\nEND",
    "cat <<END | bash\necho <x>\nEND",
    "<<E bash\n<x>\nE",
    "source /dev/stdin <<E\n<x>\nE",
    "cat <<E\na \\\nE\n<x>\nE",
    "bash -c \"echo '<x>'\"",
    'bash -c\\\n"<x>"',
    'bash -c \\\n"<x>"',
    '/bin/bash -c "echo <x>"',
    '"bash" -c <x>',
    "b\\ash -c <x>",
    "$SHELL -c <x>",
    "2>/dev/null bash -c <x>",
    "> f bash -c <x>",
    'echo \\ #"\nbash -c "<x>"',
    'find . -exec sh -c "<x>" \\;',
    'eval "$(echo <x>)"',
    "eval printf %s <x>",
    "trap '<x>' EXIT",
    "xargs <x>",
    "docker exec web sh -c '<x>'",
    "kubectl exec web -- node -e '<x>'",
    "ssh deploy@host 'echo \"<x>\"'",
    "ssh deploy@host echo <x>",
    "rsync -e <x> a b",
    "git -c core.pager=<x> log",
    "make deploy HOST=<x>",
    "python manage.py shell -c '<x>'",
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


@pytest.mark.parametrize("script", [*SHOWN.values(), *COMMON])
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


def test_a_comment_after_quotes_in_a_here_document_is_a_comment() -> None:
    assert left("cat <<E\nit's\nE\nls # of <x>\n", [HOLE]) == ()
    assert left("ls &# it's <x>\n", [HOLE]) == ()


def test_what_is_not_understood_ends_what_is_filled() -> None:
    script = "echo <x>\ncase a in b) ;; esac\necho <x>\n"

    assert filled(script, [HOLE], kind="shell") == script.replace("<x>", '"${X}"', 1)


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
