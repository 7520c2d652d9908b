"""From a block with hosts to an action a host."""

import textwrap

import pytest

from releases.plan.hosts import batch_size, expanded, named
from releases.plan.make import make_plan
from releases.plan.model import Plan, PlannedAction, PlannedItem, PlannedStep
from releases.plan.ways import make_way_back
from releases.runbooks.reader import read
from releases.runbooks.review import reviewed
from tests.releases.plan.test_make import make_facts

WEB = ("web1", "web2", "web3", "web4")


def action(**options: str) -> PlannedAction:
    return PlannedAction(key="k", kind="shell", title="true", text="true", line=7, options=options)


def step(*actions: PlannedAction, items: tuple[PlannedItem, ...] = ()) -> PlannedStep:
    return PlannedStep(key="step-1", title="1", phase="before", actions=actions, items=items)


def on(_there: tuple[str, ...] = WEB, **options: str) -> list[PlannedAction]:
    """What an action with these options becomes."""
    (found,) = expanded([step(action(**options))], _there)
    return list(found.actions)


def shape(actions: list[PlannedAction]) -> list[tuple[str, str]]:
    return [(each.key, each.group) for each in actions]


@pytest.mark.parametrize(
    ("words", "names", "missing"),
    [
        ("web2,web1", ["web2", "web1"], []),
        ("web*", list(WEB), []),
        ("web[12], db", ["web1", "web2", "db"], []),
        ("web3,web*", ["web3", "web1", "web2", "web4"], []),
        ("web1,cache*,mail", ["web1"], ["cache*", "mail"]),
        ("", [], []),
    ],
)
def test_hosts_are_named_once_each_in_the_order_of_the_words(words, names, missing):
    assert named(words, (*WEB, "db")) == (names, missing)


def test_a_host_whose_name_looks_like_a_pattern_is_that_host():
    assert named("web[1]", ("web[1]", "web1")) == (["web[1]"], [])


@pytest.mark.parametrize(
    ("batch", "count", "size"),
    [
        ("", 4, 1),
        ("1", 4, 1),
        ("3", 4, 3),
        ("25%", 4, 1),
        ("50%", 5, 2),
        ("1%", 9, 1),
        ("100%", 7, 7),
        ("9", 4, 9),
    ],
)
def test_a_batch_is_a_number_or_a_share_rounded_down(batch, count, size):
    assert batch_size(batch, count) == size


def test_a_block_without_hosts_stays_as_it_is():
    assert on() == [action()]
    assert on(host="web1") == [action(host="web1")]


def test_hosts_alone_go_one_after_the_other():
    found = on(hosts="web1,web3", timeout="60")
    assert shape(found) == [("k@web1", ""), ("k@web3", "")]
    assert [each.title for each in found] == ["true on web1", "true on web3"]
    assert [each.options["host"] for each in found] == ["web1", "web3"]
    assert [each.options["timeout"] for each in found] == ["60", "60"]
    assert {"hosts", "batch", "health"} & {name for each in found for name in each.options} == set()


def test_a_batch_runs_at_the_same_time_and_is_looked_at_before_the_next():
    found = on(hosts="web*", batch="50%", health="site")
    assert shape(found) == [
        ("k@web1", "k#1"),
        ("k@web2", "k#1"),
        ("k#1-ready", ""),
        ("k@web3", "k#2"),
        ("k@web4", "k#2"),
    ]
    assert found[2] == PlannedAction(
        key="k#1-ready",
        kind="ready",
        title="Health after batch 1 of 2",
        line=7,
        changes=False,
        options={"health": "site"},
    )


def test_a_last_batch_may_be_smaller():
    assert shape(on(hosts="web*", batch="3"))[-2:] == [("k#1-ready", ""), ("k@web4", "")]


def test_all_at_once_are_not_looked_at():
    assert {group for _, group in shape(on(hosts="web*", batch="100%"))} == {"k#1"}
    assert "ready" not in {each.kind for each in on(hosts="web*", batch="100%")}


def test_a_batch_of_one_is_looked_at_after_each_but_the_last():
    kinds = [each.kind for each in on(hosts="web*", batch="1")]
    assert kinds == ["shell", "ready", "shell", "ready", "shell", "ready", "shell"]


def test_keys_fit_and_differ_whatever_hosts_are_called():
    names = ("deploy@" + "x" * 100 + "1", "deploy@" + "x" * 100 + "2", "a/b", "a_b", "ünï")
    keys = [each.key for each in on(names, hosts="*")]
    assert len(set(keys)) == 5
    assert all(len(key) <= 80 and "/" not in key and key.isascii() for key in keys), keys


def test_one_agreement_is_for_all_hosts_and_stands_before_the_first():
    asked = PlannedItem(key="k-ask", text="Run: true", by="confirm", before="k")
    (found,) = expanded([step(action(hosts="web*"), items=(asked,))], WEB)
    assert [item.before for item in found.items] == ["k@web1"]


def test_what_is_done_by_hand_before_a_block_stands_before_its_first_host():
    hand = PlannedItem(key="h-hand", text="by hand", by="person", before="k")
    (found,) = expanded([step(action(hosts="web2,web1"), items=(hand,))], WEB)
    assert found.items[0].before == "k@web2"


# --- in a plan --------------------------------------------------------------------------------------------

RUNBOOK = """
    # Shop

    ## Deployment steps

    ### 1. Restart (T-0)

    ```bash {{{attributes}}}
    {command}
    ```

    ## Rollback procedure

    ### Code rollback (5 minutes)

    ```bash {{{attributes}}}
    sudo bin/back
    ```
"""


def plan_of(attributes: str, *, command: str = "bin/forward", level: str = "auto", **facts) -> Plan:
    document = read(textwrap.dedent(RUNBOOK.format(attributes=attributes, command=command)))
    raised = reviewed(document, {("level", each.key): level for each in document.steps})
    return make_plan(raised, make_facts(**{"hosts": WEB, "has_health": True} | facts))


def hosts_of(plan: Plan | None) -> list[str]:
    assert plan
    return [each.options["host"] for each in plan.actions if "host" in each.options]


def test_a_plan_and_its_way_back_name_every_host():
    plan = plan_of("hosts=web* batch=50%")
    assert plan.problems == ()
    assert hosts_of(plan) == hosts_of(make_way_back(plan, covers="CODE")) == list(WEB)


def test_more_hosts_are_another_plan():
    assert hosts_of(plan_of("hosts=web*", hosts=(*WEB, "web5"))) == [*WEB, "web5"]


def test_the_step_asks_once_for_all_hosts():
    plan = plan_of("hosts=web*", level="confirm")
    (asked,) = [item for item in plan.items if item.key.endswith("-ask")]
    assert asked.before == plan.actions[1].key and asked.before.endswith("@web1")


def problems(attributes: str, **facts) -> str:
    return " | ".join(plan_of(attributes, **facts).problems)


@pytest.mark.parametrize(
    ("attributes", "facts", "words"),
    [
        (
            "hosts=web1,mail",
            {},
            "it runs on mail, and shop/production declares no such host (it has: web1, web2",
        ),
        ("hosts=cache*", {}, "it runs on cache*, and shop/production declares no such host"),
        ("hosts=web1", {"hosts": ()}, "(it has: none)"),
        ("host=mail", {}, "it runs on mail, and shop/production declares no such host"),
        (
            "hosts=web* batch=1",
            {"has_health": False},
            "nobody could tell between two batches whether shop is well",
        ),
        ("hosts=web* batch=1 health=site", {}, "has no probe 'site'"),
        ("batch=2", {}, "The fence has a batch and names no hosts"),
        ("hosts=web* batch=half", {}, "batch=half is no number of hosts and no share"),
        ("hosts=web* batch=0", {}, "batch=0 is no number"),
        ("hosts=web* batch=101%", {}, "batch=101% is no number"),
        ("hosts=web* health=site", {}, "it has no batch"),
        ("hosts=web* host=web1", {}, "both host and hosts"),
        ('hosts="" batch=1', {}, "hosts names no host"),
        ("hosts=web1, web2", {}, "cannot be told whether web2 is one of the hosts"),
    ],
)
def test_what_would_leave_a_host_out_or_unlooked_at_holds_the_plan(attributes, facts, words):
    assert words in problems(attributes, **facts)


@pytest.mark.parametrize(
    ("attributes", "facts"),
    [
        ("hosts=web* batch=100%", {"has_health": False}),
        ("hosts=web* batch=9", {"has_health": False}),
        ("hosts=web*", {"has_health": False}),
        ("hosts=web* batch=1 health=site", {"has_health": False, "probes": ("site",)}),
        ("host=web1", {}),
    ],
)
def test_without_a_second_batch_nothing_has_to_tell_health(attributes, facts):
    assert problems(attributes, **facts) == ""


def test_what_gantry_does_itself_runs_on_no_host():
    assert "what is 'backup' is done by Gantry" in problems(
        "hosts=web*", command='pg_dump -f "$BACKUP_FILE" shop'
    )
