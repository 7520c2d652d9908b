"""What comes next: a table of cases, and a run of each plan to its end."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.plan.journal import (
    AwaitPeople,
    AwaitTime,
    Broken,
    Finished,
    GoLive,
    Journal,
    Perform,
    Tick,
    is_attended,
    next_move,
)
from releases.plan.model import Plan, PlannedAction, PlannedItem, PlannedStep
from releases.statuses import Outcome


def make_step(
    key: str, *, actions: str = "", items: str = "", phase: str = "before", offset: float | None = None
):
    """`actions` are keys; `items` are `key:by` pairs, a `?` at the end makes one optional."""
    boxes = [each.partition(":") for each in items.split()]
    return PlannedStep(
        key=key,
        title=key,
        phase=phase,
        offset_minutes=offset,
        actions=tuple(PlannedAction(key=each, kind="shell", title=each) for each in actions.split()),
        items=tuple(
            PlannedItem(key=name, text=name, by=by.rstrip("?"), required=not by.endswith("?"))
            for name, _, by in boxes
        ),
    )


def make_plan(*steps: PlannedStep, direction: str = "forward") -> Plan:
    return Plan(
        service="shop",
        environment="shop/production",
        direction=direction,
        version="v2",
        commit="2" * 40,
        previous_version="v1",
        previous_commit="1" * 40,
        revision="r",
        rollback_class="CODE",
        time_scale=1,
        steps=steps,
    )


PLAN = make_plan(
    make_step("one", actions="a b", items="s:step p:person o:person?"),
    make_step("two", items="c:confirm"),
    make_step("smoke", actions="d", items="q:person", phase="attended", offset=15),
    make_step("later", actions="e", items="t:threshold", phase="watch", offset=120),
    make_step("criteria", items="x:person", phase="end"),
)
BACK = make_plan(make_step("back", actions="z", items="m:person?"), direction="back")
OPEN = dict.fromkeys("spoctqx", "open")
ALL_BEFORE = OPEN | {"s": "ticked", "p": "ticked", "c": "ticked"}
OK = {"a": "succeeded", "b": "succeeded"}
FAR = 10_000.0


def named(move: Any) -> str:
    """A move in one word or two, for the table."""
    match move:
        case Perform(actions=actions):
            return f"perform {' '.join(action.key for action in actions)}"
        case Broken(action=action, outcome=outcome):
            return f"broken {action.key} {outcome}"
        case Tick(items=items) | AwaitPeople(items=items):
            return f"{type(move).__name__.lower()} {''.join(item.key for item in items)}"
        case AwaitTime(offset_minutes=minutes):
            return f"until {minutes:g}"
    return type(move).__name__.lower()


CASES = [
    ("nothing happened", {}, OPEN, None, "perform a"),
    ("the first is done", {"a": "succeeded"}, OPEN, None, "perform b"),
    ("the first was skipped", {"a": "skipped"}, OPEN, None, "perform b"),
    ("the first was interrupted", {"a": "aborted"}, OPEN, None, "perform a"),
    ("the first failed", {"a": "failed"}, OPEN, None, "broken a failed"),
    ("the first took too long", {"a": "timed_out"}, OPEN, None, "broken a timed_out"),
    ("nobody knows", {"a": "succeeded", "b": "unknown"}, OPEN, None, "broken b unknown"),
    ("we broke", {"a": "error"}, OPEN, None, "broken a error"),
    ("all ran, the step's box is open", OK, OPEN, None, "tick s"),
    ("a person's box is open", OK, OPEN | {"s": "ticked"}, None, "awaitpeople p"),
    ("the step's box failed", OK, OPEN | {"s": "failed"}, None, "awaitpeople sp"),
    ("the box was waived", OK, OPEN | {"s": "ticked", "p": "waived"}, None, "awaitpeople c"),
    ("all before is done", OK, ALL_BEFORE, None, "golive"),
    ("just live", OK, ALL_BEFORE, 0.0, "until 15"),
    ("a little later", OK, ALL_BEFORE, 14.9, "until 15"),
    ("its time has come", OK, ALL_BEFORE, 15.0, "perform d"),
    ("smoke failed", OK | {"d": "failed"}, ALL_BEFORE, 16.0, "broken d failed"),
    ("a person's box does not stop a watch", OK | {"d": "succeeded"}, ALL_BEFORE, 16.0, "until 120"),
    ("the watch's time has come", OK | {"d": "succeeded"}, ALL_BEFORE, 121.0, "perform e"),
    ("a threshold is judged", OK | {"d": "succeeded", "e": "succeeded"}, ALL_BEFORE, FAR, "tick t"),
    (
        "what people left open is asked at the end",
        OK | {"d": "succeeded", "e": "succeeded"},
        ALL_BEFORE | {"t": "ticked"},
        FAR,
        "awaitpeople q",
    ),
    (
        "a failed threshold is asked at the end",
        OK | {"d": "succeeded", "e": "succeeded"},
        ALL_BEFORE | {"t": "failed", "q": "ticked", "x": "ticked"},
        FAR,
        "awaitpeople t",
    ),
    (
        "all is done",
        OK | {"d": "succeeded", "e": "succeeded"},
        ALL_BEFORE | dict.fromkeys("tqx", "ticked"),
        FAR,
        "finished",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("outcomes", "items", "live", "expected"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_what_comes_next(outcomes, items, live, expected):
    journal = Journal(outcomes=outcomes, items=items, minutes_live=live)
    assert named(next_move(PLAN, journal)) == expected


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [({}, "perform z"), ({"z": "failed"}, "broken z failed"), ({"z": "succeeded"}, "finished")],
)
def test_a_way_back_never_goes_live_and_asks_no_optional_box(outcomes, expected):
    assert named(next_move(BACK, Journal(outcomes=outcomes, items={"m": "open"}))) == expected


def test_a_plan_without_later_steps_goes_live_and_ends():
    plan = make_plan(make_step("only", actions="a"))
    assert named(next_move(plan, Journal(outcomes={"a": "succeeded"}, items={}))) == "golive"
    assert (
        named(next_move(plan, Journal(outcomes={"a": "succeeded"}, items={}, minutes_live=0.0))) == "finished"
    )


@pytest.mark.parametrize(
    ("phase", "attended"), [("before", True), ("attended", True), ("watch", False), ("end", False)]
)
def test_somebody_sits_beside_the_run_until_the_attended_window_ends(phase, attended):
    step = make_step("one", actions="a", phase=phase)
    assert is_attended(Perform(step=step, actions=step.actions)) is attended


@given(interruptions=st.lists(st.sampled_from(["aborted", "succeeded"]), max_size=30))
def test_a_run_that_is_interrupted_anywhere_still_does_everything_once(interruptions):
    outcomes: dict[str, str] = {}
    items, live, succeeded, left = dict(OPEN), None, [], list(interruptions)
    while not isinstance(
        move := next_move(PLAN, Journal(outcomes=outcomes, items=items, minutes_live=live)), Finished
    ):
        match move:
            case Perform(actions=(action,)):
                outcome = left.pop() if left else "succeeded"
                outcomes[action.key] = outcome
                succeeded += [action.key] if outcome == Outcome.SUCCEEDED else []
            case Tick(items=boxes) | AwaitPeople(items=boxes):
                items |= {box.key: "ticked" for box in boxes}
            case GoLive():
                live = 0.0
            case AwaitTime(offset_minutes=minutes):
                live = minutes
    assert succeeded == list("abde")
