"""`review_runbook`: what it shows, what it decides, and what it says of lines that hold nothing."""

import textwrap

import pytest
from django.utils import timezone

from releases.lifecycle import runbooks
from releases.models import Decision, RunbookRevision
from tests.releases.world import World

pytestmark = pytest.mark.django_db
TEXT = textwrap.dedent(
    """\
    # Tea

    ## Deployment steps

    ### 1. Code

    - [ ] Tag it: `git tag live`

    ```bash
    git checkout <tag>
    # OR
    bin/fetch
    ```

    ### 2. Clean

    ```bash
    echo first
    rm -rf /srv/tea/cache
    ```
    """
)


@pytest.fixture
def draft(world: World) -> RunbookRevision:
    found, _ = runbooks.import_text(world.service, TEXT, name="RUNBOOK.md", by="rita", at=timezone.now())
    return found


def test_it_shows_levels_problems_and_what_is_open(gantry, draft: RunbookRevision):
    said = gantry("review_runbook", "tea").out
    assert "line    5  guide    1. Code" in said
    assert "OPEN     pick: 1. Code: git checkout <tag> | bin/fetch" in said
    assert "--pick 10    git checkout <tag>" in said
    assert "line   19  OPEN     accept: danger-remove: rm -rf /srv/tea/cache" in said
    assert "publish_runbook" not in said


def test_everything_is_decided_in_one_line_and_what_comes_next_is_said(gantry, world: World, draft):
    words = [
        "--pick",
        "10",
        "--accept",
        "19",
        "--run",
        "7",
        "--fill",
        "<tag>=RELEASE_VERSION",
        "--scope",
        "7=release",
    ]
    said = gantry(
        "review_runbook", "tea", *words, "--why", "only a cache", "--as", "anton", token_of=world.anton
    )
    assert (said.code, "5 decided for" in said.out) == (0, True)
    assert "next: manage.py publish_runbook tea --as USER" in said.out
    reviewed = draft.reviewed
    assert (reviewed.items[0].runs, reviewed.items[0].scope) == (True, "release")
    assert [hole.variable for block in reviewed.blocks for hole in block.holes] == ["RELEASE_VERSION"]
    assert gantry("publish_runbook", "tea", "--as", "rita", token_of=world.rita).code == 0


def test_one_step_is_raised_by_a_part_of_its_heading(gantry, world: World, draft):
    words = ["--level", "auto", "--step", "clean", "--why", "rehearsed", "--as", "rita"]
    assert "line   15  auto     2. Clean" in gantry("review_runbook", "tea", *words, token_of=world.rita).out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--pick 12", "no way begins in line 12 (lines with one: 10, 11)"),
        ("--accept 5", "no dangerous block stands in line 5 (they begin in lines: 17)"),
        ("--run 9", "line 9 has nothing to decide with --run (lines that have: 7)"),
        ("--by seven=person", "--by wants LINE=VALUE, not 'seven=person'"),
        ("--by 7=nobody", "'nobody' is none of person, confirm, step, threshold"),
        ("--fill nothing=X", "the runbook has nothing called 'nothing'"),
        ("--fill <tag>=two-words", "'two-words' is no name of a variable"),
        ("--step code", "--step goes with --level"),
        ("--level auto --step tea", "'tea' names 0 steps"),
    ],
)
def test_what_the_text_does_not_hold_is_told_and_nothing_is_decided(
    gantry, world: World, draft, words, message
):
    said = gantry("review_runbook", "tea", *words.split(), "--as", "rita", token_of=world.rita)
    assert (said.code, message in said.err) == (2, True), said.err
    assert not Decision.objects.filter(revision=draft).exists()


def test_a_new_draft_of_the_published_text_is_made_on_demand(gantry, world: World):
    said = gantry("review_runbook", "tea", "--redraft", "--as", "rita", token_of=world.rita)
    assert "r2 (draft)" in said.out
    again = gantry("review_runbook", "tea", "--redraft", "--as", "rita", token_of=world.rita)
    assert (again.code, "is a draft already" in again.err) == (2, True)
