"""An output that is longer than is compared: the end is looked at, and the rest is a person's."""

import tracemalloc

import pytest

from checks.tail import MOST, end_of
from releases.actions import action as handler_of
from releases.actions.base import Context, Observation
from releases.plan.model import PlannedAction

pytestmark = pytest.mark.django_db


def confirm(context: Context, *, expects: str) -> Observation:
    """What the look at an output comes to."""
    return handler_of("shell").confirm(
        PlannedAction(key="key", kind="shell", title="shell", text="", expects=expects), context
    )


@pytest.mark.parametrize("expects", ["no errors", "fine", "7 lines", "contains ok"])
def test_of_a_long_output_nobody_claims_to_have_compared_the_beginning(context, expects):
    context.output.write_text("error: it broke\n" + "fine\n" * (MOST // 5))
    seen = confirm(context, expects=expects)
    assert seen.done and seen.compare
    assert f"only the last 1,048,576 of {context.output.stat().st_size:,} bytes were compared" in seen.compare


def test_an_output_that_is_just_short_enough_is_compared_whole(context):
    context.output.write_text("x" * (MOST - 5) + "\ntrue")
    assert confirm(context, expects="contains true").done
    assert not confirm(context, expects="contains true").compare


def test_a_long_output_is_compared_in_bounded_memory(context):
    with context.output.open("wb") as file:
        file.truncate(500_000_000)
    tracemalloc.start()
    assert confirm(context, expects="done").compare
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * MOST


def test_the_end_of_a_file_begins_in_the_middle_of_a_character_without_harm(tmp_path):
    (tmp_path / "text").write_text("é✓" * 10)
    text, size = end_of(tmp_path / "text", most=4)
    assert (text, size) == ("\ufffd✓", 50)


def test_a_short_file_is_all_end(tmp_path):
    (tmp_path / "text").write_text("all of it")
    assert end_of(tmp_path / "text") == ("all of it", 9)
