"""The table of transitions: whole, without dead ends that nobody meant."""

import pytest

from releases.statuses import (
    ACTS_NEXT,
    CLAIMABLE,
    OCCUPYING,
    TRANSITIONS,
    DeploymentStatus,
    Outcome,
    sources,
)

D = DeploymentStatus


@pytest.mark.parametrize("machine", TRANSITIONS)
def test_every_status_that_can_be_reached_is_known(machine):
    known = TRANSITIONS[machine]
    targets = set().union(*known.values())
    endings = set(Outcome) if machine == "attempt" else set()
    assert targets <= set(known) | endings


def test_every_status_of_a_deployment_has_a_row_and_somebody_who_acts_next():
    assert set(TRANSITIONS["deployment"]) == set(ACTS_NEXT) == set(D)


def test_a_deployment_is_over_when_nothing_more_runs():
    over = {status for status in D if status.is_over}
    assert over == {D.SUCCEEDED, D.FAILED, D.ABORTED, D.ROLLED_BACK, D.UNKNOWN}


def test_what_occupies_an_environment_is_neither_over_nor_a_watch():
    assert not [status for status in OCCUPYING if status.is_over]
    assert D.WATCHING not in OCCUPYING


def test_whatever_may_be_claimed_may_run():
    assert set(CLAIMABLE) <= set(sources("deployment", D.RUNNING))


@pytest.mark.parametrize("outcome", Outcome)
def test_only_success_and_a_skip_let_a_step_go_on(outcome):
    assert outcome.is_good == (outcome in (Outcome.SUCCEEDED, Outcome.SKIPPED))


@pytest.mark.parametrize(
    ("machine", "target", "expected"),
    [
        ("deployment", D.QUEUED, [D.PLANNED]),
        ("deployment", D.ROLLED_BACK, [D.SUCCEEDED, D.FAILED, D.UNKNOWN]),
        ("deployment", D.PLANNED, [D.QUEUED]),
        ("release", "bad", ["open"]),
        ("runbookrevision", "draft", []),
    ],
)
def test_the_statuses_that_may_become_another(machine, target, expected):
    assert sources(machine, target) == expected
