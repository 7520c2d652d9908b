"""Many questions at once, and the table of kinds."""

import os
import re
import time
import tomllib
from pathlib import Path

import pytest

from checks.errors import UnknownKind
from checks.observe import ask, problems
from checks.probers import PROBERS, prober
from checks.problems import Problem
from checks.verdicts import Verdict
from tests.checks.conftest import make_question

ROOT = Path(__file__).parents[2]
CODE = ROOT / "checks"
PAGE = (ROOT / "docs" / "probers.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^## ", PAGE, flags=re.MULTILINE)
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


class Buggy:
    """A prober with a bug."""

    async def ask(self, question):
        return 1 / 0


@pytest.fixture
def buggy(monkeypatch):
    """The kind `buggy`, for one test."""
    monkeypatch.setattr("checks.observe.prober", lambda kind: Buggy() if kind == "buggy" else prober(kind))
    return "buggy"


def test_one_bad_source_does_not_hold_up_the_others(web, closed_port):
    slow = make_question("http", "/slow", base_url=web, timeout=0.3)
    good = make_question("http", "/stats", base_url=web)
    dead = make_question("tcp", f"127.0.0.1:{closed_port}")
    answers = ask([slow, good, dead, slow, good])
    assert [answer.verdict for answer in answers] == ["failed", "passed", "failed", "failed", "passed"]


def test_all_are_asked_at_once(web):
    started = time.monotonic()
    answers = ask([make_question("http", "/slow", base_url=web, timeout=0.5)] * 20)
    assert time.monotonic() - started < 5
    assert {answer.verdict for answer in answers} == {Verdict.FAILED}


def test_questions_that_need_a_thread_do_not_wait_for_each_other(tmp_path):
    endless = make_question(
        "command",
        "tail -f /dev/null",
        folder=str(tmp_path),
        variables={"PATH": os.environ["PATH"]},
        timeout=0.5,
    )
    assert {answer.message for answer in ask([endless] * 20)} == {"tail -f /dev/null: not done within 0.5 s"}


def test_a_bug_in_a_prober_is_its_own_error(buggy, web):
    answers = ask([make_question(buggy), make_question("http", "/stats", base_url=web)])
    assert answers[0].message == "prober buggy crashed: ZeroDivisionError: division by zero"
    assert [answer.verdict for answer in answers] == ["error", "passed"]


def test_no_questions_have_no_answers():
    assert ask([]) == []


def test_an_unknown_kind_lists_the_kinds_there_are():
    with pytest.raises(UnknownKind, match="unknown kind of probe 'smoke'; there is http, tcp, sql"):
        prober("smoke")
    assert ask([make_question("smoke")])[0].verdict is Verdict.ERROR
    (found,) = problems(make_question("smoke"))
    assert isinstance(found, Problem)
    assert found.id == "probe-kind"


@pytest.mark.parametrize("kind", PROBERS)
def test_every_prober_loads_and_is_documented(kind):
    found = prober(kind)
    described = next(part for part in SECTIONS if part.startswith(f"`{kind}`"))
    assert f'kind = "{kind}"' in described
    for name in (*found.options, *(f"[{field}]" for field in found.fields)):
        assert f"`{name}`" in described


@pytest.mark.parametrize("kind", PROBERS)
def test_every_prober_checks_and_answers_even_an_empty_question(kind):
    question = make_question(kind, options={"nonsense": 1})
    assert "probe-option" in {found.id for found in problems(question)}
    (answer,) = ask([question])
    assert isinstance(answer.verdict, Verdict)
    assert "crashed" not in answer.message


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_of_the_page_is_a_good_question(example):
    (probe,) = tomllib.loads(example)["environment"]["probe"]
    readings = {name: reading["value"] for name, reading in probe.get("readings", {}).items()}
    question = make_question(
        probe["kind"],
        probe.get("target", ""),
        options=probe.get("options", {}),
        conditions=tuple(probe.get("conditions", ())),
        readings=readings,
    )
    assert problems(question) == []


def test_every_problem_has_its_line_on_the_page():
    sources = "".join(path.read_text() for path in CODE.rglob("*.py"))
    ids = set(re.findall(r'"(probe-[a-z]+)"', sources))
    assert len(ids) >= 7
    assert ids == set(re.findall(r"^\| `(probe-[a-z]+)` \|", PAGE, flags=re.MULTILINE))
