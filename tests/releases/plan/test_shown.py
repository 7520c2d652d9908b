"""What a dry run shows: commands as they will run, what is known beside them, and no secret."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from releases.plan.model import PlannedAction, PlannedStep, plan_hash
from releases.plan.shown import Beside, plan_lines, shown_json, span
from releases.plan.ways import make_way_back
from releases.repository import Changes, Commit, Pin
from tests.releases.plan.test_make import FULL, plan_of

TEXT = FULL.replace("git fetch --tags", "echo \"$RELEASE_VERSION\" '$RELEASE_VERSION' $TOKEN $NOBODY")
VALUES = {"RELEASE_VERSION": "v2", "TOKEN": "••••••", "HOME": "/home/gantry", "BACKUP_FILE": "/old"}


def shown(text: str = TEXT, *, plan=None, **beside) -> str:
    plan = plan or plan_of(text)
    return "\n".join(plan_lines(plan, plan_hash(plan), Beside(**{"variables": VALUES} | beside)))


def of(action: PlannedAction, *before: PlannedAction, **beside) -> str:
    """What is shown of one action of a plan that is nothing else."""
    step = PlannedStep(key="s", title="S", phase="before", actions=(*before, action))
    plan = replace(plan_of(FULL), steps=(step,), methods=(), limits=(), triggers=(), notes=())
    found = shown_json(plan, "h", Beside(**{"variables": VALUES} | beside))
    return found["steps"][0]["actions"][-1]["command"]


def shell(text: str, **overrides) -> PlannedAction:
    return PlannedAction(**{"key": text, "kind": "shell", "title": text, "text": text} | overrides)


def test_the_head_names_the_hash_and_both_versions():
    plan = plan_of(FULL)
    first, second = shown(plan=plan).split("\n")[:2]
    assert first == f"Plan {plan_hash(plan)[:12]}: shop v1 → v2 in shop/production"
    assert second == "  commit 1111111111 → 2222222222, rollback class CODE"


def test_a_script_is_shown_as_bash_will_read_it():
    lines = """       T-8  2. Code (T-8 minutes)
            - code
                echo "v2" '$RELEASE_VERSION' •••••• $NOBODY
                git checkout v2
"""
    assert lines in shown()


def test_one_command_stands_on_the_line_of_its_step():
    text = FULL.replace("bin/smoke", "bin/smoke $RELEASE_VERSION")
    assert "- shell: bin/smoke v2\n" in shown(text)
    assert "- shell: Look well\n                bin/smoke v2\n" in shown(
        text.replace("```bash\n    bin/smoke", '```bash {name="Look well"}\n    bin/smoke')
    )


def test_what_an_earlier_command_sets_is_not_known():
    later = shell("echo $RELEASE_VERSION $HOME")
    assert of(later) == "echo v2 /home/gantry"
    assert of(later, shell("export RELEASE_VERSION=other")) == "echo $RELEASE_VERSION /home/gantry"
    assert of(later, shell("source .env")) == later.text
    assert of(shell("echo $BACKUP_FILE"), shell("", key="b", kind="backup")) == "echo $BACKUP_FILE"


def test_another_machine_has_a_home_of_its_own():
    assert of(shell("echo $RELEASE_VERSION $HOME", options={"host": "web1"})) == "echo v2 $HOME"


def test_a_script_that_runs_in_place_of_the_authors_is_the_one_that_is_shown():
    assert of(shell("git checkout main", key="code"), scripts={"code": "git checkout $RELEASE_VERSION"}) == (
        "git checkout v2"
    )


def test_a_query_is_shown_with_its_literals():
    sql = shell("SELECT :'RELEASE_VERSION', :'OTHER', ':x'", kind="sql")
    assert of(sql) == "SELECT 'v2', '$OTHER', ':x'"


def test_a_request_is_shown_whole():
    options = {
        "method": "post",
        "url": "https://x.org/$RELEASE_VERSION",
        "headers": json.dumps([["Authorization", "Bearer $TOKEN"]]),
        "body": "{'v': '$RELEASE_VERSION'}",
    }
    assert of(shell("curl", kind="http", options=options)) == (
        "POST https://x.org/v2\nAuthorization: Bearer ••••••\n{'v': 'v2'}"
    )


def test_what_gantry_does_itself_is_said_and_what_it_stands_in_place_of():
    text = FULL.replace("python manage.py migrate --no-input", 'pg_dump --file="$BACKUP_FILE" shop')
    lines = shown(text)
    assert "- backup: Gantry copies every database of the environment, and reads each copy back" in lines
    assert 'in place of: pg_dump --file="$BACKUP_FILE" shop' in lines


def test_a_long_script_is_cut_for_people_and_whole_for_programs():
    text = "\n".join(f"echo {number}" for number in range(20))
    step = PlannedStep(key="s", title="S", phase="before", actions=(shell(text, key="k"),))
    plan = replace(plan_of(FULL), steps=(step,))
    cut = ["echo 7", "… 8 more lines", "echo 16"]
    assert "\n".join(f"{'':16}{row}" for row in cut) in shown(plan=plan)
    assert shown_json(plan, "h")["steps"][0]["actions"][0]["command"] == text


def test_a_secret_is_nowhere_wherever_it_stands():
    text = FULL.replace("bin/smoke", "bin/smoke --key s3cret-key").replace("Orders go", "s3cret-key goes")
    plan = plan_of(text)
    beside = Beside(hidden=("s3cret-key",), variables={"URL": "x://s3cret-key@y"}, offers=("s3cret-key",))
    for said in ("\n".join(plan_lines(plan, "h", beside)), json.dumps(shown_json(plan, "h", beside))):
        assert "s3cret" not in said


def test_what_is_expected_comes_from_history():
    plan = plan_of(FULL)
    key = next(action.key for action in plan.actions if action.kind == "migrate")
    lines = shown(plan=plan, seconds={key: 81.0}, whole=200.0, runs=4)
    assert "live in 3 min 20 s (4 runs before)" in lines
    assert "- migrate: python manage.py migrate --no-input  (~1 min 21 s)" in lines
    assert "- preflight: Gantry looks at code, service, databases, disk and probes  (only looks, no history)" in lines  # fmt: skip # noqa: E501


def test_hosts_and_groups_and_dangers_are_told():
    actions = tuple(
        shell("bin/x", key=f"x@{name}", group="g", is_dangerous=True, options={"host": name})
        for name in ("a", "b")
    )
    plan = replace(plan_of(FULL), steps=(PlannedStep(key="s", title="S", phase="before", actions=actions),))
    assert "- shell: bin/x  (on a, 2 at a time, DANGEROUS)" in shown(plan=plan)


CHANGES = Changes(
    commits=(Commit(id="abc1234", subject="Fix " + "x" * 200, author="Rita"),),
    more=4,
    gone=(Commit(id="def1234", subject="Old", author="Olga"),),
    migrations=("orders/migrations/0002.py",),
    pins=(
        Pin(name="a", before="==1", after="==2", file="r.txt"),
        Pin(name="b", before="", after="==1", file="r.txt"),
        Pin(name="c", before="==1", after="", file="r.txt"),
    ),
    files=("poetry.lock",),
)


def test_commits_migrations_and_dependencies_between_are_told():
    lines = shown(changes=CHANGES)
    assert "  5 new commits\n    abc1234  Fix …  (Rita)\n    … and 4 more\n" in lines
    assert (
        "  1 commit taken away\n    def1234  Old  (Olga)\n  1 migration\n    orders/migrations/0002.py\n"
        in lines
    )
    assert (
        "  dependencies\n    a ==1 → ==2 (r.txt)\n    + b ==1 (r.txt)\n    - c ==1 (r.txt)\n    poetry.lock differs\n"
    ) in lines


def test_the_clock_of_a_step_is_told_where_there_is_one():
    lines = shown(zero=datetime(2026, 11, 21, 18, 0, tzinfo=UTC))
    assert "  T-0 is Sat 21 Nov 2026 18:00 UTC" in lines
    assert "      T-10  1. Maintenance on (T-10 minutes), 17:50" in lines


@pytest.mark.parametrize(
    ("beside", "line"),
    [
        ({"signed": ("approved by anton",)}, "  signed    approved by anton"),
        ({"offers": ("line 3: x",)}, "  offered   line 3: x"),
        ({"holds": ("shop is held",)}, "  HOLDS     shop is held"),
    ],
)
def test_who_signed_and_what_holds_stands_at_the_end(beside, line):
    assert line in shown(**beside).split("\n")


def test_limits_ways_back_and_boxes_are_told():
    lines = shown()
    assert (
        "  watched   Error rate > 5% for more than 15 minutes (line 56: rollback trigger, read by error_rate)"
        in lines
    )
    assert (
        "  way back  Code rollback (5 minutes) (CODE, promised 5 min)\n            - code: git checkout"
        in lines
    )
    assert "            [ ] Tables exist (the step)" in lines
    assert "Code is reviewed" not in lines  # once a release, and so no matter of this plan


def test_a_way_back_is_told_as_one():
    back = make_way_back(plan_of(FULL), covers="CODE")
    assert "rollback class CODE, the way back" in shown(plan=back)


def test_people_read_it_on_a_hundred_columns():
    text = FULL.replace("Tables exist", "Tables exist and " * 20)
    rows = [
        row
        for row in shown(text, seconds={"x": 1.0}).split("\n")
        if not row.lstrip().startswith("- preflight")
    ]
    assert max(map(len, rows)) <= 100


def test_programs_get_the_same():
    plan = plan_of(FULL)
    found = shown_json(
        plan, plan_hash(plan), Beside(changes=CHANGES, seconds={"preflight": 2.0}, holds=("x",))
    )
    assert json.loads(json.dumps(found)) == found
    assert found["plan_hash"] == plan_hash(plan)
    assert found["steps"][0]["actions"][0]["expected_seconds"] == 2.0
    assert (found["changes"]["commits"][0]["id"], found["holds"]) == ("abc1234", ["x"])
    assert [way["covers"] for way in found["ways_back"]] == ["CODE", "RESTORE"]
    assert found["ways_back"][0]["steps"][0]["actions"][0]["command"] == 'git checkout "$PREVIOUS_VERSION"'


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (12.4, "12 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_span_is_told_in_two_words(seconds, words):
    assert span(seconds) == words


def test_what_stands_beside_a_plan_is_in_no_hash():
    plan = plan_of(FULL)
    with_history = shown_json(plan, plan_hash(plan), Beside(seconds={"preflight": 2.0}, whole=9.0, runs=1))
    assert with_history["plan_hash"] == plan_hash(plan_of(FULL))
