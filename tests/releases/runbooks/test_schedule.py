"""When a part happens and how long it takes, in the wordings that teams use."""

import pytest

from releases.runbooks import schedule
from releases.runbooks.schedule import When

DAY = 1440.0


@pytest.mark.parametrize(
    ("heading", "when"),
    [
        ("Backup (T-30 minutes)", When(offset=-30.0)),
        ("Backup: T‑30 min", When(offset=-30.0)),
        ("T – 30 min", When(offset=-30.0)),
        ("T minus 30 minutes", When(offset=-30.0)),
        ("T-45 → T-15", When(offset=-45.0, duration=30.0)),
        ("T-2 days", When(offset=-2 * DAY)),
        ("Smoke tests (T+5)", When(offset=5.0)),
        ("Look (T+1h30)", When(offset=90.0)),
        ("Review (T+1 week)", When(offset=7 * DAY)),
        ("Go (T-0)", When(offset=0.0)),
        ("Merge (5 minutes)", When(duration=5.0)),
        ("Merge (approx. 5-10 minutes)", When(duration=5.0)),
        ("Merge [10 min]", When(duration=10.0)),
        ("Merge – 10 minutes", When(duration=10.0)),
        ("Only the program (code, 2 minutes)", When(duration=2.0)),
        ("Migración (10 minutos)", When(duration=10.0)),
        ("Umzug (1,5 Stunden)", When(duration=90.0)),
        ("迁移（10分钟）", When(duration=10.0)),
        ("23:30-00:15 UTC: window", When(duration=45.0)),
        ("HH:MM-HH:MM: window", When()),
        ("14 days before launch", When(offset=-14 * DAY)),
        ("One week before", When(offset=-7 * DAY)),
        ("The day before", When(offset=-DAY)),
        ("Step 4", When()),
        ("The T-shirt shop", When()),
        ("First hour", When()),
    ],
)
def test_a_heading_says_when_its_step_happens(heading: str, when: When) -> None:
    assert schedule.of_heading(heading, windows=False) == when


@pytest.mark.parametrize(
    ("heading", "when"),
    [
        ("First hour", When(offset=0.0, duration=60.0)),
        ("First 24 hours", When(offset=0.0, duration=DAY)),
        ("Within 24 hours", When(offset=0.0, duration=DAY)),
        ("Immediately (0-15 minutes)", When(offset=0.0, duration=15.0)),
        ("Day 1-2", When(offset=0.0, duration=2 * DAY)),
        ("Days 2 to 7", When(offset=DAY, duration=6 * DAY)),
        ("Day 4+", When(offset=3 * DAY)),
        ("Week 1", When(offset=0.0, duration=7 * DAY)),
        ("24-48 hours", When(offset=DAY, duration=DAY)),
        ("48-hour check", When(offset=2 * DAY)),
        ("1 hour post-deployment", When(offset=60.0)),
        ("+15 minutes", When(offset=15.0)),
        ("Primeras 24 horas", When(offset=0.0, duration=DAY)),
        ("Erste Stunde", When(offset=0.0, duration=60.0)),
        ("最初の1時間", When(offset=0.0, duration=60.0)),
        ("上线后24小时", When(offset=DAY)),
        ("Weekly tasks", When()),
        ("Last look", When()),
    ],
)
def test_after_the_release_a_heading_may_name_a_stretch(heading: str, when: When) -> None:
    assert schedule.of_heading(heading, windows=True) == when


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("**Time**: 5 minutes", 5.0),
        ("⏱️ **Duration:** ~15 min", 15.0),
        ("_Duration: 15 minutes_", 15.0),
        ("**Recovery Time:** <1 minute", 1.0),
        ("Expected duration: 30-45 minutes", 30.0),
        ("**Dauer**: 1,5 Stunden", 90.0),
        ("**所要時間**：10分", 10.0),
        ("15 minutes", 15.0),
        ("(about 2 hours)", 120.0),
        ("Time heals in 5 minutes", None),
        ("15 minutes are enough", None),
        ("Duration: HH:MM", None),
    ],
)
def test_a_line_says_how_long_its_step_takes(line: str, minutes: float | None) -> None:
    assert schedule.duration_line(line) == minutes


@pytest.mark.parametrize(
    ("line", "minutes"),
    [
        ("**When**: T-30 minutes", -30.0),
        ("Time: T+2h", 120.0),
        ("Timing is everything", None),
        ("T-30", None),
    ],
)
def test_a_line_says_when_its_step_happens(line: str, minutes: float | None) -> None:
    assert schedule.offset_line(line) == minutes
