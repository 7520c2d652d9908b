"""The run sheet: when, what, who, from the text alone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from releases.plan.compose import run_sheet
from releases.plan.sheet import DANGER, DECIDE, ITSELF, KEY, PERSON, Part, Row, RunSheet
from releases.runbooks.reader import read

SIX = datetime(2026, 1, 20, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))

TIMED = """\
# Shop: deployment

**Risk**: low

## Before the deployment

### Code

- [ ] Changes are reviewed
- [x] Tests are green

```bash
python manage.py showmigrations
python manage.py migrate --plan
```

## Deployment steps

### 1. Backup (T-30 minutes)

```bash
pg_dump --file="$BACKUP_FILE" "$DATABASE_URL"
```

- [ ] The copy was looked at

### 2. Schema (T-5 minutes)

```bash
python manage.py migrate --noinput
```

```sql
SELECT count(*) FROM orders WHERE total IS NULL;
```

Expected: 0

### 3. Open again (T-0)

```bash
python manage.py maintenance_mode off
```

## After the deployment

### First look (T+15 minutes)

- [ ] Orders come in

### Next day (T+24 hours)

- [ ] Reports are complete <!-- by: step -->

## Rollback triggers

- Error rate > 5% for > 10 minutes
- Data is damaged

## Rollback procedure

### Code (5 minutes)

```bash
git checkout "$PREVIOUS_VERSION"
```

### Full: code and database restore (30 minutes)

```bash
pg_restore --dbname="$DATABASE_URL" "$BACKUP_FILE"
```

## Troubleshooting

```bash
rm -rf /tmp/cache
```

## Colours

The button is green.

## Contacts

- Database on call: Dana
"""

LASTING = """\
# Board

## Deployment steps

### Step 1: Merge (5 minutes)

```bash
git pull
```

### Step 2: Install (15-20 minutes)

```bash
sudo systemctl restart board
```

## Monitoring

### First hour

- [ ] It is quiet
"""


def sheet_of(text: str) -> RunSheet:
    return run_sheet(read(text), zero=SIX)


def clocks(parts: tuple[Part, ...]) -> list[str]:
    return [f"{part.at:%d %H:%M}" if part.at else "" for part in parts]


def rows(part: Part) -> list[tuple[str, str, str]]:
    return [(row.what, row.text, row.who) for row in part.rows]


def row_of(sheet: RunSheet, words: str) -> Row:
    every = [*sheet.before, *sheet.release, *sheet.after, *(part for way in sheet.ways for part in way.parts)]
    return next(row for part in every for row in part.rows if words in row.text)


# --- when ------------------------------------------------------------------------------------------------


def test_offsets_are_clock_times_around_t_zero():
    sheet = sheet_of(TIMED)
    assert sheet.times.is_by_offsets
    assert clocks(sheet.release) == ["20 17:30", "20 17:55", "20 18:00"]
    assert clocks(sheet.after) == ["20 18:15", "21 18:00"]
    assert (sheet.times.begins, sheet.times.live, sheet.times.minutes) == (
        SIX.replace(hour=17, minute=30),
        SIX,
        30,
    )
    assert sheet.times.ends == SIX.replace(day=21)


def test_without_offsets_the_durations_follow_one_another():
    sheet = sheet_of(LASTING)
    assert not sheet.times.is_by_offsets
    assert clocks(sheet.release) == ["20 18:00", "20 18:05"]
    assert (sheet.times.live, sheet.times.minutes) == (SIX.replace(minute=20), 20)
    assert [(part.at, part.until) for part in sheet.after] == [
        (SIX.replace(minute=20), SIX.replace(hour=19, minute=20))
    ]


def test_after_a_step_of_unknown_length_there_is_a_sequence_and_no_time():
    sheet = sheet_of(LASTING.replace(" (5 minutes)", ""))
    assert clocks(sheet.release) == ["20 18:00", ""]
    assert (sheet.times.live, sheet.times.untimed, clocks(sheet.after)) == (None, 1, [""])
    assert sheet.times.minutes == 15


def test_a_day_later_is_a_day_later_when_the_clocks_change():
    zero = datetime(2026, 3, 28, 18, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    later = run_sheet(read(TIMED), zero=zero).after[-1].at
    assert later is not None
    assert f"{later:%d %H:%M}" == "29 19:00"  # 24 hours, of which one was left out


# --- what and who ------------------------------------------------------------------------------------------


def test_every_command_and_box_says_who_does_it():
    sheet = sheet_of(TIMED)
    assert [(part.title, part.level) for part in sheet.release] == [
        ("1. Backup (T-30 minutes)", "confirm"),
        ("2. Schema (T-5 minutes)", "confirm"),
        ("3. Open again (T-0)", "confirm"),
    ]
    assert rows(sheet.release[0]) == [
        ("backup", 'pg_dump --file="$BACKUP_FILE" "$DATABASE_URL"', KEY),
        ("box", "The copy was looked at", PERSON),
    ]
    assert rows(sheet.release[1])[1] == ("sql", "SELECT count(*) FROM orders WHERE total IS NULL;", ITSELF)
    assert sheet.release[1].rows[1].expects == "0"


def test_commands_of_the_preparation_are_shown_and_run_by_nobody():
    (code,) = sheet_of(TIMED).before
    assert rows(code) == [
        ("box", "Changes are reviewed", PERSON),
        ("box", "Tests are green", PERSON),
        ("shown", "python manage.py showmigrations", ""),
    ]
    assert [row.is_claimed for row in code.rows] == [False, True, False]
    assert code.rows[2].more == 1


def test_a_box_of_a_step_that_runs_nothing_is_a_persons():
    assert row_of(sheet_of(TIMED), "Reports are complete").who == PERSON


def test_the_command_shown_first_is_the_one_that_says_what_a_script_is_for():
    text = LASTING.replace("git pull", "cd /srv/board\nDAY=1\nmake all\ngit pull")
    row = sheet_of(text).release[0].rows[0]
    assert (row.text, row.more) == ("make all", 3)


def test_a_dangerous_command_is_a_persons_until_somebody_accepts_it():
    text = LASTING.replace("git pull", "rm -rf /srv/board/cache")
    sheet = sheet_of(text)
    row = sheet.release[0].rows[0]
    assert (sheet.release[0].level, row.who) == ("guide", PERSON)
    assert [(mark.kind, mark.id) for mark in row.marks] == [(DANGER, "danger-remove")]
    (matter,) = [mark for mark in sheet.open if mark.kind == DANGER]
    assert (matter.id, matter.lines, "--accept" in matter.hint) == ("danger-remove", (8,), True)


def test_a_placeholder_is_to_decide_and_one_of_gantrys_own_is_not():
    text = LASTING.replace("git pull", "curl https://<host>/<release_version>")
    sheet = sheet_of(text)
    to_fill = [mark.text for mark in sheet.open if mark.id == "fill"]
    assert to_fill == ["<host> is filled by the variable HOST"]


def test_the_same_placeholder_is_decided_once():
    text = LASTING.replace("git pull", "ping -c 1 <host>").replace(
        "sudo systemctl restart board", "ssh-keyscan <host>"
    )
    sheet = sheet_of(text)
    assert [mark.id for mark in sheet.open].count("fill") == 1


# --- the way back, the rest ------------------------------------------------------------------------------------


def test_reasons_are_measured_or_pulled_by_a_person():
    sheet = sheet_of(TIMED)
    assert [(reason.text, reason.metric, reason.response) for reason in sheet.reasons] == [
        ("Error rate > 5% for > 10 minutes", "error_rate", "roll_back"),
        ("Data is damaged", "", "roll_back"),
    ]
    assert sheet.rule == "any"


def test_each_way_back_says_what_it_covers_and_takes():
    ways = sheet_of(TIMED).ways
    assert [(way.covers, way.minutes) for way in ways] == [("CODE", 5), ("RESTORE", 30)]
    assert rows(ways[1].parts[0]) == [("restore", 'pg_restore --dbname="$DATABASE_URL" "$BACKUP_FILE"', KEY)]


def test_what_is_only_for_reading_is_counted_and_what_is_placed_nowhere_is_named():
    sheet = sheet_of(TIMED)
    assert [(aside.role, aside.commands) for aside in sheet.asides] == [("troubleshooting", 1)]
    assert [(place.heading, place.line, place.end) for place in sheet.unplaced] == [("Colours", 82, 82)]


def test_people_and_variables_are_named():
    sheet = sheet_of(TIMED)
    assert sheet.contacts == ("Database on call",)
    assert sheet.variables == ("DATABASE_URL",)
    assert dict(sheet.facts) == {"Risk": "low"}


def test_the_closing_counts_lines_actions_boxes_and_matters():
    counts = sheet_of(TIMED).counts
    filled = sum(bool(line.strip()) for line in TIMED.splitlines())
    # What is placed nowhere is not understood, nor is the line of a problem.
    assert (counts.lines, counts.understood) == (filled, filled - 2)
    assert (counts.actions, counts.actions_back, counts.boxes) == (4, 2, 5)
    assert counts.to_decide == 0


def test_a_text_that_would_deploy_nothing_says_so():
    sheet = sheet_of("# Shop\n\n## Checklist\n\n- [ ] Look\n")
    assert any(mark.kind == DECIDE and "nothing would be deployed" in mark.text for mark in sheet.open)


@pytest.mark.parametrize(
    "text", ["", "\n", "prose", "# Only a title", "- [ ] a box", "```\n", "# a\n\n## b\n\n### c"]
)
def test_poor_texts_have_poor_sheets(text):
    sheet = sheet_of(text)
    assert sheet.counts.actions == 0
    assert sheet.to_json()["times"]["zero"] == SIX.isoformat()


def test_a_contact_without_a_name_is_to_decide():
    text = TIMED.replace(
        "Database on call: Dana", "On call: _____\n- Second line: [Name] - [Phone]\n- Desk: 555"
    )
    (mark,) = [mark for mark in sheet_of(text).open if mark.id == "no-contact"]
    assert (mark.text, mark.lines) == ("Nobody is named for: On call, Second line", (86,))


def test_a_row_of_contacts_without_a_name_is_to_decide():
    table = "| Role | Name | Phone |\n|---|---|---|\n| On call | | |\n| Desk | Dana | TBD |\n"
    sheet = sheet_of(TIMED.replace("- Database on call: Dana\n", table))
    assert [mark.text for mark in sheet.open if mark.id == "no-contact"] == ["Nobody is named for: On call"]
