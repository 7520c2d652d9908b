"""Which triggers act by themselves, and which a person pulls."""

import pytest

from releases.runbooks.document import Document
from releases.runbooks.reader import read


def of_entries(*entries: str) -> Document:
    listed = "".join(f"- {entry}\n" for entry in entries)
    return read(f"# Shop\n\n## Rollback triggers\n\n{listed}")


ALONE = (
    "Error rate > 5%",
    "Disk < 10 GB free",
    "Uptime falls below 99%",
    "Queue stays above 5000 for 5 minutes",
    "If error rate > 5%, roll back and tell the team",
    "5+ lost carts in 10 minutes",
)
NOT_ALONE = (
    "Error rate > 5% (but not when error rate < 10% during deploys)",
    "Disk < 10 GB free and error rate >= 0%",
    "Error rate > 5%, latency > 2 s",
    "Error rate > 5% and the checkout is broken",
    "Error rate > 5% unless a campaign runs",
    "Error rate > 5% while more than 100 people are there",
    "Error rate > 5% except during the import",
)
ALL_IS_WELL = (
    "Not more than 1% errors",
    "Error rate stays below 1%",
    "Response time must stay under 500 ms",
    "Error rate must not exceed 1%",
    "Uptime must not fall below 99%",
)


@pytest.mark.parametrize("entry", ALONE)
def test_a_limit_that_is_alone_acts_by_itself(entry: str) -> None:
    document = of_entries(entry)
    assert [trigger.measured for trigger in document.triggers] == [True]
    assert "trigger-by-hand" not in {problem.id for problem in document.problems}


@pytest.mark.parametrize("entry", [*NOT_ALONE, *ALL_IS_WELL])
def test_a_person_pulls_what_a_limit_alone_does_not_say(entry: str) -> None:
    document = of_entries(entry)
    assert [(trigger.text, trigger.measured) for trigger in document.triggers] == [(entry, False)]
    assert [problem.line for problem in document.problems if problem.id == "trigger-by-hand"] == [5]


def test_an_entry_that_goes_on_the_one_before_leaves_neither_to_act() -> None:
    document = of_entries("Error rate > 5%", "and latency > 3 s", "Disk above 90%")
    assert [trigger.measured for trigger in document.triggers] == [False, False, True]


def test_what_tells_more_of_a_trigger_is_named() -> None:
    document = read("# Shop\n\n## Rollback triggers\n\n- Checkout is broken\n  - as shops report\n")
    assert [(problem.id, problem.line) for problem in document.problems if problem.level == "info"] == [
        ("not-placed", 6)
    ]
