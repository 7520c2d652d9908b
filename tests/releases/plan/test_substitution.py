"""A script as bash will read it; a real bash is the judge of where a name is replaced."""

import shutil
import subprocess

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from releases.plan.substitution import ALL, names_set, substituted

VALUES = {"A": "one", "B": "two words", "EMPTY": "", "LINES": "1\n2", "LONG": "x" * 300}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("echo $A ${A} $AB ${AB}", "echo one one $AB ${AB}"),
        ('echo "$A/${B}"', 'echo "one/two words"'),
        ("echo '$A' \"'$A'\"", "echo '$A' \"'one'\""),
        ("echo \\$A \\\\$A", "echo \\$A \\\\one"),
        ('echo "\\$A"', 'echo "\\$A"'),
        ("echo ${A:-x} ${#A} $((A + 1))", "echo ${A:-x} ${#A} $((A + 1))"),
        ("echo $A # $A isn't\necho $A", "echo one # $A isn't\necho one"),
        ("echo x#$A", "echo x#one"),
        ('echo "# $A"', 'echo "# one"'),
        ("echo \"$(echo '$A' \"$A\")\" '$A'", "echo \"$(echo '$A' \"one\")\" '$A'"),
        ("cat <<'END'\n$A\nEND\necho $A", "cat <<'END'\n$A\nEND\necho one"),
        ("cat <<END\n'$A' \\$A don't\nEND\necho '$A'", "cat <<END\n'one' \\$A don't\nEND\necho '$A'"),
        ("cat <<-END | tail\n\t$A\n\tEND\n", "cat <<-END | tail\n\tone\n\tEND\n"),
        ("cat <<END\nEND\necho $A", "cat <<END\nEND\necho one"),
        ("echo $EMPTY $LINES $LONG", "echo $EMPTY $LINES $LONG"),
        ("it's $A", "it's one"),
        ("kill $$A", "kill $$A"),
        ("", ""),
    ],
)
def test_names_are_replaced_where_bash_would_replace_them(text, shown):
    assert substituted(text, VALUES) == shown


def test_what_was_set_before_stays_a_name():
    assert substituted("echo $A $B", VALUES, unknown={"A"}) == "echo $A two words"
    assert substituted("echo $A $B", VALUES, unknown=ALL) == "echo $A $B"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A=1 B+=2; export C=3", {"A", "B", "C"}),
        ("for A in 1 2; do echo; done", {"A"}),
        ("read -r A B < file", {"r", "A", "B"}),
        ("printf -v A x; unset B", {"A", "B"}),
        ("x=$(cat y) && (Z=1)", {"x", "Z"}),
        ("curl --data a=1 url?b=2 --c=3", {"a"}),
        ("source .env", ALL),
        ("cd x && . ./env", ALL),
        ('eval "$(ssh-agent)"', ALL),
        ("echo source of truth", frozenset()),
    ],
)
def test_it_is_known_what_a_script_may_set(text, names):
    assert names_set(text) == names


BASH = shutil.which("bash") or "bash"
PIECES = ["$A", "${A}", "'", '"', "\\", " ", "-x", "#", "$(echo ", ")", "\n", "${A:-y}", "(", "$"]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_bash_says_the_same_of_both(text):
    """Where the script is one, it prints the same with the name and with what stands in its place."""
    script = f"set -f\nprintf '%s|' {text}"
    said = run(script)
    # The number of a process differs, and a name may go on behind the end of a line.
    assume(said is not None and "$$" not in text and "\\\n" not in text)
    assert run(substituted(script, {"A": "one"})) == said


def run(script: str) -> str | None:
    ran = subprocess.run([BASH, "-c", script], env={"A": "one"}, capture_output=True, text=True)
    return ran.stdout if ran.returncode == 0 else None
