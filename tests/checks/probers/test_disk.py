"""Kind disk."""

from checks.observe import ask
from checks.verdicts import Verdict
from tests.checks.conftest import make_question


def test_free_space_is_read_without_being_asked_for(tmp_path):
    (answer,) = ask([make_question("disk", folder=str(tmp_path), conditions=("[FREE_PERCENT] <= 100",))])
    assert answer.verdict is Verdict.PASSED
    assert set(answer.readings) == {"free_percent", "free_mb"}
    assert answer.readings["free_mb"] > 0


def test_too_little_space_fails(tmp_path):
    (answer,) = ask([make_question("disk", folder=str(tmp_path), conditions=("[FREE_MB] > 1000000000000",))])
    assert answer.verdict is Verdict.FAILED


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    (answer,) = ask([make_question("disk", "gone", folder=str(tmp_path))])
    assert (answer.verdict, answer.message) == (Verdict.ERROR, "folder gone: No such file or directory")
