"""What a step's level, a decision or a gap makes of its commands in the plan."""

import textwrap
from dataclasses import replace

import pytest

from releases.plan.make import make_plan
from releases.plan.model import Plan
from releases.plan.ways import make_way_back
from releases.runbooks.document import Choice, Document, Hole, Option
from releases.runbooks.reader import read
from releases.runbooks.review import reviewed, run_subject, subjects
from tests.releases.plan.test_make import make_facts, raised, step_named

TEXT = """
    # Shop

    ## Deployment steps

    ### 1. Code

    - [ ] Tag it: `git tag live`

    ```bash
    git checkout "$RELEASE_VERSION"
    ```

    - [ ] The code is there <!-- by: step -->

    ### 2. Look

    ```sql
    SELECT 1;
    ```

    ## Rollback procedure

    ### Code rollback

    ```bash
    git checkout "$PREVIOUS_VERSION"
    ```

    - [ ] Users can order
"""


@pytest.fixture
def document() -> Document:
    return read(textwrap.dedent(TEXT))


def plan_at(document: Document, level: str, **facts) -> Plan:
    return make_plan(raised(document, level), make_facts(**facts))


def boxes(plan: Plan, title: str) -> list[tuple[str, str]]:
    return [(item.text, item.by) for item in step_named(plan, title).items]


def test_by_hand_each_command_is_a_box_with_the_command(document: Document):
    plan = plan_at(document, "guide")
    assert step_named(plan, "Code").actions == ()
    assert boxes(plan, "1. Code") == [
        ("Tag it: `git tag live`", "person"),
        ('Done by hand: git checkout "$RELEASE_VERSION"', "person"),
        ("The code is there", "person"),
    ]
    assert step_named(plan, "1. Code").items[1].command == 'git checkout "$RELEASE_VERSION"\n'


def test_to_confirm_each_command_waits_for_its_box_and_looks_wait_for_nothing(document: Document):
    plan = plan_at(document, "confirm")
    (action,) = step_named(plan, "1. Code").actions
    asked = [item for item in step_named(plan, "1. Code").items if item.before]
    assert [(item.before, item.by) for item in asked] == [(action.key, "confirm")]
    assert boxes(plan, "2. Look") == []


def test_automatic_steps_ask_nobody(document: Document):
    plan = plan_at(document, "auto")
    assert [item.by for item in plan.items if item.before] == []
    assert len(plan.actions) == 3


def test_a_step_that_does_not_apply_is_not_planned_and_noted(document: Document):
    look = next(step for step in document.steps if "Look" in step.heading)
    decided = reviewed(document, {("level", look.key): "skip"})
    plan = make_plan(decided, make_facts())
    assert not any("Look" in step.title for step in plan.steps)
    assert any("'2. Look' does not apply" in note for note in plan.notes)


def test_a_command_in_a_box_runs_when_a_reviewer_turned_it_on(document: Document):
    box = next(item for item in document.items if "Tag it" in item.text)
    items = tuple(replace(item, command="git tag live") if item is box else item for item in document.items)
    code = next(step for step in document.steps if "Code" in step.heading)
    decisions = {
        ("run", run_subject(replace(box, command="git tag live"))): "yes",
        ("level", code.key): "auto",
    }
    plan = make_plan(reviewed(replace(document, items=items), decisions), make_facts())
    tag, checkout = step_named(plan, "1. Code").actions
    assert (tag.text, checkout.kind) == ("git tag live", "code")
    first = step_named(plan, "1. Code").items[0]
    assert (first.by, first.by_name) == ("step", tag.key)


def test_on_the_way_back_boxes_to_look_at_stop_nobody(document: Document):
    plan = plan_at(document, "confirm")
    way = make_way_back(plan, covers="CODE")
    assert [(item.text, item.required) for item in way.items] == [
        ('Run: git checkout "$PREVIOUS_VERSION"', True),
        ("Users can order", False),
    ]
    assert "the way back waits for a person: steps of it are not raised to auto" in plan.notes


def with_block(document: Document, **changes) -> Document:
    first, *others = document.blocks
    return replace(document, blocks=(replace(first, **changes), *others))


def test_a_placeholder_that_nothing_fills_holds_the_plan_and_is_filled_by_a_variable(document: Document):
    hole = Hole(words="<tag>", line=11, variable="TAG")
    holding = with_block(document, holes=(hole,), script="git checkout <tag>\n")
    message = "line 11: '<tag>' is filled by the variable TAG, which shop/production does not have"
    assert plan_at(holding, "auto").problems == (message,)
    filled = plan_at(holding, "auto", variables={"TAG": "digest"})
    assert filled.problems == ()
    assert step_named(filled, "1. Code").actions[0].text == 'git checkout "${TAG}"\n'
    assert plan_at(holding, "guide").problems == (), "a person reads it"


def test_another_variable_may_be_chosen_for_a_placeholder(document: Document):
    holding = with_block(document, holes=(Hole(words="<tag>", line=11, variable="TAG"),))
    decided = reviewed(holding, {("fill", "<tag>"): "RELEASE_VERSION"})
    assert plan_at(decided, "auto").problems == ()


def test_a_host_that_the_environment_does_not_declare_holds_the_plan(document: Document):
    holding = with_block(document, host="deploy@shop-1")
    assert (
        "runs on deploy@shop-1, and shop/production declares no such host"
        in plan_at(holding, "auto").problems[0]
    )
    plan = plan_at(holding, "auto", hosts=("deploy@shop-1",))
    assert (plan.problems, step_named(plan, "1. Code").actions[0].options["host"]) == ((), "deploy@shop-1")


def choice_of(document: Document, **overrides) -> Choice:
    block = document.blocks[0]
    given = {
        "key": "ways",
        "title": "Code",
        "line": block.line,
        "role": "deployment_steps",
        "options": (
            Option(key="git", label="by git", line=block.line + 1, end=block.line + 1),
            Option(key="panel", label="in the provider's panel", line=block.line + 2, end=block.line + 2),
        ),
    }
    return Choice(**given | overrides)


def test_of_several_ways_one_is_picked_before_anything_is_planned(document: Document):
    open_choice = replace(document, choices=(choice_of(document),))
    assert any(
        "nobody decided yet: Code: by git | in the provider's panel" in p
        for p in plan_at(open_choice, "auto").problems
    )


def test_a_way_without_a_command_is_done_by_a_person(document: Document):
    offered = replace(document, choices=(choice_of(document),))
    code = next(step for step in document.steps if "Code" in step.heading)
    decided = reviewed(offered, {("pick", "ways"): "panel", ("level", code.key): "auto"})
    plan = make_plan(decided, make_facts())
    assert ("Done by hand: in the provider's panel", "person") in boxes(plan, "1. Code")
    assert step_named(plan, "1. Code").actions == ()


def test_a_protected_environment_is_held_while_nobody_is_named_to_call():
    text = textwrap.dedent(TEXT) + "\n## Emergency contacts\n\n- On-Call: ____________\n"
    held = plan_at(read(text), "auto", is_protected=True).problems
    assert len(held) == 1
    assert "On-Call" in held[0]
    assert plan_at(read(text), "auto").problems == ()


def test_a_command_in_a_box_before_the_deployment_runs_before_it_with_one_key():
    text = textwrap.dedent(TEXT).replace(
        "## Deployment steps",
        "## Before the release\n\n- [ ] Save it: `cp app.env app.env.old`\n\n## Deployment steps",
        1,
    )
    document = read(text)
    box = next(item for item in document.items if "Save it" in item.text)
    plan = make_plan(reviewed(document, {("run", run_subject(box)): "yes"}), make_facts())
    step = step_named(plan, "Before the release")
    assert ([action.text for action in step.actions], step.phase) == (["cp app.env app.env.old"], "before")
    assert [(item.text, item.by, item.scope) for item in step.items] == [
        ("Run: cp app.env app.env.old", "confirm", "deployment"),
        ("Save it: `cp app.env app.env.old`", "step", "deployment"),
    ]


def test_what_comes_after_go_live_comes_in_the_order_of_its_times():
    text = """
    # Shop

    ## Deployment steps

    ### Go live (T-0)

    ```bash
    git checkout v2
    ```

    ### Half of the users (T+2 days)

    ```bash
    bin/share 50
    ```

    ## Monitoring

    ### First look (T+15 minutes)

    ```bash
    bin/look
    ```
    """
    plan = plan_at(read(textwrap.dedent(text)), "auto")
    after = [(step.title, step.offset_minutes) for step in plan.steps if step.phase in ("attended", "watch")]
    assert after == [("First look (T+15 minutes)", 15.0), ("Half of the users (T+2 days)", 2880.0)]


def test_a_trigger_with_a_number_that_nothing_here_measures_is_pulled_by_a_person():
    text = (
        textwrap.dedent(TEXT) + "\n## Rollback triggers\n\n- Error rate > 5%\n- Memory grows > 500 MB/hour\n"
    )
    plan = plan_at(read(text), "auto")
    assert [trigger.text for trigger in plan.triggers] == ["Memory grows > 500 MB/hour"]


def test_sql_that_changes_something_is_a_persons_even_when_it_was_accepted(document: Document):
    text = textwrap.dedent(TEXT).replace("SELECT 1;", "INSERT INTO buckets VALUES (1);")
    plan = plan_at(read(text), "auto")
    (box,) = step_named(plan, "2. Look").items
    assert (box.text, box.is_by_hand, step_named(plan, "2. Look").actions) == (
        "Done by hand: INSERT INTO buckets VALUES (1);", True, ()
    )  # fmt: skip


def test_a_command_in_a_box_leaves_the_fences_of_a_guided_step_to_a_person(document: Document):
    box = next(item for item in document.items if "Tag it" in item.text)
    items = tuple(replace(item, command="git tag live") if item is box else item for item in document.items)
    plan = make_plan(reviewed(replace(document, items=items), {
        ("run", run_subject(replace(box, command="git tag live"))): "yes",
        ("level", next(s.key for s in document.steps if "Code" in s.heading)): "guide",
    }), make_facts())  # fmt: skip
    assert [action.text for action in step_named(plan, "1. Code").actions] == ["git tag live"]
    assert any(item.is_by_hand for item in step_named(plan, "1. Code").items)


def test_what_a_person_does_between_two_commands_holds_the_later_one():
    text = textwrap.dedent(TEXT).replace(
        "SELECT 1;\n```", "INSERT INTO buckets VALUES (1);\n```\n\n```sql\nSELECT count(*) FROM buckets;\n```"
    )
    plan = plan_at(read(text), "auto")
    step = step_named(plan, "2. Look")
    assert [(item.is_by_hand, item.before) for item in step.items] == [(True, step.actions[0].key)]


def test_agreeing_to_a_danger_is_never_done_in_bulk():
    text = textwrap.dedent(TEXT).replace("SELECT 1;", "SELECT pg_terminate_backend(1);")
    document = read(text)
    decided = {("level", step.key): "confirm" for step in document.steps}
    decided |= {subject: "yes" for subject in subjects(document) if subject[0] == "accept"}
    plan = make_plan(reviewed(document, decided), make_facts())
    assert [(item.text, item.by) for item in step_named(plan, "2. Look").items] == [
        ("Run: SELECT pg_terminate_backend(1);", "person")
    ]
