"""The text of a shell block as commands: without prompts, comments and here-documents; and its variables."""

import re
from functools import lru_cache

from .texts import rows

SHELLS = frozenset("bash sh shell zsh console shell-session shellsession terminal ksh fish".split())
PROMPT = re.compile(r"\s*(?:\([\w.-]+\) )?[$%❯]\s+")
ROOT_PROMPT = re.compile(r"\s*(?:root@\S+#|\w+@[\w.-]+[:~\w/ .-]*\$)\s+")
CONTINUED = re.compile(r"[ \t]*\\\n\s*")
HEREDOC = re.compile(r"<<[-~]?\s*(['\"]?)(\w+)\1")
VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::?[-=?+][^}]*)?\}|([A-Za-z_]\w*))")
SET = re.compile(
    r"(?:^|[;&|(]\s*|\b(?:export|local|declare|readonly|read|for)\s+(?:-\w+\s+)*)([A-Za-z_]\w*)(?==|\s+in\b|\s*$)",
    re.MULTILINE,
)
# What the engine gives every command of a deployment.
GIVEN = frozenset(
    "SERVICE ENVIRONMENT BASE_URL RELEASE_VERSION RELEASE_COMMIT PREVIOUS_VERSION PREVIOUS_COMMIT BACKUP_FILE"
    " DEPLOYMENT_DATE DEPLOYMENT_TIME GANTRY_KEY".split()
)
SHELL_OWN = GIVEN | frozenset(
    "HOME PATH USER PWD OLDPWD SHELL HOSTNAME LANG TERM TMPDIR RANDOM SECONDS UID EUID IFS LINENO PPID"
    " BASH_SOURCE".split()
)

# How a line begins that is a command rather than prose.
COMMAND_FIRST = re.compile(
    r"(?:sudo\s+)?(?:\./|bin/|/)?(git|curl|wget|python3?|pip3?|npm|npx|yarn|pnpm|node|docker(?:-compose)?|kubectl|helm|psql|pg_dump"
    r"|pg_restore|mysql|mysqldump|sqlite3|systemctl|supervisorctl|pm2|celery|redis-cli|ssh|scp|rsync|tar|cp|mv|rm|mkdir|ls|cd|cat"
    r"|tail|grep|echo|export|source|make|bundle|rails|rake|php|composer|go|cargo|java|mvn|gradle|aws|gcloud|az|heroku|fly|vercel"
    r"|supabase|terraform|ansible(?:-playbook)?|service|chmod|chown|nginx|dig|ping|openssl|kamal|manage\.py)\b"
)


def lines(text: str) -> list[str]:
    """The command lines of a script: continued lines joined, comments, here-documents and blanks left out."""
    return list(_lines(text))


@lru_cache(maxsize=64)
def _lines(text: str) -> tuple[str, ...]:
    found: list[str] = []
    until = ""
    for row in rows(CONTINUED.sub(" ", text)):
        bare = row.strip()
        if until:
            until = "" if bare == until else until
        elif bare:
            found.append(bare)
            opened = HEREDOC.search(bare)
            until = opened[2] if opened else ""
    return tuple(found)


def script_of(language: str, text: str) -> str:
    """The text to run: of a session with prompts, the commands without prompts and answers."""
    given = text.split("\n")
    prompted = [row for row in given if PROMPT.match(row) or ROOT_PROMPT.match(row)]
    if language not in SHELLS or not prompted:
        return text
    return "\n".join(ROOT_PROMPT.sub("", PROMPT.sub("", row, count=1), count=1) for row in prompted) + "\n"


def variables_read(script: str) -> list[str]:
    """Names that the script reads, in order, once; the shell's own and the engine's left out."""
    bare = "\n".join(lines(script))
    names = (first or second for first, second in VARIABLE.findall(bare))
    return [name for name in dict.fromkeys(names) if name not in SHELL_OWN]


def variables_set(script: str) -> set[str]:
    return set(SET.findall("\n".join(lines(script))))
