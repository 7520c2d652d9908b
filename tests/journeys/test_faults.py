"""What goes wrong around a deployment: one line that names the thing and the way out, its exit code, nothing lost."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from demo.build import Built
from tests import servers
from tests.journeys.conftest import CONFIRMED, WHERE, Gantry, deploy, introduce, prepare
from tests.journeys.test_plain_service import running_build

STATUS = "from releases.models import Deployment; print(*[d.status for d in Deployment.objects.order_by('number')])"
SLOW = "```bash {{name=slow idempotent=true}}\nuntil [ -e {go} ]; do sleep 0.1; done\n./ctl status\n```"
GO = "go"
DEPLOY = ("deploy_release", "board", "2.0", *WHERE, *CONFIRMED)


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def one_line(said: str) -> str:
    """The line that names the error; there is one, and no traceback."""
    assert "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("gantry: ")]
    return line


@pytest.fixture
def ready(gantry: Gantry, board: Built) -> Built:
    """The board with version 2.0 approved."""
    introduce(gantry, board)
    prepare(gantry, board, "2.0")
    return board


@pytest.fixture
def slow(gantry: Gantry, board: Built, tmp_path: Path) -> Built:
    """The same, with a step in which the deployment can be disturbed: it lasts until `let_go`."""
    runbook = tmp_path / "SLOW.md"
    first, fence, rest = board.runbook.read_text().partition("```bash\n./ctl status\ngit status --short\n```")
    assert fence
    runbook.write_text(first + SLOW.format(go=board.folder / GO) + rest)
    introduce(gantry, board, runbook)
    prepare(gantry, board, "2.0")
    return board


def let_go(slow: Built) -> None:
    """The slow step ends."""
    (slow.folder / GO).touch()


def begun(gantry: Gantry) -> subprocess.Popen[str]:
    """A deployment that is in the middle of its slow step."""
    process = gantry.start(*DEPLOY, by="olga")
    attempts = "from releases.models import Attempt; print(Attempt.objects.exclude(process={}).count())"
    servers.wait_until(lambda: gantry.shell(attempts) == "1", within=60, what="the slow step")
    return process


def test_a_dirty_folder_is_refused_with_its_difference(gantry: Gantry, ready: Built) -> None:
    (ready.tree / "ctl").write_text((ready.tree / "ctl").read_text() + "# edited on the host\n")
    said = deploy(gantry, ready, "2.0", expect=1)
    assert "uncommitted changes" in said and "+# edited on the host" in said
    assert "runs as before" in said
    assert running_build(ready) == "1.0"


def test_a_moved_tag_is_refused(gantry: Gantry, ready: Built) -> None:
    git(ready.origin, "tag", "--force", "2.0", "2.1^{commit}")
    assert "2.0 was moved" in one_line(deploy(gantry, ready, "2.0", expect=1))
    assert "choose a new version" in one_line(
        gantry.do("create_release", "board", "2.0", by="rita", expect=2)
    )


def test_a_ref_that_is_gone_is_named(gantry: Gantry, ready: Built) -> None:
    git(ready.origin, "tag", "--delete", "2.0")
    assert "no tag or branch '2.0'" in one_line(deploy(gantry, ready, "2.0", expect=1))


def test_a_database_that_is_down_stops_before_anything_is_touched(gantry: Gantry, ready: Built) -> None:
    data = Path(ready.environment["DATA"])
    data.rename(data.with_suffix(".away"))
    assert "database notes" in one_line(deploy(gantry, ready, "2.0", expect=1))
    data.with_suffix(".away").rename(data)
    assert running_build(ready) == "1.0"


def test_a_runbook_file_deleted_after_publishing_does_not_matter(gantry: Gantry, ready: Built) -> None:
    git(ready.tree, "update-index", "--assume-unchanged", "RUNBOOK.md")
    ready.runbook.unlink()
    git(ready.tree, "checkout", "--", "RUNBOOK.md")
    deploy(gantry, ready, "2.0", expect=0)


def test_the_old_process_that_still_answers_is_no_success(
    gantry: Gantry, board: Built, tmp_path: Path
) -> None:
    runbook = tmp_path / "LAZY.md"
    lazy = "```bash {patience=2}\n./lazy restart\n```"
    text = board.runbook.read_text().replace("```bash\n./ctl restart\n```", lazy, 1)
    assert lazy in text
    runbook.write_text(text)
    (board.tree / "lazy").write_text("#!/bin/sh\necho 'restarted, honestly'\n")
    (board.tree / "lazy").chmod(0o755)
    introduce(gantry, board, runbook)
    prepare(gantry, board, "2.0")
    said = deploy(gantry, board, "2.0", expect=4)
    assert "the OLD process still answers" in said
    assert running_build(board) == "1.0"


def test_a_second_deployment_is_held_and_the_first_pauses_at_ctrl_c(gantry: Gantry, slow: Built) -> None:
    first = begun(gantry)
    held = gantry.do(*DEPLOY, by="olga", expect=5)
    assert "board/production #1 of board 2.0 is running" in one_line(held)
    first.send_signal(signal.SIGINT)
    let_go(slow)
    said = first.communicate(timeout=60)[0]
    assert first.returncode == 3, said
    assert "pausing at the next safe point" in said
    assert "paused by olga; maintenance is off, and board/production stays held" in one_line(said)
    assert gantry.shell(STATUS) == "paused"
    gantry.do(*DEPLOY, "--resume", by="olga")
    assert running_build(slow) == "2.0"


def test_a_closed_terminal_does_not_end_a_deployment(gantry: Gantry, slow: Built) -> None:
    process = begun(gantry)
    process.send_signal(signal.SIGHUP)
    assert process.stdout is not None
    process.stdout.close()
    let_go(slow)
    assert process.wait(90) == 0
    assert running_build(slow) == "2.0"


def test_a_killed_deployment_is_taken_up_again(gantry: Gantry, slow: Built) -> None:
    process = begun(gantry)
    process.kill()
    process.communicate()
    let_go(slow)
    assert "taken up" in gantry.do(*DEPLOY, "--resume", by="olga")
    assert running_build(slow) == "2.0"
    shells = "Attempt.objects.filter(kind='shell').values_list('outcome')[:2]"
    outcomes = f"from releases.models import Attempt; print(*{shells})"
    assert gantry.shell(outcomes) == "('succeeded',) ('succeeded',)"


def test_two_approvers_at_once_leave_one_approval(gantry: Gantry, board: Built) -> None:
    introduce(gantry, board)
    gantry.do("create_release", "board", "2.0", by="rita")
    gantry.shell(
        "from django.contrib.auth.models import User; from releases.models import Grant\n"
        "Grant.objects.create(user=User.objects.get(username='olga'), role='approver')"
    )
    words = ("approve_release", "board", "2.0", *WHERE)
    both = [gantry.start(*words, by=user) for user in ("anton", "olga")]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("was approved already" in text for text in said) == 1
    assert gantry.shell("from releases.models import Approval; print(Approval.objects.count())") == "1"


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none"}, "DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_one_line(gantry: Gantry, values: dict[str, str], named: str) -> None:
    done = gantry.run("run_checks", **values)
    assert done.returncode in (1, 2)
    assert named in one_line(done.stderr)


def test_the_json_of_a_deployment_is_whole(gantry: Gantry, ready: Built) -> None:
    done = gantry.run(*DEPLOY, "--json", by="olga")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["status"], result["exit_code"], result["direction"]) == ("watching", 0, "forward")
    assert Path(result["log"]).exists()
