"""What a section is for, by the wording of its heading: a literal table, first match wins."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

from .words import Table, Words, load

# Wordings are matched in lower case, without glyphs and numbering. The order settles who wins.
WORDINGS: tuple[tuple[str, str], ...] = (
    (
        "reference",
        r"\btemplates?\b|\bappendix\b|\bglossary\b|\bchange ?log\b|\bversion history\b|\brevision history\b",
    ),
    (
        "other",
        r"^next steps\b|\blessons learned\b|\bplanning\b|\bout of scope\b|\bfuture (work|improvements)\b",
    ),
    (
        "rollback_triggers",
        r"\b(rollback|roll back|roll-back|revert|abort)\b.*\b(triggers?|criteria|conditions?|decision|thresholds?|matrix)\b"
        r"|^(rollback|roll back|roll-back|revert|abort) (immediately )?(if|when)\b"
        r"|\bwhen (to|(?:should|do|must|would) (?:we|you)) (roll ?back|roll-back|abort|revert|(turn|go) back|back out)\b|\b(triggers?|criteria|decision|conditions?)\b.*\b(rollback|roll back|abort)\b"
        r"|\b(go|no)[-/ ]?(no-?)?go\b.*\brollback\b|\binvestigate first\b|\bstop conditions?\b",
    ),
    (
        "communications",
        r"\b(communications?|announcements?|notifications?|stakeholder (updates?|notice)|status page)\b.*|\bnotify\b|\bmessages? to\b",
    ),
    (
        "rollback_procedure",
        r"\b(rollback|roll back|roll-back|rolling back|backout|back-out|revert(ing)?|(turn|go)(ing)? back|back(ing)? out|undo(ing)?|way back|disaster recovery|recovery (plan|procedures?|steps))\b",
    ),
    (
        "signoff",
        r"\bsign[- ]?offs?\b|\bapprovals?\b|\bapproved by\b|\bsigned\b|\bwho signs\b|\bauthori[sz]ation to\b|\bsignatures?\b",
    ),
    (
        "contacts",
        r"\bcontacts?\b|\bon[- ]?call\b|\bescalations?\b|\b(team|deployment) roles\b|\broles (and|&) responsibilit|\bwho to call\b|\bpoints? of contact\b|\bresponsible (people|persons?|team)\b",
    ),
    (
        "troubleshooting",
        r"\btrouble[- ]?shoot|\b(known|common) (issues?|problems?|errors?)\b|\bfaq\b|\bworkarounds?\b|\bif something goes wrong\b|\bdebugging\b|\bgotchas?\b",
    ),
    (
        "success_criteria",
        r"\bsuccess (criteria|metrics|indicators?|conditions?|measures?)\b|\bsuccessful if\b|\bacceptance criteria\b|\bdefinition of done\b"
        r"|\bexit criteria\b|\bdone when\b|\b(go|no)[-/ ]?(no-?)?go (criteria|checklist)\b|\bkpis?\b",
    ),
    (
        "maintenance",
        r"\bmaintenance (tasks?|schedule|plan|procedures?)\b|^(ongoing |regular |routine |scheduled )?maintenance$|\b(weekly|monthly|quarterly|daily) (tasks?|maintenance)\b|\bhousekeeping\b|^(weekly|monthly|quarterly|yearly)$",
    ),
    (
        "post_deployment",
        r"^afterwards?$|^after that$|\baftercare\b|\b(post|after)[- ]?(the )?(deploy(ment)?|release|launch|go[- ]?live|rollout|migration|cut[- ]?over|upgrade|install(ation)?)\b"
        r"|\b(continuous|ongoing|production|deployment|release|short[- ]term|long[- ]term) (monitoring|observation)\b|^monitor(ing)?\b|\bmonitoring (plan|period|window|and|&|phase|tasks?|checklist)\b"
        r"|\b(health|smoke) (checks?|tests?)\b|\b(performance )?validation\b|\bverification\b|\bverify\b|\bfirst (\d+ )?(hours?|days?|week)\b|\bhypercare\b|\bpost[- ]?(checks?|validation|verification|steps|tasks|cutover)\b|\bobservability\b|\bbake (time|period)\b",
    ),
    (
        "pre_deployment",
        r"\b(pre|before|prior to)[- ]?(the )?(deploy(ment|ing)?|release|launch|go[- ]?live|rollout|migration|flight|cut[- ]?over|upgrade|production|install(ation)?)\b"
        r"|\bpre[- ]?(requisites?|conditions?|checks?|reqs?|work|steps|tasks|merge)\b|\bprerequisites?\b|\bpreparations?\b|\breadiness\b|\b(phase|release|project) goals\b|\bbefore (you|we) (begin|start|deploy)\b|\bt-?minus\b|\bpreflight\b|^requirements$|\bbackup plan\b",
    ),
    (
        "reference",
        r"\breferences?\b|\bresources\b|\blinks\b|\bfurther reading\b|\bsee also\b|\bdocumentation\b|\bcheat ?sheet\b|\buseful commands\b|\b(deliverables|directory|file|folder|project) structure\b"
        r"|\btimeline\b|\barchitecture\b|\bquick reference\b|\bbackground\b|\bcommand reference\b|\b(monitoring|useful|sql) queries\b|\bconfiguration files\b",
    ),
)
# Words that are in headings of any kind: looked at after all others.
GENERAL_WORDINGS: tuple[tuple[str, str], ...] = (
    (
        "other",
        r"\b(notes?|logs?|summary|overview|introduction|about|purpose|scope|goals?|deliverables|changes|what'?s new|history|status)\b(?! (check|deploy))",
    ),
    (
        "deployment_steps",
        r"\bdeploy(ment|ing|s)?\b|\brelease (steps|process|procedures?|day|execution|tasks?)\b|\b(gradual |phased |staged )?roll[- ]?out\b|\bgo[- ]?live\b|\blaunch( day| steps| procedures?| sequence)?\b|\bcut[- ]?over\b"
        r"|\bexecution\b|\bimplementation (steps|plan)\b|\b(upgrade|migration|installation|update|release|execution|procedure|main) (steps|procedures?|process)\b|^(steps|procedures?|process|runbook|instructions|release|migration|upgrade|installation|execution|during)\b|\bduring (the )?(maintenance|window)\b|\bstep[- ]by[- ]step\b|^what to do$|\bmaintenance window\b",
    ),
)
TABLE = tuple((role, re.compile(wording)) for role, wording in WORDINGS)
GENERAL = tuple((role, re.compile(wording)) for role, wording in GENERAL_WORDINGS)

# Which role a deeper heading may take by its own wording, by the role of the heading above it.
MAY_BECOME = {
    "pre_deployment": (),
    "deployment_steps": (
        "pre_deployment",
        "post_deployment",
        "rollback_triggers",
        "rollback_procedure",
        "success_criteria",
        "signoff",
    ),
    "post_deployment": (
        "rollback_triggers",
        "rollback_procedure",
        "success_criteria",
        "signoff",
        "contacts",
        "troubleshooting",
    ),
    "rollback_triggers": ("rollback_procedure",),
    "rollback_procedure": ("rollback_triggers", "contacts"),
    "success_criteria": ("rollback_triggers", "rollback_procedure"),
    "troubleshooting": ("contacts",),
    "contacts": (),
    "signoff": (),
    "communications": (),
    "maintenance": (),
    "reference": (),
}

NUMBERING = re.compile(
    r"^(?:(?:step|phase|stage|part|task|option|method|scenario|issue|week|day|paso|fase|etapa|passo|schritt|étape|шаг|этап)\s+[\da-z]{1,3}(?=[\s:.)–—-]|$)|\d{1,2}(?:\.\d{1,2})*[.)]?(?=\s|$)|[a-d][.)](?=\s)|(?:第[\d一二三四五六七八九十]{1,3}(?:步|阶段|章)|步骤\s?\d{1,2}|ステップ\s?\d{1,2}|手順\s?\d{1,2}))[\s:.)–—-]*",
    re.IGNORECASE,
)
T_OFFSET = re.compile(r"\bT\s?[-+‑–−]\s?\d")
GLYPHS = re.compile(r"[^\w\s&/'.,:()+#%?!-]|\ufe0f|\u20e3")


def role_of(text: str, words: Words | None = None) -> str:
    """The role that a wording gives by itself; "other" when it gives none."""
    plain, words = _plain(text), words or load()
    return (
        words.own_role(plain)
        or _first(TABLE, plain)
        or words.role(plain)
        or _first(GENERAL, plain)
        or "other"
    )


def _first(table: Table, plain: str) -> str:
    return next((role for role, wording in table if wording.search(plain)), "")


def inherit(text: str, *, above: str | None, words: Words | None = None) -> str:
    """The role of a heading below one with the role `above` (None: at the top)."""
    own = role_of(text, words)
    if above in (None, "other"):
        return own
    assert above is not None
    if own in MAY_BECOME[above] and not (above == "deployment_steps" and is_numbered(text)):
        return own
    return above


def is_numbered(text: str) -> bool:
    """Whether the heading counts as one of a sequence: "Step 2", "3.", "T-15"."""
    bare = GLYPHS.sub(" ", text).strip()
    return bool(NUMBERING.match(bare) or T_OFFSET.search(text))


def _plain(text: str) -> str:
    bare = " ".join(GLYPHS.sub(" ", text).split())
    return NUMBERING.sub("", bare).lower().strip()
