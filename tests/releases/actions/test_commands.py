"""What scripts and requests of a runbook come to: real processes, a real web server, a real sshd."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from releases.actions import action as handler_of
from releases.errors import WrongUsage
from releases.plan.model import PlannedAction
from tests.factories import make_database
from tests.releases.hosts.machines import Machine, machine
from tests.releases.world import git, make_clone, make_repository

pytestmark = pytest.mark.django_db


# --- scripts ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expects", "done", "compares"),
    [
        ("echo anything", "", True, False),
        ("echo true", "true", True, False),
        ("echo false", "true", False, False),
        ("echo 1; echo 2", "2 lines", True, False),
        ("echo rising slowly", "Should be stable, not increasing rapidly", True, True),
        ("sleep 0.1; echo done", "Response in <60s", True, False),
        ("sleep 0.1; echo done", "Response in <50ms", True, True),
        ("""echo '{"status": "healthy", "up": 1}'""", '{"status": "healthy"}', True, False),
    ],
)
def test_the_output_of_a_script_is_compared_with_what_is_expected(context, do, text, expects, done, compares):
    _, seen = do(context, "shell", text, expects=expects)
    assert (seen.done, bool(seen.compare)) == (done, compares), seen
    assert "a person must compare" in seen.compare or not compares


def test_a_script_that_says_nothing_is_compared_too(context, do):
    context.output.unlink(missing_ok=True)
    assert do(context, "shell", "true", expects="no output")[1].done


@pytest.mark.parametrize("kind", ["dependencies", "tag", "upload", "inspect", "migrate", "drain", "cache"])
def test_kinds_that_need_no_look_run_the_block(context, do, kind):
    said, seen = do(context, kind, "echo here; pwd")
    assert (said.out, seen.done) == (f"here\n{context.environment.folder}\n", True)


@pytest.mark.parametrize(
    ("answer", "done"), [("PONG", True), ("NOAUTH Authentication required.", False), ("", False)]
)
def test_a_ping_wants_a_pong(context, do, answer, done):
    assert do(context, "ping", f"redis-cli() {{ echo '{answer}'; }}\nredis-cli ping")[1].done is done


@pytest.mark.parametrize(("text", "code"), [("echo 'accepting connections'", 0), ("exit 2", 2)])
def test_a_database_is_pinged_by_its_exit_code(context, do, text, code):
    said, seen = do(context, "ping", text)
    assert (said.code, seen.done) == (code, code == 0)


REDIS_CLI = """\
redis-cli() {{
  exec 3<>/dev/tcp/127.0.0.1/{port}
  printf '%s\\r\\n' "$1" >&3
  read -r answer <&3
  echo "${{answer#+}}" | tr -d '\\r'
}}
redis-cli ping"""


def test_a_real_redis_is_pinged(context, do, redis_url):
    said, seen = do(context, "ping", REDIS_CLI.format(port=urlsplit(redis_url).port))
    assert (said.out, seen.done) == ("PONG\n", True)


def test_a_log_is_looked_at_and_not_followed(context, do):
    log = Path(context.environment.folder) / "app.log"
    log.write_text("".join(f"line {number}\n" for number in range(500)))
    said, seen = do(context, "logs", "tail -f app.log\ntail -f app.log | grep ERROR")
    assert (seen.done, said.out.count("\n"), "line 499" in said.out) == (True, 200, True)


def test_a_log_with_trouble_in_it_fails_the_look(context, do):
    (Path(context.environment.folder) / "app.log").write_text("ERROR: broken\n")
    said, _ = do(context, "logs", "tail -f app.log | grep ERROR")
    assert (said.code, "ERROR: broken" in said.out) == (1, True)


# --- SQL --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expects", "done", "compares"), [("1", True, False), ("2", False, False), ("~100% direct", True, True)]
)
def test_an_answer_that_no_rule_can_judge_is_a_persons_to_compare(
    context, do, tmp_path, expects, done, compares
):
    database = tmp_path / "db.sqlite3"
    database.touch()
    make_database(environment=context.environment, url=f"sqlite:///{database}")
    _, seen = do(context, "sql", "SELECT 1", expects=expects)
    assert (seen.done, bool(seen.compare)) == (done, compares), seen


# --- requests ---------------------------------------------------------------------------------------------


def test_a_request_is_made_with_its_variables(context, do, service):
    told = replace(context, variables={**context.variables, "TOKEN": "s3cret", "NAME": "tea"})
    headers = json.dumps([["Authorization", "Bearer ${TOKEN}"], ["Content-Type", "application/json"]])
    said, seen = do(
        told, "http", method="POST", url="$BASE_URL/chat?x=1", headers=headers, body='{"name": "$NAME"}'
    )
    assert service.asked == [
        {
            "method": "POST",
            "path": "/chat?x=1",
            "body": '{"name": "tea"}',
            "Authorization": "Bearer s3cret",
            "Content-Type": "application/json",
        }
    ]
    assert (seen.done, seen.evidence["status"]) == (True, 200)
    assert f"POST {service.url}/chat?x=1: 200 in" in said.out


@pytest.mark.parametrize(
    ("status", "expects", "done", "compares"),
    [
        (200, "", True, False),
        (404, "", False, False),
        (404, "404", True, False),
        (200, '{"version": "v1.1"}', True, False),
        (200, '{"version": "v9"}', False, False),
        (200, "Response in <5000ms", True, False),
        (200, "Response in <0.001ms", False, False),
        (200, "looks healthy", True, True),
        (500, "looks healthy", False, False),
    ],
)
def test_an_answer_is_compared_with_what_is_expected(context, do, service, status, expects, done, compares):
    service.status = status
    _, seen = do(context, "http", url="$BASE_URL/health", expects=expects)
    assert (seen.done, bool(seen.compare)) == (done, compares), seen


def test_a_value_adds_no_part_and_no_parameter_to_an_address(context, do, service):
    context.variables.update(TEA="green/tea?x#y z", PAGE="1&admin=1")
    do(context, "http", url="$BASE_URL/$TEA/look?page=$PAGE")
    assert [asked["path"] for asked in service.asked] == ["/green/tea%3Fx%23y%20z/look?page=1%26admin%3D1"]


def test_a_value_stays_within_its_string_of_json(context, do, service):
    context.variables.update(TEA='a", "admin": "\n', COUNT="3", WORDS="3, 4")
    body = '{"tea": "of $TEA", "count": $COUNT, "words": [$WORDS]}'
    do(context, "http", url="$BASE_URL/", method="POST", body=body)
    (asked,) = service.asked
    assert json.loads(asked["body"]) == {"tea": 'of a", "admin": "\n', "count": 3, "words": ["3, 4"]}


def test_a_body_that_is_no_json_is_sent_with_its_values(context, do, service):
    context.variables.update(PAYLOAD='{"a": 1}', TEA='"')
    do(context, "http", url="$BASE_URL/", method="POST", body="$PAYLOAD")
    do(context, "http", url="$BASE_URL/", method="POST", body="say $TEA")
    assert [asked["body"] for asked in service.asked] == ['{"a": 1}', 'say "']


def test_a_service_that_does_not_answer_fails_the_request(context, do):
    said, seen = do(context, "http", url="http://127.0.0.1:1/health")
    assert (said.code, seen.done, "Connection refused" in said.out) == (1, False, True)


def test_a_variable_that_is_not_set_is_named_and_nothing_is_asked(context, do, service):
    with pytest.raises(WrongUsage, match="variable TOKEN is not set"):
        do(context, "http", url="$BASE_URL/$TOKEN")
    assert service.asked == []


def test_an_answer_is_not_left_over_for_a_request_that_failed(context, do):
    assert do(context, "http", url="$BASE_URL/")[1].done
    context.handed_on.unlink()
    assert do(context, "http", url="http://127.0.0.1:1/")[1].done is False


# --- on a host --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lasting() -> Iterator[Machine]:
    """A machine with a home of its own."""
    with machine("user@your-server") as found:
        yield found


@pytest.fixture
def host(context, lasting):
    """That machine as a host of the environment; it remembers nothing of earlier tests."""
    shutil.rmtree(lasting.home / ".gantry", ignore_errors=True)
    return lasting.row(context.environment)


def test_a_block_with_a_host_runs_there(context, do, host):
    told = replace(context, variables={**context.variables, "COLOUR": "blue"})
    said, seen = do(told, "shell", 'echo "$COLOUR $SSH_CONNECTION"', host=host.name)
    assert (seen.done, said.out.split()[-1]) == (True, str(host.port)), said
    assert "blue 127.0.0.1" in said.out


def test_what_a_block_on_a_host_should_say_is_compared(context, do, host):
    assert do(context, "shell", "echo 7", host=host.name, expects="7")[1].done
    other = replace(context, key="another-effect")
    assert do(other, "shell", "echo 8", host=host.name, expects="7")[1].done is False


def test_the_same_effect_happens_once_there_whoever_asks_for_it_again(context, do, host, tmp_path):
    text = f"echo once >> {tmp_path}/effects; echo seen"
    for number in (1, 2):
        attempt = replace(context, key="gantry-1-key-1", handed_on=tmp_path / f"1-key-{number}.vars")
        assert do(attempt, "shell", text, host=host.name)[0].out == "seen\n"
    assert (tmp_path / "effects").read_text() == "once\n"


def test_a_log_on_a_host_is_not_followed_either(context, do, host, tmp_path):
    (tmp_path / "app.log").write_text("fine\n")
    said, _ = do(context, "logs", f"tail -f {tmp_path}/app.log", host=host.name)
    assert (said.code, said.out.splitlines()[0]) == (0, "fine")


def test_a_request_on_a_host_is_made_from_there(context, do, host, service):
    said, seen = do(context, "http", "echo 'curl runs there'", host=host.name, url="http://localhost")
    assert (seen.done, "curl runs there" in said.out, service.asked) == (True, True, [])


def test_a_host_that_is_not_declared_is_named(context, do, host):
    with pytest.raises(WrongUsage, match=r"declares no host 'root@db' \(there is: user@your-server\)"):
        do(context, "shell", "echo never", host="root@db")


@pytest.fixture
def clone(tmp_path, host):
    """A clone on that host, at v1, of a repository that has v2."""
    repository = make_repository(tmp_path)
    return make_clone(repository, tmp_path / "there")


def test_the_code_on_a_host_is_the_approved_commit(context, do, host, clone):
    plan = replace(context.plan, commit=git(clone, "rev-parse", "v2"))
    _, seen = do(replace(context, plan=plan), "code", f"cd {clone}\ngit pull origin main", host=host.name)
    assert (seen.done, seen.message) == (True, f"{host.name} is at {plan.commit[:10]}")
    assert (clone / "VERSION").read_text() == "v2\n"


def test_code_on_a_host_that_was_changed_is_refused(context, do, host, clone):
    plan = replace(context.plan, commit=git(clone, "rev-parse", "v2"))
    (clone / "VERSION").write_text("patched by hand\n")
    said, seen = do(replace(context, plan=plan), "code", f"cd {clone}\ngit pull", host=host.name)
    assert (seen.done, "nothing was touched" in said.out) == (False, True)


# --- again after an interruption ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "options", "done"),
    [
        ("dependencies", {}, False),
        ("logs", {}, False),
        ("upload", {}, False),
        ("trigger", {}, True),
        ("tag", {}, None),
        ("revert", {}, None),
        ("shell", {}, None),
        ("shell", {"host": "web"}, False),
        ("http", {"method": "GET"}, False),
        ("http", {"method": "POST"}, None),
    ],
)
def test_only_what_does_no_harm_twice_may_run_again_by_itself(context, kind, options, done):
    asked = PlannedAction(key="k", kind=kind, title=kind, options=options)
    assert handler_of(kind).probe(asked, context) is done
