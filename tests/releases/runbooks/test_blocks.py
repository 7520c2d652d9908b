"""What a part of a block does, and what stands in for the whole."""

import time

import pytest

from releases.runbooks.blocks import trimmed
from releases.runbooks.document import Document
from releases.runbooks.hosts import located
from releases.runbooks.reader import read
from releases.runbooks.requests import request_of
from releases.runbooks.review import matters, reviewed
from releases.runbooks.typed import action_of, direction_of, dump_variables
from tests.releases.runbooks.test_cases import CASES, NAMES

WAYS = """\
# Tea

## Deployment steps

### Restart

```bash
ssh deploy@tea-1
sudo systemctl restart tea
# OR
curl https://panel.test/restart
# OR via the panel
```
"""


def picked(document: Document, number: int) -> Document:
    """The document with that option of its only choice taken."""
    (choice,) = document.choices
    return reviewed(document, {("pick", choice.key): choice.options[number].key})


def test_a_picked_way_is_all_that_the_block_does() -> None:
    (block,) = picked(read(WAYS), 0).blocks

    assert (block.action, block.host) == ("restart", "deploy@tea-1")
    assert block.script == "sudo systemctl restart tea\n"


def test_a_way_that_is_one_request_is_a_request() -> None:
    (block,) = picked(read(WAYS), 1).blocks

    assert block.kind == "http"
    assert block.http
    assert block.http.url == "https://panel.test/restart"


def test_a_way_without_a_command_leaves_nothing_to_run() -> None:
    (block,) = picked(read(WAYS), 2).blocks

    assert block.kind == "snippet"


def test_a_dangerous_way_that_was_not_taken_is_no_danger() -> None:
    text = "# Tea\n\n## Deployment steps\n\n```bash\nbin/tidy\n# OR\nrm -rf old\n```\n"
    document = read(text)

    assert document.blocks[0].dangers == ("danger-remove",)
    assert picked(document, 0).blocks[0].dangers == ()


def test_a_host_that_was_carried_into_a_block_stays() -> None:
    text = "# Tea\n\n## Deployment steps\n\n```bash\nssh deploy@tea-1\n```\n\n```bash\nbin/a\nbin/b\n```\n"
    block = read(text).blocks[1]

    assert trimmed(block, "bin/a\n", ()).host == "deploy@tea-1"


@pytest.mark.parametrize(
    ("script", "host", "after"),
    [
        ("ssh deploy@tea-1\nls", "deploy@tea-1", "deploy@tea-1"),
        ("ssh -i key -p 22 tea-1\nls\nexit", "tea-1", ""),
        ("ssh deploy@tea-1 ls", "", ""),
        ("ssh -L 5432:db:5432 deploy@tea-1", "deploy@tea-1", "deploy@tea-1"),
        ("ssh deploy@<host>\nls", "deploy@<host>", "deploy@<host>"),
        ("ssh-keygen\nexit 1", "", ""),
        ("cat <<END\nssh deploy@tea-1\nEND", "", ""),
        ("echo ssh deploy@tea-1", "", ""),
    ],
)
def test_a_bare_ssh_line_says_where_the_next_ones_run(script: str, host: str, after: str) -> None:
    found = located(script, host="")

    assert (found.host, found.after) == (host, after)


def test_a_block_that_begins_with_leaving_runs_here() -> None:
    found = located("exit\nbin/build", host="deploy@tea-1")

    assert (found.script, found.host, found.is_mixed) == ("bin/build", "", False)


def test_a_placeholder_in_the_name_of_a_host_is_no_hole_of_the_command() -> None:
    (block,) = read("# Tea\n\n## Deployment steps\n\n```bash\nssh deploy@<host>\nls <folder>\n```\n").blocks

    assert (block.host, [hole.words for hole in block.holes]) == ("deploy@<host>", ["<folder>"])


@pytest.mark.parametrize(
    "script",
    [
        "curl",
        "curl 'https://tea.test",
        "curl https://a.test https://b.test",
        "curl -d @body.json https://tea.test",
        "curl -u me:secret https://tea.test",
        "curl -X BREW https://tea.test",
        "curl https://tea.test/{a,b} $(date)",
        "curl https://tea.test/ > page",
        "wget https://tea.test/",
        "http --form POST tea.test",
        "ls",
        "",
    ],
)
def test_what_is_more_or_less_than_a_request_is_none(script: str) -> None:
    assert request_of(script) is None


@pytest.mark.parametrize(
    ("script", "direction"),
    [
        ("php artisan down", "on"),
        ("php artisan up", "off"),
        ("heroku maintenance:on", "on"),
        ("bin/tea maintenance disable", "off"),
    ],
)
def test_a_page_goes_up_when_the_service_goes_down(script: str, direction: str) -> None:
    assert action_of(script) == "maintenance"
    assert direction_of(script) == direction


def test_a_backup_names_the_variables_that_hold_its_file() -> None:
    script = 'COPY="tea_$(date +%F).dump"\npg_dump -Fc -f "$COPY" tea\nmysqldump shop > $OTHER\n'

    assert action_of(script) == "backup"
    assert dump_variables(script) == ("COPY", "OTHER")


def test_the_key_of_a_step_changes_with_its_commands_alone() -> None:
    base = "# Tea\n\n## Deployment steps\n\n### Look\n\nWords.\n\n```bash\nbin/tea check\n```\n"
    keys = [
        read(text).steps[0].key
        for text in (base, base.replace("Words", "More"), base.replace("check", "warm"))
    ]

    assert keys[0] == keys[1] != keys[2]


def test_two_steps_never_share_a_key() -> None:
    text = "# Tea\n\n## Deployment steps\n\n" + "### Look\n\n```bash\nls\n```\n\n" * 3
    keys = [step.key for step in read(text).steps]

    assert len(set(keys)) == 3


def test_sql_that_writes_is_told_by_its_words() -> None:
    fence = "```sql\n-- old ones\nUPDATE teas SET old = true WHERE id < 9;\n```\n"
    (matter,) = matters(read(f"# Tea\n\n## Deployment steps\n\n### Tidy\n\n{fence}"))

    assert (matter.line, matter.text) == (7, "sql-writes: UPDATE teas SET old = true WHERE id < 9;")


def test_a_fence_reaches_from_what_opens_it_to_what_closes_it() -> None:
    text = "# Tea\n\n## Deployment steps\n\n```bash\nls\n\n```\n\n```bash\n```\n"

    assert [(block.extent[0], block.extent[-1]) for block in read(text).blocks] == [(5, 8), (10, 11)]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_block_says_stands_in_the_document(name: str) -> None:
    document = read((CASES / f"{name}.md").read_bytes())

    for block in document.blocks:
        assert all(hole.words in block.text and hole.variable.isidentifier() for hole in block.holes)
        assert set(block.dangers) <= {problem.id for problem in document.problems}
        assert (block.http is not None) == (block.kind == "http")
    for choice in document.choices:
        ends = [0, *(option.end for option in choice.options)]
        assert all(end < each.line <= each.end for end, each in zip(ends, choice.options, strict=False))


FENCE = "# Tea\n\n## Rollback procedure\n\n```bash\n{}\n```\n"
HOSTILE = {
    "update": "UPDATE a SET b\n" * 15_000,
    "dates": "a/2025-01-20_" * 20_000,
    "years": ("YYYY" + "a/b." * 200 + "\n") * 350,
    "ways": "a\n# OR\n" * 40_000,
    "pushes": ("git push " * 100 + "\n") * 300,
    "pipes": ("curl a " * 120 + "\n") * 300,
    "clusters": ("kubectl a " * 90 + "\n") * 300,
    "quotes": "echo 'a\n" * 30_000,
    "hosts": "ssh a@b\nls\n" * 20_000,
    "curls": "curl " + "-H a:b " * 140,
    "remarks": "# should be (should be " * 10_000,
    "removals": ("rm -f a " * 120 + "\n") * 300,
    "stages": ("curl a | " * 110 + "\n") * 300,
    "resets": ("git reset --hard " * 58 + "\n") * 300,
    "tails": ("tail " * 190 + "\n") * 300,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_block_is_slow(body: str) -> None:
    started = time.process_time()
    read(FENCE.format(body))

    assert time.process_time() - started < 3


def test_options_without_end_are_not_slow() -> None:
    started = time.process_time()
    read("# Tea\n\n## Deployment steps\n\n" + "**Option A**\n\n(choose one):\n\n## Option B\n\n" * 700)

    assert time.process_time() - started < 3
