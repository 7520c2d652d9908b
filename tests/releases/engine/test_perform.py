"""One attempt: intent, effect, outcome; what it may take, what it hands on, and what nobody may see."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.utils import timezone

from checks.secrets import MASK
from releases.engine.context import LARGEST
from releases.engine.progress import Silent
from releases.engine.run import carry_on
from releases.models import Attempt, Deployment
from releases.models.deployments import output_path
from releases.recorder import claim, this_owner
from tests.factories import make_variable
from tests.releases.world import RUNBOOK, World

pytestmark = pytest.mark.django_db
AROUND = """
# Tea shop

## Deployment steps

### 1. Do (T-5 minutes)

{blocks}

## Rollback procedure

### Code rollback

```bash
true
```
"""


def perform(world: World, *scripts: str) -> list[Attempt]:
    """Run a deployment of these fences; the attempts at them."""
    fences = (script if script.startswith("```") else f"```bash\n{script}\n```" for script in scripts)
    world.publish(AROUND.format(blocks="\n\n".join(fences)))
    deployment = Deployment.objects.get(pk=world.queued().pk)
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    carry_on(deployment, lease, by="olga", progress=Silent())
    return list(deployment.attempts.exclude(kind="preflight"))


def test_an_attempt_keeps_its_command_its_process_and_its_output(world: World):
    (attempt,) = perform(world, "echo hello\npwd")
    assert (attempt.outcome, attempt.command.strip(), attempt.result["code"]) == (
        "succeeded",
        "echo hello\npwd",
        0,
    )
    assert attempt.tail == output_path(attempt.output).read_text() == f"hello\n{world.folder}\n"
    assert attempt.process["pid"] > 1


def test_variables_are_handed_on_to_the_next_block(world: World):
    *_, last = perform(
        world, 'COLOUR="dark green"\nVERSION=$(cat VERSION)', 'echo "$COLOUR $VERSION $RELEASE_VERSION"'
    )
    assert last.tail == "dark green v1 v2\n"


def test_one_blocks_path_is_not_the_next_ones(world: World):
    *_, last = perform(world, 'PATH="/nowhere:$PATH"\nCOLOUR=green', 'echo "$COLOUR $PATH"')
    assert last.tail.startswith("green ")
    assert "/nowhere" not in last.tail


@pytest.mark.parametrize("letter", ["x", "😀"])
@pytest.mark.parametrize(("bytes_too_many", "is_handed_on"), [(0, True), (4, False)])
def test_a_variable_too_large_for_the_next_block_is_not_handed_on(
    world: World, letter, bytes_too_many, is_handed_on
):
    times = (LARGEST - len("BIG=") - 1 + bytes_too_many) // len(letter.encode())
    make = f"BIG=$({sys.executable} -c 'print(\"{letter}\" * {times})')"
    *_, last = perform(world, f"LC_ALL=C.UTF-8; {make}", 'echo "${#BIG}"')
    assert last.outcome == "succeeded", last.result
    assert (int(last.tail) > 0) is is_handed_on


def test_variables_that_are_too_many_for_the_next_block_lose_their_largest(world: World):
    many = "for n in $(seq 60); do declare \"BIG_$n=$(printf '%030000d' 1)\"; done\nSMALL=here"
    *_, last = perform(world, many, 'echo "$SMALL"')
    assert (last.outcome, last.tail) == ("succeeded", "here\n"), last.result


def test_no_block_decides_which_version_another_one_means(world: World):
    *_, last = perform(
        world, "PREVIOUS_VERSION=v2\nRELEASE_COMMIT=none", 'echo "$PREVIOUS_VERSION $RELEASE_COMMIT"'
    )
    assert last.tail == f"v1 {last.deployment.release.commit}\n"


def test_what_a_block_did_to_its_programs_is_not_the_way_backs(world: World):
    world.mark("no-start").touch()
    world.publish(
        RUNBOOK.replace("test ! -e no-look", "test ! -e no-look\nexport GIT_DIR=/nonexistent NOTE=kept", 1)
    )
    deployment = Deployment.objects.get(pk=world.queued().pk)
    lease = claim(deployment, owner=this_owner(), by="olga", at=timezone.now())
    carry_on(deployment, lease, by="olga", progress=Silent())
    back = Deployment.objects.get(undoes=deployment)
    known = back.attempts.filter(kind="code").latest("pk").variables
    assert ("GIT_DIR" in known, known["NOTE"]) == (False, "kept")


def test_bytes_that_a_database_does_not_store_are_shown_as_such(world: World):
    (attempt,) = perform(world, r"printf 'a\0b\n'; exit 1")
    attempt.refresh_from_db()
    assert attempt.tail == output_path(attempt.output).read_text() == "a\ufffdb\n"
    assert attempt.result["message"] == "ended with 1: a\ufffdb"


@pytest.mark.parametrize(
    ("fence", "outcome", "words"),
    [
        ("```bash {timeout=0.5}\nwhile sleep 0.05; do echo x; done\n```", "timed_out", "timeout=SECONDS"),
        ("```bash {silence=0.5}\nsleep 30\n```", "timed_out", "said nothing for 0.5 s"),
        ("exit 3", "failed", "ended with 3: no output"),
        ("echo 'no room' >&2; false", "failed", "ended with 1: no room"),
        ("printf 'Continue? [y/N] '; read -r answer", "failed", "it asked a question"),
        ("kill -KILL $$", "failed", "ended by signal 9"),
    ],
)  # fmt: skip
def test_how_a_script_ended_is_told(world: World, fence, outcome, words):
    attempt = perform(world, fence)[0]
    assert (attempt.outcome, words in attempt.result["message"]) == (outcome, True), attempt.result


def test_a_daemon_does_not_hold_its_step(world):
    attempt = perform(world, "sleep 3 & echo started")[0]
    assert (attempt.outcome, attempt.seconds < 3) == ("succeeded", True)


def test_a_secret_stands_nowhere_in_the_journal(world: World):
    make_variable(environment=world.environment, name="TOKEN", value="s3cret-value", is_secret=True)
    perform(world, 'echo "$TOKEN"; COPY="$TOKEN"; PLAIN=seen', "echo s3cret-value >&2; exit 1")
    rows = Attempt.objects.values("command", "result", "tail", "reason")
    stored = str(list(rows)) + str(Deployment.objects.values_list("message", "reason"))
    files = "".join(path.read_text() for path in output_path("x").parent.iterdir() if path.is_file())
    assert "s3cret-value" not in stored + files
    assert MASK in Attempt.objects.exclude(kind="preflight")[0].tail
    assert Attempt.objects.exclude(kind="preflight")[0].result["variables"] == {"PLAIN": "seen"}


def test_a_backup_of_the_run_is_a_verified_row_and_a_variable(world: World):
    with closing(sqlite3.connect(world.mark("db"))) as database:
        database.execute("CREATE TABLE tea (id INTEGER)")
    make_variable(environment=world.environment, name="SHOP_DATABASE", value=f"sqlite:///{world.mark('db')}")
    world.environment.databases.create(name="default", url="$SHOP_DATABASE")
    copy, shown = perform(
        world, "```bash\nDUMP=shop.sql\npg_dump shop > $DUMP\n```", 'basename "$BACKUP_FILE"; ls "$DUMP"'
    )
    backup = copy.deployment.backups.get()
    assert (copy.kind, copy.outcome, backup.status) == ("backup", "succeeded", "verified"), copy.result
    assert backup.evidence["tables"] == {"tea": 0}
    assert shown.tail.split() == [Path(backup.path).name, backup.path]


def test_a_request_that_nobody_answers_is_told(world: World):
    attempt = perform(world, 'curl "$BASE_URL/health"')[0]
    assert (attempt.kind, attempt.outcome) == ("http", "failed")
    assert "127.0.0.1:1/health: Connection refused" in attempt.result["message"]


def test_what_only_a_person_can_compare_does_not_pass_by_itself(world: World):
    attempt = perform(world, "echo 123 MB # Should be stable, not increasing")[0]
    assert attempt.outcome == "unknown"
    assert attempt.result["compare"] == (
        "expected 'stable, not increasing', saw \"123 MB\": a person must compare"
    )


def test_a_folder_that_vanishes_is_an_error_of_ours(world: World):
    moved = world.folder.with_name("elsewhere")
    attempts = perform(world, f"mv {world.folder} {moved}", "echo never")
    assert [each.outcome for each in attempts][:2] == ["succeeded", "error"]
    assert "cannot start in folder" in attempts[1].result["message"]
