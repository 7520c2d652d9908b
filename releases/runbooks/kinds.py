"""What a fence is: shell, SQL, a request, configuration, output, a message or program text."""

import re

from .requests import request_in, request_of
from .script import COMMAND_FIRST, PROMPT, SHELLS, lines

CONFIGS = frozenset(
    "yaml yml json jsonc json5 toml ini env dotenv conf cfg nginx properties dockerfile docker hcl terraform tf xml"
    " systemd apache caddyfile helm diff patch".split()
)
TEXTS = frozenset("markdown md text txt plain plaintext output log mermaid none ascii csv email".split())
REQUESTS = ("http", "rest")
SQLS = frozenset("sql pgsql postgresql postgres mysql plpgsql tsql psql sqlite sqlite3".split())
PURE_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=(?:\"[^\"$`]*\"|'[^']*'|[^\s$`;&|]*(?:\s+#.*)?$|<[^>]*>)")
LOG_LINE = re.compile(
    r"\[[^\]\s][^\]]*\]\s|\d{4}-\d\d-\d\d[T ]\d\d:|\d\d:\d\d:\d\d\s|(INFO|DEBUG|WARN|ERROR)[\s:]"
)
SQL_FIRST = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|EXPLAIN|TRUNCATE|GRANT|BEGIN)\b[^\n]*", re.I
)
SUBJECT = re.compile(
    r"\s*(subject|to|from|hi|hello|dear|team|@here|@channel|@\w+|:\w+:)\b[\s:,]", re.IGNORECASE
)


def kind_of(language: str, text: str, *, role: str, context: str) -> str:
    """shell | sql | http | config | sample | message | snippet; `context` is the heading and label above it."""
    if language in SHELLS:
        return _kind_of_shell(text, context)
    if language in SQLS:
        return "sql"
    if language in REQUESTS:
        return "http" if request_in(text) else "sample"
    if language in CONFIGS:
        return "config"
    if language in TEXTS:
        return "message" if role == "communications" else "sample"
    return "snippet" if language else _guess(text, role)


def _kind_of_shell(text: str, context: str) -> str:
    rows = lines(text)
    if not rows:
        return "snippet"
    if all(LOG_LINE.match(row) for row in rows):
        return "sample"
    if all(PURE_ASSIGNMENT.match(row) for row in rows) and re.search(
        r"environment|variable|config|\.env|setting|secret", context, re.I
    ):
        return "config"
    return "http" if request_of(text) else "shell"


def _guess(text: str, role: str) -> str:
    rows = [row.strip() for row in text.split("\n") if row.strip()]
    if not rows:
        return "sample"
    if role == "communications" or SUBJECT.match(rows[0]):
        return "message"
    if any(PROMPT.match(row) for row in rows) or all(
        COMMAND_FIRST.match(row) for row in lines(text) or ["-"]
    ):
        return "http" if request_of(text) else "shell"
    if SQL_FIRST.match(text) and ";" in text:
        return "sql"
    return "config" if all(PURE_ASSIGNMENT.match(row) or row.startswith("#") for row in rows) else "sample"
