"""From a small Markdown text and a few facts to a plan."""

import textwrap
from dataclasses import replace

import pytest

from releases.plan.facts import Facts
from releases.plan.make import make_plan, rollback_class
from releases.plan.model import Plan, PlannedStep, from_json, plan_hash, to_json
from releases.plan.ways import make_way_back
from releases.runbooks.document import Document
from releases.runbooks.reader import read
from releases.runbooks.review import reviewed
from releases.statuses import RollbackClass

WAY_BACK = """
    ## Rollback procedure

    ### Code rollback (5 minutes)

    ```bash
    git checkout "$PREVIOUS_VERSION"
    ```

    ### Database restore (20 minutes)

    ```bash
    pg_restore --dbname=shop "$BACKUP_FILE"
    ```
"""


def make_facts(**overrides) -> Facts:
    given = {
        "service": "shop",
        "environment": "shop/production",
        "version": "v2",
        "commit": "2" * 40,
        "previous_version": "v1",
        "previous_commit": "1" * 40,
        "revision": "r" * 64,
        "databases": ("default",),
        "metrics": {"error_rate": "percent"},
    }
    return Facts(**given | overrides)


def plan_of(text: str, **facts) -> Plan:
    return make_plan(raised(read(textwrap.dedent(text)), "auto"), make_facts(**facts))


def raised(document: Document, level: str) -> Document:
    """The document with everything that runs automated as far as `level`."""
    return reviewed(document, {("level", step.key): level for step in document.steps})


def step_named(plan: Plan, title: str) -> PlannedStep:
    return next(step for step in plan.steps if title in step.title)


def kinds(plan: Plan) -> list[str]:
    return [action.kind for action in plan.actions]


FULL = f"""
    # Shop

    ## Pre-deployment checklist

    - [ ] Code is reviewed
    - [x] Disk has room

    ## Deployment steps

    ### 1. Maintenance on (T-10 minutes)

    ```bash
    python manage.py maintenance_mode on
    ```

    ### 2. Code (T-8 minutes)

    ```bash
    git fetch --tags
    git checkout v2
    ```

    ### 3. Migrate (T-5 minutes)

    ```bash
    python manage.py migrate --no-input
    ```

    - [ ] Tables exist <!-- by: step -->

    ### 4. Maintenance off (T-0)

    ```bash
    python manage.py maintenance_mode off
    ```

    ### 5. Smoke (T+15 minutes)

    ```bash
    bin/smoke
    ```

    ### 6. Look again (T+2 hours)

    ```bash
    bin/smoke
    ```

    ## Success criteria

    - [ ] Orders go through

    ## Rollback triggers

    - Error rate > 5% for more than 15 minutes
{WAY_BACK}"""


def test_a_plan_begins_with_gantrys_own_pre_flight():
    first = plan_of(FULL).steps[0]
    assert [action.kind for action in first.actions] == ["preflight"]
    assert not first.actions[0].changes


@pytest.mark.parametrize(
    ("title", "phase", "offset"),
    [
        ("Pre-deployment", "before", None),
        ("Maintenance on", "before", -10),
        ("Migrate", "before", -5),
        ("Maintenance off", "before", 0),
        ("Smoke", "attended", 15),
        ("Look again", "watch", 120),
        ("Success criteria", "end", None),
    ],
)
def test_a_step_has_the_phase_of_its_time(title, phase, offset):
    step = step_named(plan_of(FULL), title)
    assert (step.phase, step.offset_minutes) == (phase, offset)


def test_users_meet_the_new_version_where_the_last_fence_ends():
    text = FULL.replace("### 5. Smoke (T+15 minutes)", "### 5. Off again (T+0)").replace(
        "bin/smoke", "python manage.py maintenance_mode off", 1
    )
    assert step_named(plan_of(text), "Off again").phase == "before"


def test_without_a_fence_users_meet_it_after_the_last_step_up_to_t_0():
    plan = plan_of("""
        # Shop
        ## Deployment steps
        ### 1. Restart (T-1 minute)
        ```bash
        bin/shop restart
        ```
        ### 2. Look (T+5 minutes)
        ```bash
        bin/smoke
        ```
        """)
    assert [step.phase for step in plan.steps] == ["before", "before", "attended"]


def test_a_later_step_without_a_time_keeps_the_time_of_the_one_before():
    text = FULL.replace("### 6. Look again (T+2 hours)", "### 6. Look again")
    assert step_named(plan_of(text), "Look again").offset_minutes == 15


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"commit": "1" * 40}, RollbackClass.FLAGS),
        ({}, RollbackClass.CODE),
        ({"schema_changes": ("orders/migrations/0002.py",)}, RollbackClass.RESTORE),
        ({"schema_changes": ("orders/migrations/0002.py",), "databases": ()}, RollbackClass.FORWARD_ONLY),
        ({"commit": "1" * 40, "schema_changes": ("x",)}, RollbackClass.FLAGS),
    ],
)
def test_what_going_back_takes_follows_from_the_facts(facts, expected):
    assert rollback_class(make_facts(**facts)) == expected


def test_a_schema_change_gets_a_copy_under_the_fence_right_before_the_first_migration():
    plan = plan_of(FULL, schema_changes=("orders/migrations/0002.py",))
    found = kinds(plan)
    assert found[found.index("migrate") - 1] == "backup"
    assert found.index("backup") > found.index("maintenance")
    assert "changes the schema: orders/migrations/0002.py" in plan.notes


def test_without_a_migration_step_the_copy_comes_right_after_the_code():
    text = FULL.replace("python manage.py migrate --no-input", "bin/update-schema")
    found = kinds(plan_of(text, schema_changes=("x",)))
    assert found[found.index("code") + 1] == "backup"


def test_code_alone_gets_no_copy_of_its_own():
    assert "backup" not in kinds(plan_of(FULL))


def test_commands_of_the_preparation_are_not_run():
    text = FULL.replace("- [x] Disk has room", "- [x] Disk has room\n\n    ```bash\n    df -h\n    ```")
    assert kinds(plan_of(text)) == kinds(plan_of(FULL))


def test_a_box_bound_to_a_step_without_commands_waits_for_a_person():
    text = FULL.replace("python manage.py migrate --no-input", "").replace("```bash\n    \n    ```\n", "")
    assert [item.by for item in step_named(plan_of(text), "Migrate").items] == ["person"]
    assert [item.by for item in step_named(plan_of(FULL), "Migrate").items] == ["step"]


def test_a_box_ticked_in_the_file_is_a_claim():
    claims = {item.text: item.claimed for item in plan_of(FULL).items}
    assert claims["Disk has room"] is True
    assert claims["Code is reviewed"] is False


@pytest.mark.parametrize(
    ("facts", "covered"),
    [
        ({"commit": "1" * 40}, "CODE"),
        ({}, "CODE"),
        ({"schema_changes": ("x",)}, "RESTORE"),
    ],
)
def test_the_way_back_is_the_smallest_method_that_covers(facts, covered):
    plan = plan_of(FULL, **facts)
    back = make_way_back(plan, covers=plan.rollback_class)
    assert back is not None
    assert plan.problems == ()
    assert [method.steps for method in plan.methods if method.covers == covered] == [back.steps]
    assert (back.direction, back.target_version, back.target_commit) == ("back", "v1", "1" * 40)


def test_forward_only_has_no_way_back():
    plan = plan_of(FULL, schema_changes=("x",), databases=())
    assert make_way_back(plan, covers=plan.rollback_class) is None


def test_a_runbook_that_cannot_take_it_back_is_a_problem():
    text = FULL.replace("### Database restore", "### Tell the team").replace(
        "pg_restore --dbname=shop", "echo"
    )
    (problem,) = plan_of(text, schema_changes=("x",)).problems
    assert "the way back takes RESTORE" in problem


@pytest.mark.parametrize(
    "stage",
    [
        "## Deployment steps\n\nBring the new code.\n",
        "## Preparation\n\n### 1. Code\n\n```bash\ngit checkout v2\n```\n",
    ],
)
def test_a_runbook_whose_deployment_steps_run_nothing_is_a_problem(stage):
    (problem,) = plan_of(f"# Shop\n\n{stage}\n{textwrap.dedent(WAY_BACK)}").problems
    assert problem.startswith("no deployment step of the runbook runs anything")


def test_a_deployment_step_told_in_words_alone_is_a_persons():
    plan = plan_of(f"# Shop\n\n## Deployment steps\n\n### 1. Code\n\nBring it.\n{textwrap.dedent(WAY_BACK)}")
    (box,) = step_named(plan, "1. Code").items
    assert (box.text, box.by, box.required, box.is_by_hand) == ("Done by hand: 1. Code", "person", True, True)
    assert plan.problems == ()


def test_a_way_back_of_boxes_alone_waits_for_them():
    text = textwrap.dedent(FULL).split("## Rollback procedure")[0]
    text += "## Rollback procedure\n\n### Code rollback\n\n- [ ] Press the button in the panel\n"
    back = make_way_back(plan_of(text), covers="CODE")
    assert [(box.text, box.required) for box in back.steps[0].items] == [
        ("Press the button in the panel", True)
    ]


def test_a_method_without_commands_covers_nothing():
    text = textwrap.dedent(FULL).split("## Rollback procedure")[0]
    text += "## Rollback procedure\n\n### Code rollback\n\nAsk somebody.\n"
    (problem,) = plan_of(text).problems
    assert "the way back takes CODE" in problem


def test_errors_of_the_runbook_are_problems_of_the_plan():
    text = FULL.replace("bin/smoke", "bin/smoke --key <YOUR_KEY>")
    assert any("<YOUR_KEY>" in problem for problem in plan_of(text).problems)


def test_a_trigger_that_nobody_measures_is_told():
    plan = plan_of(FULL, metrics={})
    assert [limit.metric for limit in plan.limits if limit.role == "rollback_trigger"] == [""]
    assert any("a person watches" in note for note in plan.notes)


# --- the hash ------------------------------------------------------------------------------------------


def test_the_same_plan_has_the_same_hash():
    assert plan_hash(plan_of(FULL)) == plan_hash(plan_of(FULL))


@pytest.mark.parametrize(
    "facts",
    [
        {"commit": "3" * 40},
        {"previous_commit": "3" * 40},
        {"variables": {"COLOUR": "abc"}},
        {"time_scale": 240},
        {"schema_changes": ("x",)},
        {"metrics": {}},
        {"revision": "s" * 64},
    ],
)
def test_the_hash_changes_with_what_matters(facts):
    assert plan_hash(plan_of(FULL, **facts)) != plan_hash(plan_of(FULL))


@pytest.mark.parametrize(
    ("old", "new"), [("bin/smoke", "bin/smoke --all"), ("> 5%", "> 6%"), ("Code is", "All is")]
)
def test_the_hash_changes_with_a_command_a_limit_and_a_box(old, new):
    assert plan_hash(plan_of(FULL.replace(old, new))) != plan_hash(plan_of(FULL))


@pytest.mark.parametrize("facts", [{}, {"schema_changes": ("x",), "variables": {"A": "1"}}])
def test_a_plan_comes_back_from_json_as_it_was(facts):
    plan = plan_of(FULL, **facts)
    assert from_json(to_json(plan)) == plan
    assert from_json(to_json(replace(plan, direction="back"))).direction == "back"


def test_no_action_shares_its_key_with_another():
    keys = [action.key for action in plan_of(FULL, schema_changes=("x",)).actions]
    assert len(keys) == len(set(keys))


def test_of_a_trigger_with_two_limits_none_is_judged_and_a_person_pulls_it():
    plan = plan_of(
        """
        # Shop

        ## Deployment steps

        ### 1. Code

        ```bash
        git checkout "$RELEASE_VERSION"
        ```

        ## Rollback triggers

        - Error rate > 5% (but not when error rate < 10% during deploys)
        """
    )
    assert [limit for limit in plan.limits if limit.role == "rollback_trigger"] == []
    assert [trigger.text for trigger in plan.triggers] == [
        "Error rate > 5% (but not when error rate < 10% during deploys)"
    ]


@pytest.mark.parametrize("language", ["powershell", "cmd", "bat", "mongo", "redis", "plsql", "python"])
def test_a_program_that_gantry_does_not_run_is_done_by_hand(language):
    plan = plan_of(
        f"""
        # Shop

        ## Deployment steps

        ### 1. Code

        ```{language}
        Restart-Service shop
        ```

        ```yaml
        replicas: 2
        ```
        """
    )
    assert [item.text for item in step_named(plan, "Code").items] == ["Done by hand: Restart-Service shop"]
