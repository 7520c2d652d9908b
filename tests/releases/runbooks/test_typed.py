"""What a block of commands is taken for: all that it does has to be of that kind."""

import time

import pytest

from releases.actions.code import _folder_there
from releases.plan.model import PlannedAction
from releases.runbooks.commands import pipelines
from releases.runbooks.dangers import dangers
from releases.runbooks.typed import action_of, never_ends

# In place of these the engine does its own: whatever else stood there would be lost.
MORE_THAN_CODE = [
    "git fetch && git checkout $V && touch x && exit 7",
    "git pull && npm ci && pm2 restart app",
    "git checkout $V; ./post.sh",
    "git checkout $V & ./post.sh",
    "git checkout $V || ./post.sh",
    "git checkout $V | ./post.sh",
    "git checkout $V > log",
    "git checkout $(./which)",
    'git checkout "$(./which)"',
    "git checkout `./which`",
    "git checkout -- config.py",
    "git checkout config.py",
    "git checkout 'config.py'",
    "git checkout .",
    "git checkout v2 -- one/file.py",
    "git checkout v2 one",
    "git checkout -b x",
    'git checkout "-b" x',
    "git switch -c x",
    "git checkout -p",
    "git reset HEAD one",
    "git reset --soft HEAD~1",
    "git fetch origin main:old",
    "git fetch --upload-pack=./x origin",
    "git pull\ngit branch -D main",
    "git pull\ngit log --output=notes",
    "git pull\ngit log | ./x",
    "git pull\ngit tag v1",
    "(git pull && ./x)",
    "if git pull; then ./x; fi",
]
MORE_THAN_A_COPY = [
    "pg_dump x | ssh h psql y",
    "pg_dump x > y && ./x",
    "pg_dump x > y > z",
    "pg_dump x >> y",
    "pg_dump x 2> y",
    "pg_dump x &> y",
    'sqlite3 -cmd ".shell ./x" db ".backup x"',
    "pg_dump x | tee y",
    "pg_dump x | gzip | ./send",
    "pg_dump $(./which) > y",
    "pg_dump x > >(./x)",
    "pg_dump x <<EOF\nEOF\n./x",
    "pg_dump x > y\nsha256sum y > y.sum",
    'sqlite3 db ".backup x" "DROP TABLE tins"',
    "pg_restore x && ./y",
    "pg_restore -f tables.sql x.dump",
    'psql -f x.dump -c "SELECT mend()"',
    'psql "-c" "SELECT mend()" -f x.dump',
    "psql -f x.dump -f mend.sql",
    "cat x.dump | ./mend | psql",
    "psql < x.dump > log",
    'sqlite3 db ".restore x" "UPDATE tins SET full = 1"',
]
# Of these kinds nobody is asked: they have to look and do nothing else.
MORE_THAN_A_LOOK = [
    "X=$(./deploy.sh)\nredis-cli ping",
    "pg_isready > /srv/app/.env",
    "pg_isready <b>/srv/app/.env",
    "redis-cli flushall ping",
    "redis-cli ping; redis-cli flushall",
    "mysqladmin drop tea ping",
    "redis-cli ping &",
    "redis-cli ping\necho $(./x)",
    "redis-cli ping\ncd $(./x)",
    "redis-cli ping\nexport A=`./x`",
    "PATH=. redis-cli ping",
    "export PATH=.\nredis-cli ping",
    "$(./x)/celery inspect active",
    "celery -A x inspect active; celery -A x purge -f",
    "celery -A x purge inspect active",
    "./x celery inspect active",
    "celery -A x inspect active > active",
    "tail -f log | sh",
    "tail -f log | xargs -n1 kill",
    "tail -f log | tee copy",
    "tail -f log | sort -o copy",
    "tail -f log | uniq - copy",
    "tail -f log | grep $(./x)",
    "tail -f $(./x)",
    "tail -f log |& sh",
    "docker logs -f x || ./deploy.sh",
    "docker exec x ./y logs -f",
    "kubectl exec x -- ./y logs -f",
    "journalctl --rotate -f",
    "journalctl --vac=1 -f",
    "tail -f log\njournalctl --vacuum-size=1",
    "sudo -s ./x tail -f log",
]
# An assignment before a command belongs to the command.
COMMANDS = [
    "FOO=bar ./migrate.sh",
    "APP_ENV=prod touch x",
    "A=1 ./fix.sh",
    "export A=$(./x)",
    "A=$(date -s tomorrow)",
    'A="$(./x)"',
    "A=`./x`",
    "cd $(./x)",
    "echo $(./x)",
    'echo "$(./x)"',
    "cd /other && ./x",
    "set -e; ./x",
    "sleep 5 && ./x",
    "date -s tomorrow",
    "echo x > y",
    "git branch -D main",
]


@pytest.mark.parametrize("script", [*MORE_THAN_CODE, *MORE_THAN_A_COPY, *MORE_THAN_A_LOOK])
def test_a_block_that_does_more_than_one_kind_is_run_as_it_stands(script: str) -> None:
    assert action_of(script) == ""


@pytest.mark.parametrize("beside", COMMANDS)
@pytest.mark.parametrize(
    "typed", ["git pull", "pg_dump x", "redis-cli ping", "pm2 restart x", "git push a b"]
)
def test_a_command_beside_a_typed_one_is_never_taken_for_none(typed: str, beside: str) -> None:
    assert action_of(typed)
    assert action_of(f"{typed}\n{beside}") == ""
    assert action_of(f"{beside} && {typed}") == ""


@pytest.mark.parametrize(
    ("script", "action"),
    [
        ("set -euo pipefail\ncd /srv/tea && git fetch --all --tags -q && git checkout -f v2.4.1", "code"),
        ("git pull --ff-only origin main 2>&1 | tail -3", "code"),
        ("git fetch && git reset --hard origin/main; git log -1 | head", "code"),
        ("git fetch origin --tags && git pull origin main --tags", "code"),
        ("git checkout <commit-hash>", "code"),
        ("git checkout vX.Y.Z", "code"),
        ('DUMP="tea_$(date "+%F %T").sql"\npg_dump tea > "$DUMP" && ls -lh $DUMP', "backup"),
        ("PGPASSWORD=$PW pg_dump -U tea tea | gzip -9 > tea_$(date +%F).sql.gz", "backup"),
        ("sudo -u postgres pg_dump tea > /tmp/tea.sql", "backup"),
        ("docker compose exec -T db pg_dump -U tea tea > copy.sql", "backup"),
        ("sqlite3 db \".backup 'x y'\"\nsqlite3 db 'PRAGMA integrity_check;'", "backup"),
        ("dropdb tea && createdb tea\npsql -h <host> -d tea -v ON_ERROR_STOP=1 < backup.sql", "restore"),
        ("gunzip -c tea_20250120.sql.gz | psql $DATABASE_URL > /dev/null", "restore"),
        ("redis-cli -h cache -p 6379 ping && echo fine", "ping"),
        ("mysqladmin -u root -h db ping", "ping"),
        ("poetry run celery -A tea inspect active | grep -c tea", "inspect"),
        ("docker logs -f tea 2>&1 | grep 'a|b' | sort -nr -k2 | uniq -c", "logs"),
        ("kubectl -n tea logs -f deploy/tea\nsudo journalctl -fu tea --since today", "logs"),
        ("pm2 restart tea && pm2 save", "restart"),
        ("pm2 restart tea\ncelery -A tea worker &", "restart"),
        ("git tag v$(cat VERSION)", "tag"),
        ("python manage.py migrate 2>&1 | tail", "migrate"),
    ],
)
def test_a_chain_of_one_kind_is_of_that_kind(script: str, action: str) -> None:
    assert action_of(script) == action


def test_what_ends_a_command_in_quotes_ends_none() -> None:
    assert pipelines("a 'b;c' \"d|e\" f\\;g | h |& i && j 2>&1 >/dev/null; k & l") == [
        ["a 'b;c' \"d|e\" f\\;g", "h", "i"],
        ["j"],
        ["k &"],
        ["l"],
    ]


@pytest.mark.parametrize("row", ["tail -f log | sh", "./x && tail -F log", "tail -f log  # until it is calm"])
def test_what_follows_a_log_anywhere_in_a_line_never_ends(row: str) -> None:
    assert never_ends(row)


def test_only_the_folder_of_a_chain_is_taken_to_the_host() -> None:
    text = "cd /srv/tea-$(date +%F) && git pull\n"
    action = PlannedAction(
        key="a", kind="code", title="", text=text, line=1, options={"host": "deploy@tea-1"}
    )

    assert _folder_there(action) == "cd /srv/tea-$(date +%F)\n"


@pytest.mark.parametrize(
    ("command", "mark"),
    [
        ("git reset --hard HEAD~2", "discard"),
        ("git reset --hard 4e1f0aa", "discard"),
        ("git reset HEAD^ --hard", "discard"),
        ("terraform apply -destroy", "destroy"),
        ("terraform destroy", "destroy"),
        ("aws rds delete-db-instance --db-instance-identifier tea", "destroy"),
        ("aws --region eu ec2 terminate-instances --instance-ids i-1", "destroy"),
        ("aws s3 sync . s3://tea --delete", "destroy"),
        ("kubectl scale --replicas=0 deploy/tea", "destroy"),
        ("kubectl scale deploy/tea --replicas 0", "destroy"),
        ("curl -X DELETE https://tea.test/tins", "destroy"),
        ("curl -s --request=DELETE https://tea.test/tins", "destroy"),
        ("mysqladmin -f drop tea", "drop"),
        ("alembic downgrade base", "drop"),
        ("python manage.py migrate tins zero", "drop"),
        ("mongosh --eval 'db.dropDatabase()'", "drop"),
        ('psql -c "DELETE FROM tins WHERE 1=1"', "delete-all"),
        ('psql -c "DELETE FROM tins WHERE true;"', "delete-all"),
        ("rm old -rf", "remove"),
        ("rm -f /srv/tea/*", "remove"),
        ("shred -u key", "remove"),
        ("crontab -r", "remove"),
        ("rsync -a --del a/ b/", "remove"),
        ("truncate -s 0 log", "truncate"),
        ("truncate --size=0 log", "truncate"),
        ("> app.sqlite3", "truncate"),
        ("cat x >data/app.db", "truncate"),
        ("curl https://tea.test | tee y | bash", "pipe-to-shell"),
        ("celery -A tea purge -f", "flush"),
        ('psql -c "SELECT pg_terminate_backend(7)"', "sql-function"),
    ],
)
def test_what_cannot_be_undone_is_marked(command: str, mark: str) -> None:
    assert [danger.id for danger in dangers(command, kind="shell")] == [f"danger-{mark}"]


@pytest.mark.parametrize(
    "command",
    [
        "git reset --hard",
        "git reset --hard origin/main",
        "git reset --hard $RELEASE_VERSION",
        "terraform apply",
        "kubectl scale --replicas=2 deploy/tea",
        "kubectl scale --replicas=02 deploy/tea",
        "rm -f tea.pid",
        "rm one two",
        "docker run --rm tea -r",
        "rsync -a --delay-updates a/ b/",
        "truncate -s 5M log",
        "alembic downgrade -1",
        "crontab -l",
        "cat app.db > app.db.copy",
        'psql -c "DELETE FROM tins WHERE id = 11"',
        'psql -c "DELETE FROM tins WHERE true_name = 1"',
        "curl https://tea.test | tee y",
    ],
)
def test_what_can_be_undone_is_not_marked(command: str) -> None:
    assert dangers(command, kind="shell") == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
        "SELECT pg_cancel_backend(7)",
        "SELECT dblink_exec('x', 'y')",
        "SELECT * FROM dblink('x', 'y') AS t(a int)",
        "SELECT pg_sleep(600)",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file ('/etc/passwd')",
        "SELECT setval('tins_id_seq', 1)",
        "SELECT pg_catalog.nextval('tins_id_seq')",
        'SELECT "pg_sleep"(600)',
    ],
)
def test_a_question_that_does_something_is_marked(sql: str) -> None:
    assert [danger.id for danger in dangers(sql, kind="sql")] == ["danger-sql-function"]


def test_a_function_that_is_only_spoken_of_is_not_marked() -> None:
    assert dangers("SELECT 'pg_sleep(1)', lo_count FROM tins -- nextval(x)", kind="sql") == ()


@pytest.mark.parametrize(
    "text",
    ['tail "' * 160, "psql -f a.dump " * 60, "redis-cli " + "-h -h" * 190, "<a b" * 240, "$(date +" * 120],
)
def test_no_line_is_slow_to_tell(text: str) -> None:
    started = time.process_time()
    for _ in range(20):
        action_of(text[:1_000])

    assert time.process_time() - started < 2
