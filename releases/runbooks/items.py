"""A box: who ticks it, once a release or once a deployment, and whether a release may end without it."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

from .annotations import Note

NOT_REQUIRED = ("rollback_triggers", "troubleshooting", "reference", "maintenance", "contacts")
PER_DEPLOYMENT = (
    "rollback_procedure",
    "deployment_steps",
    "post_deployment",
    "success_criteria",
    "rollback_triggers",
)
OPTIONAL = re.compile(
    r"\((?:optional|if (?:applicable|needed|required|necessary|available|used|any))\b|\boptional\)|^\W*optional\b",
    re.IGNORECASE,
)
CHOICE = re.compile(
    r"\b(status|issues( encountered)?|outcome|result|severity|impact|risk( level)?)\b\W*$", re.IGNORECASE
)
PREPARED = re.compile(
    r"\b(reviewed|written|tested|tried|documented|prepared|created|approved|estimated|trained|planned|read|committed|merged)\b",
    re.IGNORECASE,
)
STAGING = re.compile(r"\bstaging\b|\bbackup (is |was )?(created|tested)\b", re.IGNORECASE)
OBSERVED = re.compile(
    r"\bbackups?\b|\bbacked up\b|\b(environment )?variables?\b|\.env\b|\bsecrets?\b|\bschemas?\b|\bmigrations? (are |were )?(appl|run|exec)"
    r"|\bappl(y|ied)\b.*\bmigrations?\b|\btables? exist|\bindexes\b|\bstaging\b|\bproduction (is|server|environment)\b|\bdisk\b|\bworkers?\b"
    r"|\bcelery\b|\bredis\b|\bcache\b|\bqueues?\b|\bdatabase (is )?(reachable|connect|up|healthy|ready)|\bconnection pool\b|\bcertificates?\b"
    r"|\bDNS\b|\bhealth checks?\b|\bmonitoring\b.*\b(active|running|on|enabled|configured)\b|\bservers?\b|\bservice is\b|\bmemory\b|\bCPU\b",
    re.IGNORECASE,
)


def scope_of(text: str, *, role: str, note: Note) -> str:
    """release: once for the version (review, tests, documents, training); deployment: seen in one environment."""
    if note.scope:
        return note.scope
    if role not in PER_DEPLOYMENT and not note.by and PREPARED.search(text) and not STAGING.search(text):
        return "release"
    if role in PER_DEPLOYMENT or note.by in ("step", "probe", "threshold"):
        return "deployment"
    return "deployment" if OBSERVED.search(text) else "release"


def is_required(text: str, *, role: str, label: str) -> bool:
    """False where a tick fires a trigger, documents a choice, or the text itself says it may be left out."""
    if role in NOT_REQUIRED or OPTIONAL.search(text):
        return False
    return not CHOICE.search(label)
