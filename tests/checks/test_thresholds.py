"""Limits over time: the cases of Prometheus's alerting rules, and the sentences that people read."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from checks.thresholds import Limit, Sample, State, history, judge
from checks.verdicts import Verdict

START = datetime(2026, 3, 1, 18, 2, 11, tzinfo=UTC)
TWO_MINUTES = timedelta(minutes=2)


def make_limit(**overrides) -> Limit:
    return Limit(
        **{"metric": "error_rate", "op": ">", "value": Decimal(5), "unit": "percent", "for_": TWO_MINUTES}
        | overrides
    )


def make_samples(*values, every: float = 10) -> list[Sample]:
    return [
        Sample(at=START + timedelta(seconds=index * every), value=Decimal(str(value)))
        for index, value in enumerate(values)
        if value is not None
    ]


def judged(samples, *, limit=None, after: float | None = None, unit="percent", max_age=60):
    now = START + timedelta(seconds=after) if after is not None else samples[-1].at
    return judge(limit or make_limit(), samples, now=now, unit=unit, max_age=timedelta(seconds=max_age))


# one value every 10 s, newest last; `None` is a sample that is missing
SUSTAINED = [
    ("breached for the whole window", [20] * 13, "failed", "firing"),
    ("breached for longer", [0] + [20] * 20, "failed", "firing"),
    ("breached ten seconds less", [20] * 12, "inconclusive", "pending"),
    ("just begun", [0] * 13 + [20], "inconclusive", "pending"),
    ("one false sample starts anew", [20] * 12 + [5] + [20], "inconclusive", "pending"),
    ("equal to the limit is not above it", [5] * 13, "passed", "inactive"),
    ("fine", [1] * 13, "passed", "inactive"),
    ("over, but fine now", [20] * 13 + [1], "passed", "inactive"),
    ("two samples that cover the window", [20] + [None] * 11 + [20], "failed", "firing"),
    ("a gap that is too long", [20] + [None] * 12 + [20], "inconclusive", "inactive"),
    ("a gap that is too long, fine on both sides", [0] + [None] * 12 + [0], "inconclusive", "inactive"),
    ("one sample", [20], "inconclusive", "pending"),
    ("one sample that is fine", [1], "inconclusive", "inactive"),
    ("not a number", [20] * 12 + ["NaN"], "error", "inactive"),
    ("infinite", [20] * 12 + ["Infinity"], "error", "inactive"),
    ("not a number within the window", [20] * 6 + ["NaN"] + [20] * 6, "error", "inactive"),
    ("not a number before the window", ["NaN"] + [20] * 13, "failed", "firing"),
]


@pytest.mark.parametrize(
    ("values", "verdict", "state"), [case[1:] for case in SUSTAINED], ids=[c[0] for c in SUSTAINED]
)
def test_a_sustained_limit(values, verdict, state):
    judgement = judged(make_samples(*values), max_age=600)
    assert (judgement.verdict, judgement.state) == (verdict, state)


def test_without_a_sustained_for_the_newest_sample_decides():
    at_once = make_limit(for_=timedelta(0))
    assert judged(make_samples(0, 0, 20), limit=at_once).state is State.FIRING
    assert judged(make_samples(20, 20, 0), limit=at_once).verdict is Verdict.PASSED
    assert judged(make_samples(20), limit=at_once).verdict is Verdict.FAILED


def test_no_data_and_old_data_are_inconclusive():
    at_once = make_limit(for_=timedelta(0))
    assert judged([], limit=at_once, after=0).message == "error_rate: no data"
    old = judged(make_samples(1), limit=at_once, after=61)
    assert old.verdict is Verdict.INCONCLUSIVE
    assert old.message == "error_rate: no data for 1 min 1 s, the last is of 18:02:11"


def test_samples_under_maintenance_do_not_count():
    under = [
        Sample(at=sample.at, value=sample.value, in_maintenance=True) for sample in make_samples(*[20] * 13)
    ]
    assert judged(under).message == "error_rate: no data"


def test_order_duplicates_and_a_clock_set_back_change_nothing():
    samples = make_samples(*[20] * 13)
    mixed = [*reversed(samples), *samples, Sample(at=START + timedelta(days=1), value=Decimal(0))]
    assert judged(mixed, after=120) == judged(samples, after=120)


def test_a_source_that_fell_silent_cannot_keep_firing():
    samples = make_samples(*[20] * 13)
    assert judged(samples, after=241, max_age=600).verdict is Verdict.INCONCLUSIVE


def test_units_are_converted_and_other_measures_refused():
    ratio = judged(make_samples(*[0.2] * 13), unit="ratio")
    assert (ratio.state, ratio.value) == (State.FIRING, Decimal(20))
    refused = judged(make_samples(20), unit="ms")
    assert refused.verdict is Verdict.ERROR
    assert "'ms' (time) cannot be converted to 'percent' (share)" in refused.message


@pytest.mark.parametrize(
    ("op", "value", "state"),
    [("<", 4, "firing"), ("≤", 5, "firing"), ("≥", 5, "firing"), ("==", 5, "firing"), ("!=", 5, "inactive")],
)
def test_every_operator(op, value, state):
    assert judged(make_samples(value), limit=make_limit(op=op, for_=timedelta(0))).state == state


def test_the_message_is_a_sentence_with_the_numbers():
    assert (
        judged(make_samples(*[20] * 13)).message
        == "error_rate 20 % > 5 % for 2 min (13 samples since 18:02:11)"
    )
    assert judged(make_samples(20, 20)).message == (
        "error_rate 20 % > 5 % for 10 s of 2 min (2 samples since 18:02:11)"
    )
    assert judged(make_samples(2, 2)).message == "error_rate 2 % ≤ 5 %"
    assert judged(make_samples(20), limit=make_limit(for_=timedelta(0))).message == (
        "error_rate 20 % > 5 % (1 sample since 18:02:11)"
    )


def test_since_is_the_first_breaching_sample():
    assert judged(make_samples(0, 20, 20)).since == START + timedelta(seconds=10)


def test_history_reaches_back_far_enough_to_fire_at_the_longest_gap():
    limit, max_age = make_limit(), timedelta(seconds=60)
    samples = make_samples(20, 20, 20, every=119)
    earliest = samples[-1].at - history(limit, max_age=max_age)
    assert judged([sample for sample in samples if sample.at >= earliest]).state is State.FIRING
