"""Kind command."""

import os
from decimal import Decimal

from checks.observe import ask, problems
from checks.verdicts import Verdict
from tests.checks.conftest import make_question


def asked(tmp_path, command, *conditions, **overrides):
    variables = {"PATH": os.environ["PATH"], "NAME": "shop"}
    question = make_question(
        "command",
        command,
        conditions=conditions,
        **{"folder": str(tmp_path), "variables": variables} | overrides,
    )
    (answer,) = ask([question])
    return answer


def test_it_runs_in_the_folder_with_the_variables_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setenv("GANTRY_OWN", "not for others")
    answer = asked(tmp_path, 'echo "$NAME $PWD ${GANTRY_OWN:-none}"', '[OUTPUT] contains "shop"')
    assert answer.facts["OUTPUT"] == f"shop {tmp_path} none\n"
    assert answer.verdict is Verdict.PASSED


def test_the_exit_code_decides(tmp_path):
    assert asked(tmp_path, "false | cat").message == "[EXIT] == 0: is 1"
    assert asked(tmp_path, "exit 3", "[EXIT] == 3").verdict is Verdict.PASSED


def test_an_output_that_is_a_number_is_a_value(tmp_path):
    answer = asked(tmp_path, "echo 0.25", "[VALUE] < 0.3", readings={"load": "[VALUE]"})
    assert answer.readings == {"load": Decimal("0.25")}
    assert asked(tmp_path, "echo many", "[VALUE] < 1").verdict is Verdict.ERROR
    assert asked(tmp_path, "echo NaN", "[VALUE] < 1").verdict is Verdict.ERROR


def test_a_long_output_is_cut(tmp_path):
    answer = asked(tmp_path, "head -c 200000 /dev/zero | tr '\\0' x; echo end", '[OUTPUT] contains "end"')
    assert answer.verdict is Verdict.FAILED


def test_a_slow_command_fails(tmp_path):
    answer = asked(tmp_path, "tail -f /dev/null", timeout=0.3)
    assert (answer.verdict, answer.message) == (Verdict.FAILED, "tail -f /dev/null: not done within 0.3 s")


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    assert asked(tmp_path, "true", folder=str(tmp_path / "gone")).verdict is Verdict.ERROR


def test_an_empty_command_is_a_problem():
    assert [found.id for found in problems(make_question("command", " "))] == ["probe-target"]
