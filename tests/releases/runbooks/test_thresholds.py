"""Phrases as teams write them, and what each limits."""

from dataclasses import replace

import pytest

from releases.runbooks.document import Threshold
from releases.runbooks.thresholds import Context, find

HERE = Context(role="rollback_triggers", heading="Rollback triggers")


def said(threshold: Threshold) -> str:
    """A threshold in a line: metric, operator, value, unit and what else is known of it."""
    parts = [threshold.metric, threshold.op, f"{threshold.value.normalize():f}", threshold.unit]
    parts += [f"for {threshold.for_minutes:g}"] if threshold.for_minutes else []
    parts += [f"window {threshold.window_minutes:g}"] if threshold.window_minutes else []
    return " ".join([*parts, *(["relative"] if threshold.relative_to_baseline else [])])


def read(phrase: str, context: Context = HERE) -> list[str]:
    return [said(found) for found in find(phrase, line=1, context=context)]


PHRASES = {
    # operators and values
    "**Answers** < **800ms**": ["answers < 800 ms"],
    "**Error rate**: **< 1%**": ["error_rate < 1 percent"],
    "Error rate `> 5%`": ["error_rate > 5 percent"],
    "Error rate \\> 5&nbsp;%": ["error_rate > 5 percent"],
    "Queue depth ≥ 6,000": ["queue_length >= 6000 count"],
    "Throughput ≥ 6,000 req/sec": ["throughput >= 6000 req/s"],
    "Memory under 512Mi": ["memory_usage < 512 MB"],
    "Memory stays within 512 MB": ["memory_usage <= 512 MB"],
    "Sockets <50% of pool": ["sockets < 50 percent"],
    "Survey score >4/5": ["survey_score > 4 score"],
    "More than 1 lost parcel": ["lost_parcel > 1 count"],
    "at least 99.9% availability": ["uptime >= 99.9 percent"],
    "Mails acceptable (>80%)": ["mails > 80 percent"],
    "95% or more of the mails arrive": ["of_the_mails_arrive >= 95 percent"],
    "Error rate: 0.5% or less": ["error_rate <= 0.5 percent"],
    "Disk reaches 90%": ["disk_usage >= 90 percent"],
    "CPU should not exceed 70%": ["cpu_usage <= 70 percent"],
    "Uptime never below 99%": ["uptime >= 99 percent"],
    "Lag greater than or equal to 30 s": ["lag >= 30 s"],
    "Python 3.11+ is installed": ["python >= 3.11 version"],
    "5+ lost carts in 10 minutes": ["lost_carts >= 5 count window 10"],
    "Load > 10k rps": ["load > 10000 req/s"],
    # several on a line
    "Error rate: warning > 1%, critical > 5%": ["error_rate > 1 percent", "error_rate > 5 percent"],
    "Disk: warning at 70%, critical at 90%": ["disk_usage >= 70 percent", "disk_usage >= 90 percent"],
    "Budget burn > 2x for 1h or > 10x for 5m": ["budget_burn > 2 x for 60", "budget_burn > 10 x for 5"],
    "p95 < 300ms and p99 < 1 s": ["p95_response_time < 300 ms", "p99_response_time < 1 s"],
    "Latency: <200ms (mean), <500ms (p95)": ["response_time < 200 ms", "p95_response_time < 500 ms"],
    "Error rate between 1% and 5%": ["error_rate >= 1 percent", "error_rate <= 5 percent"],
    "Pressure should be 200–500 ms": ["pressure >= 200 ms", "pressure <= 500 ms"],
    # targets without an operator
    "Target <3s": ["triggers < 3 s"],
    "Uptime (target: 99.9%)": ["uptime >= 99.9 percent"],
    "Response time target: 200ms": ["response_time <= 200 ms"],
    "Max start time: 2 s": ["max_start_time <= 2 s"],
    # sustained, and windows
    "Error rate >5% for >15 minutes": ["error_rate > 5 percent for 15"],
    "Error rate > 5% for 2-3 minutes": ["error_rate > 5 percent for 3"],
    "Error rate > 5% for 5 to 10 minutes": ["error_rate > 5 percent for 10"],
    "Error rate >5% (>15 min)": ["error_rate > 5 percent for 15"],
    "Error rate >5%, sustained 10 minutes": ["error_rate > 5 percent for 10"],
    "CPU > 80% for 3 consecutive intervals": ["cpu_usage > 80 percent"],
    "CPU > 80% for 3 consecutive 5-minute intervals": ["cpu_usage > 80 percent for 15"],
    "Error rate > 5% in last hour": ["error_rate > 5 percent window 60"],
    "Error rate > 5% (5m window)": ["error_rate > 5 percent window 5"],
    "Error rate (5m) > 5%": ["error_rate > 5 percent window 5"],
    "Error rate > 2% over 10 minutes": ["error_rate > 2 percent window 10"],
    "no more than 3 complaints in first hour": ["complaints <= 3 count window 60"],
    "More than 50 errors/hour": ["errors > 50 count window 60"],
    # against a baseline, and not
    "Answers >50% slower": ["answers > 50 percent relative"],
    "Error rate >5% increase": ["error_rate > 5 percent relative"],
    "Sales degraded >20%": ["sales > 20 percent relative"],
    "Sales drop > 10% vs. baseline": ["sales > 10 percent relative"],
    "Latency < 110% of baseline": ["response_time < 110 percent relative"],
    "Latency increase < 500ms": ["latency_increase < 500 ms relative"],
    "Error rate 5x baseline": ["error_rate > 5 x relative"],
    "Latency within 10% of baseline": ["response_time <= 10 percent relative"],
    "Latency exceeds baseline by 20%": ["response_time > 20 percent relative"],
    "P95 > baseline + 20%": ["p95_response_time > 20 percent relative"],
    "Latency >1500ms (worse than baseline)": ["response_time > 1500 ms"],
    "Memory growing >500MB/hour": ["memory_growing > 500 MB/hour"],
    # other languages
    "Tasa de error superior al 5 % durante 10 minutos": ["error_rate > 5 percent for 10"],
    "Taxa de erro acima de 2,5% por mais de 10 minutos": ["error_rate > 2.5 percent for 10"],
    "Taux d'erreur supérieur à 5 % pendant 10 minutes": ["error_rate > 5 percent for 10"],
    "Antwortzeit über 1,5 Sekunden für 10 Minuten": ["response_time > 1.5 s for 10"],
    "Antwortzeit unter 1.500 ms": ["response_time < 1500 ms"],
    "错误率超过 5% 持续 10 分钟": ["error_rate > 5 percent for 10"],
    "响应时间小于等于 500毫秒": ["response_time <= 500 ms"],
    "エラー率が5%を超えた状態が10分続く": ["error_rate > 5 percent for 10"],
    "応答時間が500ms未満": ["response_time < 500 ms"],
    "Доля ошибок выше 5 % в течение 15 минут": ["error_rate > 5 percent for 15"],
    # how old something may be
    "Backup is less than 24 hours old": ["backup < 24 hours"],
    "Certificate valid for more than 30 days": ["certificate_valid > 30 days"],
}

NOTHING = (
    "Error rate > [X%]",
    "Error rate <5%>",
    "Error rate > X%",
    "Error rate >",
    "All 98/98 tests pass",
    "Hits went 50% → 62.5%",
    "Pool is set (pool_size=20)",
    "Ask for /orders?limit=5",
    "Look at the 95%ile",
    "Compare 10% vs 50%",
    "Alert says `error_rate > 5%`",
    "Raise it to 20",
    "Wait at least 10 minutes",
    "Answer within 10 minutes",
    "Monitor for >15 minutes",
    "Monitor for 24-48 hours",
    "Traffic is shifted over 30 minutes",
    "The cache may take up to 10 minutes",
    "Traffic reaches 50%",
    "Settings > 2FA is on",
    "Order at least 14 days before",
    "Logs more than 30 days old are gone",
    "Version > 2.0.1",
    "if (count > 5) { stop }",
    "One line<br>5% of it",
    "Run it 3 times",
    "Nobody waits",
)


@pytest.mark.parametrize(("phrase", "expected"), PHRASES.items(), ids=PHRASES.keys())
def test_a_phrase_says_what_it_limits(phrase: str, expected: list[str]) -> None:
    assert read(phrase) == expected


@pytest.mark.parametrize("phrase", NOTHING)
def test_what_only_looks_like_a_limit_is_none(phrase: str) -> None:
    assert read(phrase) == []


def test_a_time_given_once_holds_for_the_whole_list() -> None:
    listed = replace(HERE, label="Roll back when any of these holds for 10 minutes:")

    assert read("Error rate > 5%", listed) == ["error_rate > 5 percent for 10"]


def test_how_long_somebody_watches_is_not_how_long_a_limit_holds() -> None:
    assert read("Error rate > 5%", replace(HERE, label="Watch for 24 hours:")) == ["error_rate > 5 percent"]


@pytest.mark.parametrize(
    ("row", "column", "cell", "expected"),
    [
        ("Error rate", "Roll back", "> 5%", ["error_rate > 5 percent"]),
        ("Error rate", "Critical", "5%", ["error_rate > 5 percent"]),
        ("Uptime", "Critical", "99%", ["uptime < 99 percent"]),
        ("Uptime", "Target", "99.9%", ["uptime >= 99.9 percent"]),
        ("Latency", "Limit", "2 s", ["response_time <= 2 s"]),
        ("Latency", "Today", "2 s", []),
    ],
)
def test_a_cell_is_read_with_its_row_and_column(
    row: str, column: str, cell: str, expected: list[str]
) -> None:
    assert read(cell, replace(HERE, row=row, column=column)) == expected


def test_an_operator_may_stand_in_the_cell_before() -> None:
    assert read("5%", replace(HERE, row="Error rate", column="Value", operator=">")) == [
        "error_rate > 5 percent"
    ]


def test_the_words_of_a_range_stay_together() -> None:
    assert [found.text for found in find("Load between 1% and 5% is fine", line=1, context=HERE)] == [
        "Load between 1% and 5%",
        "between 1% and 5% is fine",
    ]


def test_people_and_messages_set_no_limits() -> None:
    assert read("Answers in < 5 minutes", replace(HERE, role="contacts")) == []
