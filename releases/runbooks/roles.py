"""What a section is for, by the wording of its heading: a literal table, first match wins."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

ROLES = (
    "pre_deployment",
    "deployment_steps",
    "post_deployment",
    "rollback_triggers",
    "rollback_procedure",
    "success_criteria",
    "signoff",
    "contacts",
    "communications",
    "maintenance",
    "troubleshooting",
    "reference",
    "other",
)

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
        r"|\bwhen (to|should we) (roll ?back|roll-back|abort|revert|(turn|go) back|back out)\b|\b(triggers?|criteria|decision|conditions?)\b.*\b(rollback|roll back|abort)\b"
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
    # Other languages: Spanish, Portuguese, French, German, Chinese, Japanese, Russian.
    (
        "rollback_triggers",
        r"criterios de (reversi|rollback)|kriterien f(ü|u)r (den )?rollback|crit(è|e)res de (rollback|retour)|回滚条件|回滚触发|ロールバック(基準|条件)|критерии отката",
    ),
    (
        "rollback_procedure",
        r"revers(i(ó|o)n|(ã|a)o)|retour arri(è|e)re|r(ü|u)ckfall|zur(ü|u)ckrollen|回滚|回退|ロールバック|切り戻し|откат",
    ),
    (
        "pre_deployment",
        r"antes d(el|o|a) |pr(é|e)[- ]?(despliegue|implanta|d(é|e)ploiement)|avant (le )?d(é|e)ploiement|vor (dem|der) (deployment|release|ausrollen)|vorbereitung|部署前|发布前|上线前|デプロイ前|リリース前|事前|перед (развертыванием|релизом|деплоем)|подготовка",
    ),
    (
        "post_deployment",
        r"despu(é|e)s d|p(ó|o)s[- ]?(despliegue|implanta)|apr(è|e)s (le )?d(é|e)ploiement|nach (dem|der) (deployment|release|ausrollen)|nachbereitung|部署后|发布后|上线后|デプロイ後|リリース後|事後|после (развертывания|релиза|деплоя)",
    ),
    (
        "success_criteria",
        r"criterios de (é|e)xito|crit(é|e)rios de sucesso|crit(è|e)res de succ(è|e)s|erfolgskriterien|成功标准|成功基準|критерии успеха",
    ),
    (
        "signoff",
        r"aprobaci(ó|o)n|aprova(ç|c)(ã|a)o|validation finale|freigabe|审批|签字|承認|утверждение|согласование",
    ),
    ("contacts", r"contactos|contatos|kontakte|ansprechpartner|联系人|联系方式|連絡先|контакты"),
    ("communications", r"comunicaci(ó|o)n|comunica(ç|c)(ã|a)o|kommunikation|通知|沟通|連絡計画|коммуникаци"),
    (
        "troubleshooting",
        r"soluci(ó|o)n de problemas|solu(ç|c)(ã|a)o de problemas|d(é|e)pannage|fehlerbehebung|故障排除|トラブルシュ|устранение (неполадок|проблем)",
    ),
    (
        "other",
        r"\b(notes?|logs?|summary|overview|introduction|about|purpose|scope|goals?|deliverables|changes|what'?s new|history|status)\b(?! (check|deploy))",
    ),
    (
        "deployment_steps",
        r"\bdeploy(ment|ing|s)?\b|\brelease (steps|process|procedures?|day|execution|tasks?)\b|\b(gradual |phased |staged )?roll[- ]?out\b|\bgo[- ]?live\b|\blaunch( day| steps| procedures?| sequence)?\b|\bcut[- ]?over\b"
        r"|\bexecution\b|\bimplementation (steps|plan)\b|\b(upgrade|migration|installation|update|release|execution|procedure|main) (steps|procedures?|process)\b|^(steps|procedures?|process|runbook|instructions|release|migration|upgrade|installation|execution|during)\b|\bduring (the )?(maintenance|window)\b|\bstep[- ]by[- ]step\b|^what to do$|\bmaintenance window\b",
    ),
    (
        "deployment_steps",
        r"despliegue|implanta(ç|c)(ã|a)o|d(é|e)ploiement|bereitstellung|ausrollen|部署|发布|上线|デプロイ|リリース|развертывание|деплой|релиз",
    ),
)
TABLE = tuple((role, re.compile(wording)) for role, wording in WORDINGS)

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
    r"^(?:(?:step|phase|stage|part|task|option|method|scenario|issue|week|day)\s+[\da-z]{1,3}(?=[\s:.)–—-]|$)|\d{1,2}(?:\.\d{1,2})*[.)]?(?=\s|$)|[a-d][.)](?=\s))[\s:.)–—-]*",
    re.IGNORECASE,
)
T_OFFSET = re.compile(r"\bT\s?[-+‑–−]\s?\d")
GLYPHS = re.compile(r"[^\w\s&/'.,:()+#%?!-]|\ufe0f|\u20e3")


def role_of(text: str) -> str:
    """The role that a wording gives by itself; "other" when it gives none."""
    plain = _plain(text)
    return next((role for role, wording in TABLE if wording.search(plain)), "other")


def inherit(text: str, *, above: str | None) -> str:
    """The role of a heading below one with the role `above` (None: at the top)."""
    if above in (None, "other"):
        return role_of(text)
    assert above is not None
    own = role_of(text)
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
