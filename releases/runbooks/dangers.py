"""The marks that need a second person, and SQL that writes."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from dataclasses import dataclass

from .texts import bare, without_strings

NAME = r"[\"`\w.]+"
# A condition that every row meets.
ALWAYS = r"\(?(TRUE|1\s*=\s*1|1)\)?"
RM = r"(?<![-\w])rm\s+(?!\S+://)([^\n|;&]{0,200}\s)?"
# A state of the tree that may be nowhere else.
COMMIT = r"[\"']?(ORIG_HEAD|HEAD[~^@]|[0-9a-f]{7,40}(?![\w/.-])|<[^>\n]{0,40}(commit|hash|sha))"
# id, what it looks like, why a second person should look at it
DANGERS: tuple[tuple[str, str, str], ...] = (
    (
        "drop",
        r"\bDROP\s+(TABLE|DATABASE|SCHEMA|COLUMN|INDEX|VIEW|TYPE|USER|ROLE|CONSTRAINT|FUNCTION|MATERIALIZED|SEQUENCE|TRIGGER)\b|\bdropdb\s"
        r"|\bdb:(drop|reset|purge)\b|\b(migrate|db) reset\b|\breset_db\b|\bmanage\.py\s+(flush|sqlflush)\b|\bpg:reset\b|--accept-data-loss\b|\bmigrate:(fresh|reset)\b"
        r"|\bmysqladmin\b[^\n|;]{0,200}\sdrop\s|\balembic\s+([^\n|;]{0,100}\s)?downgrade\s+base\b|\bmigrate\b[^\n|;&]{0,200}\szero\b|\.dropDatabase\s*\(",
        "drops something from the database",
    ),
    (
        "truncate",
        r"\bTRUNCATE\s+(TABLE\s+)?[\"`\w]|\btruncate\s+([^\n|;&]{0,200}\s)?(-s|--size)[\s=]*0\b"
        r"|(?<![>&=-])>\s*[\"']?(?!\S*(backup|dump|copy|bak))[^\s|;&>\"']{1,200}\.(sqlite3?|db)[\"']?(?=[\s;&|]|\Z)",
        "empties a table or a file",
    ),
    (
        "delete-all",
        rf"\bDELETE\s+FROM\s+(ONLY\s+)?{NAME}(\s+(AS\s+)?(?!WHERE\b|USING\b)\w+)?(\s+WHERE\s+{ALWAYS})?\s*(;|\"|'|\Z)",
        "deletes every row: no WHERE keeps any",
    ),
    (
        "update-all",
        rf"\bUPDATE\s+(ONLY\s+)?{NAME}(\s+(AS\s+)?(?!SET\b)\w+)?\s+SET\s(?:(?!\bWHERE\b(?!\s+{ALWAYS}\s*(?:;|\"|\Z))|(?<!\\)\"\s)[^;]){{0,400}}(;|\"|\Z)",
        "changes every row: no WHERE keeps any",
    ),
    (
        "remove",
        rf"{RM}(-\w*[rR]\w*\b|--recursive\b|-\w*f\w*\s[^\n|;&]{{0,100}}\*)|\bfind\b[^\n|;]{{0,200}}\s-delete\b|\brsync\b[^\n|;]{{0,200}}\s--del(?!ay)"
        r"|(^|[;&|])\s*(sudo\s+)?shred\s|\bcrontab\s+([^\n|;]{0,100}\s)?-\w*r\b",
        "removes files without asking",
    ),
    (
        "force-push",
        r"\bgit\s+push\b[^\n]{0,200}\s(--force\b(?!-with-lease)|-f\b|--mirror\b|--delete\b|\+\w|:\w)",
        "overwrites or deletes what is in a remote repository",
    ),
    (
        "discard",
        rf"\bgit\s+([^\n|;&]{{0,100}}\s)?reset\b(?=[^\n|;&]{{0,100}}\s--hard\b)[^\n|;&]{{0,100}}\s{COMMIT}"
        r"|\bgit\s+clean\b[^\n]{0,200}\s-\w*f|\bgit\s+stash\s+(drop|clear)\b|\bgit\s+branch\s+-D\b",
        "discards work for good",
    ),
    ("world-writable", r"\bchmod\s+(-R\s+|--recursive\s+)?(0?777|a\+rwx|o\+w)\b", "lets anybody write"),
    (
        "pipe-to-shell",
        r"\b(curl|wget)\b[^|\n]{0,300}(\|[^|\n]{1,200}){0,3}\|\s*(sudo\s+(-\w+\s+)*)?((ba|z|k|da)?sh|python[\d.]*|perl|ruby|node)\b|\b(ba|z)?sh\s+(-c\s+\"\$|<)\(\s*(curl|wget)\b",
        "runs what a web address answers",
    ),
    (
        "pip",
        r"(?<![\w/.-])(pip[\d.]*|python[\d.]*\s+-m\s+pip|uv\s+pip)\s+(-\S+\s+)*(install|uninstall)\b",
        "changes the Python packages of the environment that runs",
    ),
    (
        "flush",
        r"\bFLUSH(ALL|DB)\b|\bcelery\b[^\n|;]{0,200}\s(queue\.)?purge\b",
        "empties the whole Redis, or a queue",
    ),
    (
        "volumes",
        r"\bdocker(-|\s)compose\s+([^\n]{0,200}\s)?down\b[^\n]{0,200}\s(-v|--volumes)\b|\bdocker\s+(system|volume)\s+prune\b|\bdocker\s+volume\s+rm\b",
        "removes volumes with their data",
    ),
    (
        "destroy",
        r"\bterraform\b[^\n]{0,200}\s-{0,2}destroy\b|\bkubectl\s+([^\n]{0,200}\s)?delete\b|\bhelm\s+(uninstall|delete)\b|\baws\s+s3\s+(rm\b[^\n]{0,200}--recursive|rb)\b|\bgsutil\s+(-m\s+)?rm\b|\b(heroku|fly|flyctl)\s+apps:?\s?destroy\b"
        r"|\baws\s[^\n|;]{0,200}\s(delete|terminate)-\w|\baws\s+([^\n|;]{0,100}\s)?s3\s+sync\b[^\n|;]{0,300}\s--delete\b|\bkubectl\s+([^\n|;]{0,200}\s)?scale\b[^\n|;]{0,200}\s--replicas[=\s]+0\b"
        r"|\bcurl\b[^\n|;]{0,300}\s(-X\s*|--request[=\s]+)[\"']?DELETE\b|\bhttps?\s+DELETE\s|^\s*DELETE\s+(https?:/)?/",
        "removes what runs or what is stored in the cloud",
    ),
    ("disk", r"\bmkfs(\.\w+)?\s|\bdd\b[^\n]{0,200}\sof=/dev/|>\s*/dev/(sd|nvme|vd)\w+", "overwrites a disk"),
    (
        "power",
        r"^\s*(sudo\s+)?(reboot|halt|poweroff|shutdown)\b|\bsystemctl\s+(reboot|poweroff|halt)\b",
        "turns the machine off",
    ),
    (
        "sql-function",
        # A name in quotes was left out of SQL: whatever it calls.
        r"\b(pg_(terminate|cancel)_backend|pg_sleep\w*|pg_read_\w+|pg_ls_\w+|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|pg_stat_reset\w*|pg_(try_)?advisory_\w+|dblink\w*|lo_\w+|setval|nextval|set_config|load_file|load_extension)\s*\(|(?<![\w$'\"])_\s*\(",
        "does something although it is written as a question",
    ),
)
DANGER_TABLE = tuple((id, re.compile(mark, re.IGNORECASE | re.MULTILINE), why) for id, mark, why in DANGERS)
# Words of which every mark has one, so that most texts are looked through once.
SIGNS = re.compile(
    r"drop|db:|reset|flush|fresh|accept-data|truncate|delete|update|\brm\b|sync|push|git|chmod|curl|wget|pip|docker|terraform|kubectl|helm|aws|gsutil|heroku|fly|mkfs|shred|crontab|downgrade|zero|celery|http|pg_|dblink|lo_|setval|nextval|set_config|load_|sqlite|\.db\b|_\s*\(|\bdd\b|/dev/|reboot|halt|poweroff|shutdown",
    re.IGNORECASE,
)
# A pip that is pointed at a folder, at an environment, or at wheels that were looked at before.
PIP_AIMED = re.compile(r"\s(--target|-t|--prefix|--root|--python|--dry-run|--no-index)\b")
ACTIVATED = re.compile(r"(^|[;&]\s*)(source|\.)\s+\S*activate\b", re.MULTILINE)

SQL_WRITE = re.compile(
    r"\s*(INSERT|UPDATE|DELETE|DROP|ALTER|CREATE|TRUNCATE|GRANT|REVOKE|MERGE|REPLACE|COPY|VACUUM|REINDEX|CALL|DO|LOCK|RENAME|CLUSTER|REFRESH)\b",
    re.IGNORECASE,
)
SQL_WRITE_INSIDE = re.compile(
    r"\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+[\w.\"]+\s+SET|INTO\s+(OUTFILE|TEMP|TABLE))\b", re.IGNORECASE
)
SQL_WRITES = "sql-writes"


@dataclass(frozen=True, kw_only=True)
class Danger:
    """A mark found in a command: `offset` counts lines from the block's first, -1 is the fence itself."""

    id: str
    why: str
    words: str
    offset: int


def dangers(text: str, *, kind: str) -> tuple[Danger, ...]:
    """Every mark outside comments (and, in SQL, outside strings), once a line and kind of danger, by lines."""
    plain = without_strings(text) if kind == "sql" else bare(text, kind).replace("\\\n", " \n")
    found: dict[tuple[int, str], Danger] = {}
    for id, mark, why in DANGER_TABLE if SIGNS.search(plain) else ():
        for match in mark.finditer(plain):
            if id == "pip" and _is_aimed(plain, match):
                continue
            offset = plain.count("\n", 0, match.start() + len(match[0]) - len(match[0].lstrip()))
            danger = Danger(id=f"danger-{id}", why=why, words=_words(match[0]), offset=offset)
            found.setdefault((offset, id), danger)
    if kind == "sql" and writes(text):
        found[-1, SQL_WRITES] = Danger(id="sql-writes", why="changes something", words="This SQL", offset=-1)
    return tuple(sorted(found.values(), key=lambda danger: danger.offset))


def writes(sql: str) -> bool:
    """Whether any statement of the text may change something."""
    plain = without_strings(sql)
    return any(SQL_WRITE.match(part) or SQL_WRITE_INSIDE.search(part) for part in plain.split(";"))


def _is_aimed(text: str, pip: re.Match[str]) -> bool:
    stop = text.find("\n", pip.end())
    own = text[pip.end() : stop if stop >= 0 else len(text)]
    return bool(PIP_AIMED.search(own) or ACTIVATED.search(text, 0, pip.start()))


def _words(match: str) -> str:
    return " ".join(match.split()).rstrip(";\"'")[:80]
