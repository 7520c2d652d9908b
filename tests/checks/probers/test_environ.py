"""Kind environ, on a real process."""

import subprocess
import sys

import pytest

from checks.observe import ask, problems
from checks.verdicts import Verdict
from tests.checks.conftest import make_question

READY = "import sys; print('up', flush=True); sys.stdin.read()"


@pytest.fixture
def service(tmp_path):
    """A process with variables of its own, and its pid file; its folder."""
    environment = {"DATABASE_URL": "sqlite:///shop", "EMPTY": "", "MODE": "s3cret-mode"}
    process = subprocess.Popen(
        [sys.executable, "-c", READY], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"up\n"
    (tmp_path / "shop.pid").write_text(f"{process.pid}\n")
    yield tmp_path
    process.communicate()


def asked(folder, target="", **options):
    question = make_question(
        "environ", target, folder=str(folder), options=options, variables={"WANTED": "s3cret-mode"}
    )
    (answer,) = ask([question])
    return answer


def test_variables_of_the_process_itself_are_looked_at(service):
    answer = asked(service, pid_file="shop.pid", require=["DATABASE_URL"], equals={"MODE": "$WANTED"})
    assert answer.verdict is Verdict.PASSED
    assert answer.facts["CHECKED"] == "2"


def test_missing_and_wrong_names_are_listed_and_no_value_is_shown(service):
    answer = asked(
        service,
        pid_file="shop.pid",
        require=["DATABASE_URL", "EMPTY", "SECRET"],
        equals={"MODE": "other-word"},
    )
    assert answer.verdict is Verdict.FAILED
    assert answer.message.endswith("missing: EMPTY, SECRET; wrong: MODE")
    assert not any(value in f"{answer}" for value in ("s3cret-mode", "other-word", "sqlite:///shop"))


def test_a_service_that_does_not_run_is_an_error(tmp_path):
    assert "does the service run?" in asked(tmp_path, pid_file="shop.pid", require=["A"]).message
    (tmp_path / "shop.pid").write_text("4194304999")
    assert (
        asked(tmp_path, pid_file="shop.pid", require=["A"]).message == "process 4194304999 does not run here"
    )
    (tmp_path / "shop.pid").write_text("soon")
    assert asked(tmp_path, pid_file="shop.pid", require=["A"]).verdict is Verdict.ERROR


def test_a_page_may_name_the_pid(web, tmp_path):
    assert (
        asked(tmp_path, f"{web}/stats", require=["A"]).message
        == f"{web}/stats: the answer is not JSON with a pid"
    )


def test_a_question_needs_a_process_and_names():
    assert [found.id for found in problems(make_question("environ"))] == ["probe-target", "probe-option"]
