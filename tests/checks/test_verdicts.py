"""Which verdict counts."""

from itertools import permutations

from checks.verdicts import Verdict, worst


def test_a_known_no_outranks_what_could_not_be_found_out():
    for order in permutations(Verdict):
        assert worst(order) is Verdict.FAILED
    assert worst([Verdict.PASSED, Verdict.ERROR, Verdict.INCONCLUSIVE]) is Verdict.ERROR
    assert worst([Verdict.INCONCLUSIVE, Verdict.PASSED]) is Verdict.INCONCLUSIVE


def test_nothing_seen_is_not_passed():
    assert worst([]) is Verdict.INCONCLUSIVE
