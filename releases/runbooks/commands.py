"""What a fence is and does: its kind, typed action, expectation, dangers and placeholders."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Iterator
from dataclasses import dataclass

SHELLS = frozenset("bash sh shell zsh console shell-session shellsession terminal ksh fish".split())
CONFIGS = frozenset(
    "yaml yml json jsonc json5 toml ini env dotenv conf cfg nginx properties dockerfile docker hcl terraform tf xml"
    " systemd apache caddyfile helm diff patch".split()
)
TEXTS = frozenset("markdown md text txt plain plaintext output log mermaid none ascii csv email".split())
SQLS = frozenset("sql pgsql postgresql postgres mysql plpgsql tsql psql sqlite sqlite3".split())

ASSIGNMENT = re.compile(r"(?:export\s+|set\s+-x\s+)?[A-Za-z_]\w*=")
PURE_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=(?:\"[^\"$`]*\"|'[^']*'|[^\s$`;&|]*(?:\s+#.*)?$|<[^>]*>)")
PROMPT = re.compile(r"\s*(?:\([\w.-]+\) )?[$%❯]\s+")
ROOT_PROMPT = re.compile(r"\s*(?:root@\S+#|\w+@[\w.-]+[:~\w/ .-]*\$)\s+")
LOG_LINE = re.compile(
    r"\[[^\]\s][^\]]*\]\s|\d{4}-\d\d-\d\d[T ]\d\d:|\d\d:\d\d:\d\d\s|(INFO|DEBUG|WARN|ERROR)[\s:]"
)
HEREDOC = re.compile(r"<<[-~]?\s*(['\"]?)(\w+)\1")
SQL_FIRST = re.compile(
    r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE|ALTER|CREATE|DROP|EXPLAIN|TRUNCATE|GRANT|BEGIN)\b[^\n]*", re.I
)
COMMAND_FIRST = re.compile(
    r"(?:sudo\s+)?(?:\./|bin/|/)?(git|curl|wget|python3?|pip3?|npm|npx|yarn|pnpm|node|docker(?:-compose)?|kubectl|helm|psql|pg_dump"
    r"|pg_restore|mysql|mysqldump|sqlite3|systemctl|supervisorctl|pm2|celery|redis-cli|ssh|scp|rsync|tar|cp|mv|rm|mkdir|ls|cd|cat"
    r"|tail|grep|echo|export|source|make|bundle|rails|rake|php|composer|go|cargo|java|mvn|gradle|aws|gcloud|az|heroku|fly|vercel"
    r"|supabase|terraform|ansible(?:-playbook)?|service|chmod|chown|nginx|dig|ping|openssl|kamal|manage\.py)\b"
)
SUBJECT = re.compile(
    r"\s*(subject|to|from|hi|hello|dear|team|@here|@channel|@\w+|:\w+:)\b[\s:,]", re.IGNORECASE
)

# Lines that belong to any typed block and make none of it.
NEUTRAL = re.compile(r"(?:export\s+)?[A-Za-z_]\w*=(?!.*\s[;&|])|set\s+-|echo\b|cd\s|true$|date\b|:$|sudo -v$")
SCRIPT = r"(?:sudo\s+)?(?:bash\s+|sh\s+)?(?:\./|/)?(?:[\w.-]+/)*[\w.-]+"
MANAGE = r"(?:.*\s)?"

# action: (what at least one line does, what other lines may do)
ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "backup",
        r".*\b(pg_dump|pg_dumpall|mysqldump|mariadb-dump|supabase db dump)\b|sqlite3\s.*\.backup\b",
        r".*\bpg_restore\s+(--list|-l)\b|(ls|du|stat|sha256sum|gzip|test|mkdir|head|wc|file)\b|sqlite3\s.*integrity_check",
    ),
    (
        "restore",
        r".*\bpg_restore\b(?!.*\s(--list|-l)\b)|.*\bpsql\b.*\s(-f|--file|<)[\s=]|.*\bmysql\b.*\s<\s|sqlite3\s.*\.restore\b|.*\|\s*psql\b",
        r"(dropdb|createdb)\b|sqlite3\s.*integrity_check",
    ),
    (
        "maintenance",
        rf"{MANAGE}\S*maintenance(_mode|-mode)?\s+(on|off)\b",
        rf"{MANAGE}\S*maintenance(_mode|-mode)?\s+status\b",
    ),
    (
        "drain",
        rf".*\bcelery\b.*\bcontrol\s+(shutdown|cancel_consumer)\b|{SCRIPT}\s+drain\b",
        r".*\bcelery\b.*\binspect\s+\w+",
    ),
    (
        "code",
        r"git\s+(-C\s+\S+\s+)?(fetch|checkout|pull|reset|switch)\b",
        r"git\s+(-C\s+\S+\s+)?(log|status|rev-parse|describe|show|branch|diff)\b",
    ),
    (
        "migrate",
        rf"{MANAGE}migrate\b(?!.*\s--(plan|check|list)\b)|{SCRIPT}\s+(db:migrate|migrate|db upgrade)\b|alembic upgrade\b|flask db upgrade\b",
        rf"{MANAGE}(migrate\s+--(plan|check|list)|showmigrations|makemigrations\s+--check)\b",
    ),
    ("features", rf"{MANAGE}configure_(\w+_)?features\b", rf"{MANAGE}show_(\w+_)?config\b"),
    ("cache", rf"{MANAGE}clear_?cache\b|{SCRIPT}\s+cache:clear\b", r"redis-cli\s+ping\b"),
    (
        "restart",
        rf"(sudo\s+)?(systemctl|supervisorctl|pm2|service\s+\S+)\s+(restart|reload)\b|(sudo\s+)?service\s+\S+\s+restart\b"
        rf"|docker(-|\s)compose\s+(\S+\s+)*restart\b|kubectl\s+rollout\s+restart\b|{SCRIPT}\s+restart\b",
        rf"(sudo\s+)?(systemctl|supervisorctl|pm2)\s+(status|is-active|list)\b|kubectl\s+rollout\s+status\b|sleep\s|{SCRIPT}\s+status\b",
    ),
)
ACTION_TABLE = tuple((name, re.compile(does), re.compile(may)) for name, does, may in ACTIONS)

DANGERS: tuple[tuple[str, str, str], ...] = (
    (
        "drop",
        r"\bDROP\s+(TABLE|DATABASE|SCHEMA|COLUMN|INDEX|VIEW|TYPE|USER|ROLE|CONSTRAINT|FUNCTION)\b|\bdropdb\s",
        "drops something from the database",
    ),
    ("truncate", r"\bTRUNCATE\s+(TABLE\s+)?[\"`\w]", "empties a table"),
    ("delete-all", r"\bDELETE\s+FROM\s+[\"`\w.]+\s*(;|$|\")", "deletes every row: there is no WHERE"),
    (
        "remove",
        r"\brm\s+(-\w+\s+)*(-\w*r\w*f|-\w*f\w*r|-r\s+-f|-f\s+-r|--recursive\s+--force)\b",
        "removes a folder without asking",
    ),
    (
        "force-push",
        r"\bgit\s+push\b.*\s(--force\b(?!-with-lease)|-f\b|\+\w)",
        "overwrites the history of a remote branch",
    ),
    ("world-writable", r"\bchmod\s+(-R\s+|--recursive\s+)?0?777\b", "lets anybody write"),
    (
        "pipe-to-shell",
        r"\b(curl|wget)\b[^|\n]*\|\s*(sudo\s+)?(ba|z|k)?sh\b",
        "runs what a web address answers",
    ),
    ("flush", r"\bFLUSH(ALL|DB)\b", "empties the whole Redis"),
    (
        "volumes",
        r"\bdocker(-|\s)compose\s+down\b.*\s(-v|--volumes)\b|\bdocker\s+system\s+prune\b",
        "removes volumes with their data",
    ),
)
DANGER_TABLE = tuple((id, re.compile(mark, re.IGNORECASE | re.MULTILINE), why) for id, mark, why in DANGERS)

PLACEHOLDER = re.compile(
    r"<[A-Za-z][\w .:/-]{0,40}>(?!>)"
    r"|\[\[\s?[A-Za-z][\w -]{0,40}\s?\]\]"
    r"|\b(?:YOUR|REPLACE|CHANGE|INSERT|MY)_[A-Z][A-Z0-9_]*\b|\bCHANGEME\b|\bTODO\b|\bFIXME\b"
    r"|\bYYYY-?MM-?DD(?:[_-]?HH-?MM(?:-?SS)?)?\b|\bv?X\.Y(?:\.Z)?\b|(?<![\w.])X{3,}(?![\w])"
    r"|(?<![\w/.-])(?:/[\w.-]+)*/?path/to(?:/[\w.-]+)*"
    r"|(?<![\w.-])(?:[\w-]+\.)*your-?[a-z][a-z-]*(?:\.[a-z]{2,6})+\b"
    r"|(?<![\w.-])your-[a-z][a-z-]*(?![\w.-])"
    r"|(?<![\w.-])(?:[\w-]+\.)*example\.(?:com|org|net)\b"
    r"|_{4,}"
)
HTML_TAGS = frozenset(
    "a b br div em i img input li p pre span strong table td th tr ul ol html body head script style".split()
)
VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?[-=?+][^}]*)?\}|([A-Za-z_]\w*))")
SET = re.compile(
    r"(?:^|[;&|(]\s*|\b(?:export|local|declare|readonly|read|for)\s+(?:-\w+\s+)*)([A-Za-z_]\w*)(?==|\s+in\b|\s*$)",
    re.MULTILINE,
)
SHELL_OWN = frozenset(
    "HOME PATH USER PWD OLDPWD SHELL HOSTNAME LANG TERM TMPDIR RANDOM SECONDS UID EUID IFS LINENO PPID BASH_SOURCE"
    " SERVICE ENVIRONMENT BASE_URL RELEASE_VERSION RELEASE_COMMIT PREVIOUS_VERSION PREVIOUS_COMMIT BACKUP_FILE".split()
)

SQL_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
SQL_STRING = re.compile(r"'(?:[^']|'')*'")
SQL_WRITE = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|TRUNCATE|GRANT|REVOKE|MERGE|REPLACE|COPY|VACUUM|REINDEX|CALL|DO|LOCK|RENAME|CLUSTER|REFRESH)\b",
    re.IGNORECASE,
)
SQL_WRITE_INSIDE = re.compile(
    r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+[\w.\"]+\s+SET|INTO\s+(OUTFILE|TEMP|TABLE))\b", re.IGNORECASE
)

EXPECT_COMMENT = re.compile(
    r"(?:#|--|//)\s*(?:verify:\s*)?(?:(?:expected|expect|expects|expected (?:output|result|answer|response))\s*[:=]"
    r"|(?:should|must) (?:output|return|print|show|be|see|say|answer|match)\b:?|(?:output|returns?|result)\s*:)\s*(.+)",
    re.IGNORECASE,
)
EXPECT_LINE = re.compile(
    r"^[*_\s]*(?:expected|expect|expects|expected (?:output|result|results|answer|response)|should (?:output|return|print|show|be)|expected to (?:return|show|be))"
    r"[*_]*\s*:?[*_]*\s*(.*)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Danger:
    """A mark found in a command: `offset` counts lines from the block's first."""

    id: str
    why: str
    words: str
    offset: int


def kind_of(language: str, text: str, *, role: str, context: str) -> str:
    """shell | sql | http | config | sample | message | snippet; `context` is the heading and label above it."""
    if language in SHELLS or language in ("bat", "powershell", "ps1"):
        return _kind_of_shell(text, context) if language in SHELLS else "snippet"
    if language in SQLS:
        return "sql"
    if language in ("http", "rest"):
        return "http"
    if language in CONFIGS:
        return "config"
    if language in TEXTS:
        return "message" if role == "communications" else "sample"
    return "snippet" if language else _guess(text, role)


def lines(text: str) -> list[str]:
    """The command lines of a script: continued lines joined, comments, here-documents and blanks left out."""
    found: list[str] = []
    until = ""
    for line in re.sub(r"[ \t]*\\\n\s*", " ", text).split("\n"):
        bare = _uncommented(line).strip()
        if until:
            until = "" if line.strip() == until else until
        elif bare:
            found.append(bare)
            opened = HEREDOC.search(bare)
            until = opened[2] if opened else ""
    return found


def script_of(language: str, text: str) -> str:
    """The text to run: of a session with prompts, the commands without prompts and answers."""
    rows = text.split("\n")
    prompted = [row for row in rows if PROMPT.match(row) or ROOT_PROMPT.match(row)]
    if language not in SHELLS or not prompted:
        return text
    return "\n".join(ROOT_PROMPT.sub("", PROMPT.sub("", row, count=1), count=1) for row in prompted) + "\n"


def action_of(script: str) -> str:
    """The typed action that the whole script is, else ""."""
    rows = [row for row in lines(script) if not NEUTRAL.match(row)]
    if not rows:
        return ""
    for name, does, may in ACTION_TABLE:
        acts = [bool(does.match(row)) for row in rows]
        if any(acts) and all(act or may.match(row) for act, row in zip(acts, rows, strict=True)):
            return name
    return ""


def direction_of(script: str) -> str:
    """ "on" or "off" of a maintenance block, else ""."""
    found = re.search(r"maintenance(?:_mode|-mode)?\s+(on|off)\b", " ".join(lines(script)))
    return found[1] if found else ""


def expectations(text: str) -> list[str]:
    """What comments in the block say should come out."""
    return [_clean(found) for found in EXPECT_COMMENT.findall(text) if found.strip()]


def expectation_after(text: str) -> str | None:
    """What a line after the block expects: "" when only the label stands there; None when it is no such line."""
    found = EXPECT_LINE.match(text)
    return _clean(found[1]) if found else None


def dangers(text: str, *, kind: str) -> Iterator[Danger]:
    """Every mark outside comments (and, in SQL, outside strings), once a line and kind of danger."""
    for offset, line in enumerate(_bare(text, kind).split("\n")):
        for id, mark, why in DANGER_TABLE:
            found = mark.search(line)
            if found:
                yield Danger(id=f"danger-{id}", why=why, words=" ".join(found[0].split()), offset=offset)


def placeholders(text: str) -> list[tuple[str, int]]:
    """Each placeholder outside comments with its line offset, in order, once."""
    seen: dict[str, int] = {}
    for offset, line in enumerate(text.split("\n")):
        for found in PLACEHOLDER.finditer(_uncommented(line)):
            if found[0].strip("<>/").lower() not in HTML_TAGS:
                seen.setdefault(found[0], offset)
    return list(seen.items())


def variables_read(script: str) -> list[str]:
    """Names that the script reads, in order, once; the shell's own and the engine's left out."""
    bare = "\n".join(lines(script))
    names = (first or second for first, second in VARIABLE.findall(bare))
    return [name for name in dict.fromkeys(names) if name not in SHELL_OWN]


def variables_set(script: str) -> set[str]:
    return set(SET.findall("\n".join(lines(script))))


def writes(sql: str) -> bool:
    """Whether any statement of the text may change something."""
    bare = SQL_STRING.sub("''", SQL_COMMENT.sub(" ", sql))
    return any(SQL_WRITE.match(part) or SQL_WRITE_INSIDE.search(part) for part in bare.split(";"))


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
    return "shell"


def _guess(text: str, role: str) -> str:
    rows = [row.strip() for row in text.split("\n") if row.strip()]
    if not rows:
        return "sample"
    if role == "communications" or SUBJECT.match(rows[0]):
        return "message"
    if any(PROMPT.match(row) for row in rows) or all(
        COMMAND_FIRST.match(row) for row in lines(text) or ["-"]
    ):
        return "shell"
    if SQL_FIRST.match(text) and ";" in text:
        return "sql"
    return "config" if all(PURE_ASSIGNMENT.match(row) or row.startswith("#") for row in rows) else "sample"


def _bare(text: str, kind: str) -> str:
    """Without comments; "--" begins one in SQL and an option in a shell."""
    if kind == "sql":
        return SQL_STRING.sub("''", SQL_COMMENT.sub(_newlines, text))
    return "\n".join(_uncommented(line) for line in text.split("\n"))


def _newlines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _uncommented(line: str) -> str:
    """The line without its shell comment; a # in quotes or within a word is none."""
    if "#" not in line:
        return line
    quote = ""
    for place, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (place == 0 or line[place - 1] in " \t;"):
            return line[:place]
    return line


def _clean(text: str) -> str:
    return text.strip().strip("*_ ").rstrip("✅✔☑ ").strip()
