"""The runbooks of docs/examples: each reviewed, run to its end and taken back, by the commands that people type."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.build import Built
from tests import servers
from tests.journeys.conftest import CONFIRMED, REAL_DEMO, ROOT, WHERE, Gantry, open_boxes
from tests.stand_in.build import Kind, Version, build, calls, end, write_toml

EXAMPLES = ROOT / "docs" / "examples"
WHY = ("--why", "rehearsed with these tests")
# 1 h = 0.09 s: a week passes in fifteen seconds. With 600 (1 h = 6 s) a trigger fires in the attended window.
DAYS, HOURS = 40_000, 600


@dataclass
class Story:
    """One stand-in under one runbook: people's commands with the service's name filled in."""

    gantry: Gantry
    kind: Kind
    service: Built
    example: str

    def review(self, *decisions: str, accept: str = "") -> None:
        """Import, let a second person accept the dangers of some fences, decide, raise every step to auto, publish."""
        name = self.kind.name
        self.gantry.do("register_service", str(self.service.toml))
        self.gantry.do("import_runbook", str(EXAMPLES / self.example), "--service", name)
        if accept:
            lines = [word for line in self.lines(accept) for word in ("--accept", line)]
            self.gantry.do("review_runbook", name, *lines, *WHY, by="anton")
        self.gantry.do("review_runbook", name, *decisions, "--level", "auto", *WHY, by="rita")
        self.gantry.do("publish_runbook", name, by="rita")

    def lines(self, text: str) -> list[str]:
        """The numbers of the example's lines that begin so."""
        rows = (EXAMPLES / self.example).read_text().splitlines()
        return [str(number) for number, row in enumerate(rows, start=1) if row.startswith(text)]

    def line(self, text: str) -> str:
        (number,) = self.lines(text)
        return number

    def approve(self, version: str, *seen: str) -> str:
        """Create, tick the release's boxes, approve; then tick what `seen` names in the environment. The plan."""
        name = self.kind.name
        self.gantry.do("create_release", name, version, by="rita")
        boxes = open_boxes(self.gantry, self.service, version)
        self.gantry.do("tick_item", name, version, *boxes, "--evidence", "read and agreed", by="rita")
        plan = self.gantry.do("approve_release", name, version, *WHERE, by="anton")
        if seen:
            self.tick(version, *seen)
        return plan

    def tick(self, version: str, *texts: str) -> None:
        words = ("tick_item", self.kind.name, version, *texts, *WHERE, "--evidence", "seen on the screen")
        self.gantry.do(*words, by="olga")

    def deploy(self, version: str, *words: str, expect: int = 0) -> str:
        asked = ("deploy_release", self.kind.name, version, *WHERE, *words)
        return self.gantry.do(*asked, by="olga", expect=expect)

    def roll_back(self, version: str, *words: str, expect: int = 0) -> str:
        asked = ("rollback_release", self.kind.name, version, *WHERE, "--reason", "it disappoints", *words)
        return self.gantry.do(*asked, by="olga", expect=expect)

    def watch(self, version: str, *texts: str) -> str:
        """Tick what people look at later, let worker and beat bring the watch to its end; the log."""
        self.tick(version, *texts)
        with serving(self.gantry):
            servers.wait_until(
                lambda: "| Outcome | **successful" in self.log(version), within=90, what=version
            )
        return self.log(version)

    def log(self, version: str, direction: str = "forward") -> str:
        return self.gantry.log(self.kind.name, f"*-{version}-{direction}.md")

    def on_clock(self, time_scale: int) -> None:
        """Another clock from here on."""
        write_toml(self.service, self.kind, time_scale=time_scale)
        self.gantry.do("register_service", str(self.service.toml))

    @property
    def running(self) -> str:
        """The version that answers, "" while none does."""
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{self.service.base_url}/health", timeout=10) as answer,
        ):
            return str(json.load(answer)["version"])
        return ""

    @property
    def config(self) -> dict[str, dict[str, object]]:
        return json.loads(self.service.run("python", "manage.py", "show_config").stdout)

    def rows(self, statement: str) -> list[list[object]]:
        """What the service's database answers."""
        shown = self.service.run(
            "python", "-c", f"import database, json; print(json.dumps(database.ask({statement!r})))"
        )
        return json.loads(shown.stdout)


@contextmanager
def serving(gantry: Gantry) -> Iterator[None]:
    """Worker and beat run while the block does."""
    process = gantry.start("serve", "--port", str(servers.free_port()))
    try:
        yield
    finally:
        process.terminate()
        process.communicate(timeout=40)


@pytest.fixture
def story(gantry: Gantry, tmp_path: Path) -> Iterator[Callable[..., Story]]:
    """`story(kind, "example.md")`: a stand-in at its first version; its process ends with the test."""
    built: list[Built] = []

    def make(kind: Kind, example: str) -> Story:
        service = build(tmp_path / kind.name, kind, port=servers.free_port(), time_scale=DAYS)
        built.append(service)
        return Story(gantry, kind, service, example)

    yield make
    for service in built:
        end(service)


# --- a Django release with T-minus schedule and flags ---------------------------------------------------

RESERVATIONS = {
    "/": "",
    "/api/reservations": "SELECT * FROM reservations_reservation",
    "/api/branches": "SELECT DISTINCT branch_id FROM reservations_reservation",
}
TABLE = "CREATE TABLE reservations_reservation (id INTEGER PRIMARY KEY, branch_id INTEGER, reader TEXT)"
READERS = "INSERT INTO reservations_reservation (branch_id, reader) VALUES (7, 'Ada'), (7, 'Grace')"
CODES = "ALTER TABLE reservations_reservation ADD COLUMN pickup_code TEXT"
LIBRARY = Kind(
    name="reservations",
    versions=[
        Version(
            name="v4.1",
            features=["text_messages"],
            pages=RESERVATIONS,
            files={"migrations/0001_first.sql": f"{TABLE}; {READERS}"},
        ),
        Version(
            name="v4.2-hasty",
            features=["text_messages", "pickup_codes"],
            pages=RESERVATIONS,
            files={"migrations/0002_codes.sql": CODES},
        ),
        Version(
            name="v4.2",
            features=["text_messages", "pickup_codes"],
            pages=RESERVATIONS,
            files={
                "migrations/0002_codes.sql": f"{CODES}; UPDATE reservations_reservation SET pickup_code = 'R' || id"
            },
        ),
    ],
)


def test_a_django_release_restores_a_hasty_version_under_the_fence_and_keeps_a_good_one(
    story: Callable[..., Story],
) -> None:
    library = story(LIBRARY, "django-release.md")
    library.review(accept="```bash {name=packages")
    library.approve("v4.2-hasty", "Dashboards are open")
    said = library.deploy("v4.2-hasty", *CONFIRMED, expect=4)
    assert "going back to v4.1 (RESTORE)" in said
    assert library.running == "v4.1"
    assert library.rows("SELECT * FROM reservations_reservation") == [[1, 7, "Ada"], [2, 7, "Grace"]]

    library.approve("v4.2", "Dashboards are open")
    library.deploy("v4.2", *CONFIRMED)
    assert library.running == "v4.2"
    assert library.config["features"] == {"text_messages": False, "pickup_codes": True}
    log = library.watch("v4.2", "overdue letters", "branch librarians report")
    assert "- [x] Every reservation has a pick-up code" in log
    assert "- [x] Error rate < 1%" in log
    typed = calls(library.service)
    assert typed.index("celery --app reservations control shutdown") < typed.index(
        "systemctl restart reservations-web reservations-worker"
    )
    assert len(list((library.service.folder / "s3" / "mossgate-backups" / "reservations").iterdir())) == 2


# --- an additive schema change with a bucket, on PostgreSQL ------------------------------------------------

DOCUMENTS = "/api/documents"
COLUMNS = "original_path text", "original_bytes bigint", "stored_at timestamptz", "parse_error text"
STORED_IN = "original_path, original_bytes, stored_at"
STORED = "'originals/' || :name, length(:text), now()"


def quillbox(database_url: str, tools: Path) -> Kind:
    pages = {"/": "", DOCUMENTS: "SELECT name FROM documents"}
    table = "CREATE TABLE documents (id serial PRIMARY KEY, name text NOT NULL, text text)"
    bucket = (
        "CREATE SCHEMA storage; CREATE TABLE storage.buckets (id text PRIMARY KEY, name text, public boolean)"
    )
    plain = "INSERT INTO documents (name, text) VALUES (:name, :text)"
    kept = f"INSERT INTO documents (name, text, {STORED_IN}) VALUES (:name, :text, {STORED})"
    first = f"{table}; {bucket}; INSERT INTO documents (name) VALUES ('old.txt')"
    second = "ALTER TABLE documents " + ", ".join(f"ADD COLUMN {column}" for column in COLUMNS)
    return Kind(
        name="quillbox",
        database_url=database_url,
        migrations="supabase/migrations",
        path=[tools],
        versions=[
            Version(
                name="v3.0",
                pages=pages,
                posts={DOCUMENTS: plain},
                files={"supabase/migrations/0001_first.sql": first},
            ),
            Version(
                name="v3.1",
                pages=pages,
                posts={DOCUMENTS: kept},
                files={"supabase/migrations/0002_originals.sql": second},
            ),
        ],
    )


def test_an_additive_schema_change_is_verified_and_can_be_taken_back_with_its_data(
    story: Callable[..., Story], postgres_server: servers.Postgres
) -> None:
    with postgres_server.database() as url:
        store = story(quillbox(url, postgres_server.bin), "additive-schema-change.md")
        store.review("--pick", store.line("**Option A: by the command line"))
        plan = store.approve("v3.1", "Access rules")
        assert "changes the schema: supabase/migrations/0002_originals.sql" in plan
        store.deploy("v3.1")
        assert store.rows("SELECT original_path FROM documents WHERE id > 1") == [
            ["originals/release-check.txt"]
        ]
        assert store.rows("SELECT id, public FROM storage.buckets") == [["originals", False]]
        log = store.watch("v3.1", "no missing document", "documents to look at by hand is no longer")
        assert "- [x] All four columns exist and are empty" in log
        assert "- [x] No upload was lost" in log
        assert "supabase db push --include-all" in calls(store.service)

        assert "--restore-data" in store.roll_back("v3.1", expect=3)
        store.roll_back("v3.1", "--restore-data")
        assert store.running == "v3.0"
        assert store.rows("SELECT * FROM documents") == [[1, "old.txt", None]]


def test_columns_made_in_the_dashboard_are_waited_for_and_then_verified(
    story: Callable[..., Story], postgres_server: servers.Postgres
) -> None:
    with postgres_server.database() as url:
        store = story(quillbox(url, postgres_server.bin), "additive-schema-change.md")
        store.review("--pick", store.line("**Option B: in the dashboard"))
        store.approve("v3.1", "Access rules")
        said = store.deploy("v3.1", expect=3)
        assert "waits for a person: 'Done by hand: Option B: in the dashboard'" in said
        store.service.run("python", "manage.py", "migrate")
        store.tick("v3.1", "Done by hand: Option B")
        store.deploy("v3.1", "--resume")
        assert store.running == "v3.1"
        assert "supabase db push --include-all" not in calls(store.service)


# --- a flag that is opened to 10, 50 and 100 percent ----------------------------------------------------------

CONVERSATIONS = "/api/conversations"
INBOX = {
    "pages": {"/": "", CONVERSATIONS: "SELECT subject FROM conversations"},
    "posts": {CONVERSATIONS: "INSERT INTO conversations (subject, text) VALUES (:subject, :text)"},
}
CONVERSATION_TABLE = "CREATE TABLE conversations (id INTEGER PRIMARY KEY, subject TEXT, text TEXT)"
HELPDESK = Kind(
    name="helpdesk",
    runs_from="live",
    versions=[
        Version(
            name="v7.0",
            files={"migrations/0001_first.sql": CONVERSATION_TABLE},
            **INBOX,
        ),
        Version(name="v7.1", features=["answer_summaries"], **INBOX),
        Version(
            name="v7.2", features=["answer_summaries"], stats={"error_rate": 9.5, "p95_ms": 320.0}, **INBOX
        ),
    ],
)


def test_a_flag_is_opened_to_all_and_the_next_version_is_taken_back_by_its_errors(
    story: Callable[..., Story],
) -> None:
    helpdesk = story(HELPDESK, "flag-gated-rollout.md")
    helpdesk.review("--pick", helpdesk.line("**Option A: Vercel"))
    helpdesk.approve("v7.1", "flag exists in production and is off")
    helpdesk.deploy("v7.1")
    assert helpdesk.running == "v7.1"
    assert helpdesk.config["settings"] == {"answer_summaries_share": "10"}
    log = helpdesk.watch(
        "v7.1", "day at 10 %", "Run: half", "day at 50 %", "Run: everybody", "Ten summaries",
        "close long conversations", "flags to remove", "Two of three agents",
    )  # fmt: skip
    assert helpdesk.config["settings"] == {"answer_summaries_share": "100"}
    assert log.index("answer_summaries_share=50") < log.index("answer_summaries_share=100")
    assert "- [x] A day at 10 % was quiet" in log

    helpdesk.on_clock(HOURS)
    helpdesk.approve("v7.2", "flag exists in production and is off")
    said = helpdesk.deploy("v7.2", expect=4)
    assert "rollback trigger 'Error rate > 2%" in said
    assert helpdesk.running == "v7.1"
    assert calls(helpdesk.service).count("vercel deploy --prod") == 3
    assert helpdesk.config["features"] == {"answer_summaries": False}


def test_the_same_flag_on_a_platform_that_is_pushed_to(story: Callable[..., Story]) -> None:
    helpdesk = story(HELPDESK, "flag-gated-rollout.md")
    helpdesk.review("--pick", helpdesk.line("**Option B: our own platform"))
    helpdesk.approve("v7.1", "flag exists in production and is off")
    helpdesk.deploy("v7.1")
    assert helpdesk.running == "v7.1"
    assert "vercel deploy --prod" not in calls(helpdesk.service)
    assert "pushed" in calls(helpdesk.service)


# --- a product's first launch ------------------------------------------------------------------------------

DOCUMENT_SET = {
    f"docs/launch/{name}.md": f"# {name}\n"
    for name in ("DEPLOYMENT", "ROLLBACK", "CHECKS", "ON-CALL", "TRAINING")
}
RECIPES = "; ".join(f"INSERT INTO recipes (name) VALUES ('Soup {number}')" for number in range(1, 15))
PANTRY = Kind(
    name="pantry",
    runs_from="live",
    versions=[
        Version(name="v0.1"),
        Version(
            name="v1.0",
            features=["sign_up"],
            pages={"/": "", "/api/recipes": "SELECT name FROM recipes"},
            posts={"/api/accounts": "INSERT INTO accounts (name) VALUES (:name)"},
            files={
                "migrations/0001_recipes.sql": "CREATE TABLE recipes (id INTEGER PRIMARY KEY, name TEXT); "
                f"CREATE TABLE accounts (id INTEGER PRIMARY KEY, name TEXT); {RECIPES}",
                "assets/soup.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>",
                **DOCUMENT_SET,
            },
        ),
    ],
)


def test_a_first_launch_opens_its_doors_and_returns_to_the_waiting_page(story: Callable[..., Story]) -> None:
    pantry = story(PANTRY, "first-launch.md")
    pantry.review("--pick", pantry.line("**Option A: Vercel"))
    plan = pantry.approve("v1.0", "Go: lead, engineering", "Somebody outside the company")
    assert "Somebody sees another household's data (line" in plan
    pantry.deploy("v1.0")
    assert pantry.running == "v1.0"
    assert pantry.config["features"] == {"sign_up": True}
    assert (pantry.service.folder / "s3" / "larkfield-pantry" / "assets" / "soup.svg").exists()
    log = pantry.watch(
        "v1.0", "Support could answer", "first shopping lists", "Nobody on call", "Whoever signed up",
        "What we learned", "No data was lost", "same way again",
    )  # fmt: skip
    assert "ON-CALL.md is there" in log
    assert "- [x] There are recipes for a first week" in log

    pantry.roll_back("v1.0", "--restore-data")
    assert pantry.running == "v0.1"
    assert pantry.config["features"] == {"sign_up": False}
    assert pantry.rows("SELECT count(*) FROM sqlite_master WHERE name = 'accounts'") == [[0]]


# --- a performance release on a server that is reached by ssh ------------------------------------------------

SLOW, FAST = {"error_rate": 0.2, "p95_ms": 1240.0}, {"error_rate": 0.1, "p95_ms": 730.0}
BERTHS = (
    "CREATE TABLE bookings (id INTEGER PRIMARY KEY, berth TEXT); INSERT INTO bookings (berth) VALUES ('12 A')"
)
FERRIES = Kind(
    name="bookings",
    runs_from="live",
    versions=[
        Version(name="v2.3", stats=SLOW, files={"migrations/0001_first.sql": BERTHS}),
        Version(name="v2.4", stats=FAST),
        Version(name="v2.5", stats={"error_rate": 0.1, "p95_ms": 905.0}),
    ],
)


@pytest.fixture
def ferries(story: Callable[..., Story]) -> Iterator[Story]:
    """The booking service on a server that lets Gantry in by a key, and has its tools on its PATH."""
    ferries = story(FERRIES, "performance-on-a-vps.md")
    with servers.sshd() as server:
        key = server.identity.with_suffix(".pub")
        path = ferries.service.environment["PATH"]
        key.write_text(f'command="PATH={path}; eval $SSH_ORIGINAL_COMMAND" {key.read_text()}')
        host = {
            "name": "deploy@bookings",
            "address": f"{server.user}@{server.host}",
            "port": server.port,
            "identity_file": str(server.identity),
        }
        rows = "\n".join(f"{name} = {json.dumps(value)}" for name, value in host.items())
        with ferries.service.toml.open("a") as toml:
            toml.write(f"\n[[environment.host]]\n{rows}\n")
        yield ferries


def test_a_faster_version_reaches_its_server_by_ssh_and_a_slower_one_comes_back(ferries: Story) -> None:
    tag = ("--run", ferries.line("- [ ] Name what runs now"))
    ferries.review("--pick", ferries.line("**Option A: over ssh"), *tag, accept="```bash {name=server")
    ferries.approve("v2.4", "2 GB of memory")
    ferries.deploy("v2.4", *CONFIRMED)
    assert ferries.running == "v2.4"
    assert ferries.service.run("git", "tag", "--points-at", "v2.3").stdout.split() == ["before-v2.4", "v2.3"]
    log = ferries.watch("v2.4", "Bookings of the last hour", "Memory is where", "No berth was sold twice")
    assert "p95 1240.0 → 730.0 ms" in log
    assert "- [x] Every number is better than the baseline, or as good" in log

    ferries.approve("v2.5", "2 GB of memory")
    said = ferries.deploy("v2.5", *CONFIRMED, expect=4)
    assert "slower than the baseline allows" in ferries.log("v2.5")
    assert "going back to v2.4 (CODE)" in said
    assert ferries.running == "v2.4"
    assert calls(ferries.service).count("systemctl restart bookings") == 3
    assert ferries.rows("SELECT berth FROM bookings") == [["12 A"]]


def test_a_person_pulls_a_trigger_that_nothing_measures(ferries: Story) -> None:
    ferries.review("--pick", ferries.line("**Option A: over ssh"), accept="```bash {name=server")
    ferries.on_clock(REAL_DEMO)
    ferries.approve("v2.4", "2 GB of memory", "Name what runs now")
    run = ferries.gantry.start("deploy_release", "bookings", "v2.4", *WHERE, *CONFIRMED, by="olga")
    servers.wait_until(lambda: ferries.running == "v2.4", within=60, what="the new version")
    ferries.tick("v2.4", "Two travellers hold the same berth")
    said, _ = run.communicate(timeout=90)
    assert run.returncode == 4
    assert "Two travellers hold the same berth" in said
    assert ferries.running == "v2.3"
