"""The typed actions: what a whole shell block does, when every command of it is of one kind."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re
from collections.abc import Sequence
from functools import cache

from .commands import WORD, WORDS, pipelines
from .script import lines
from .texts import uncommented

SUDO = r"(?:sudo\s+(?:-[nEH]+\s+|-u\s+[\w-]+\s+)*)?"
BIN = r"(?:[\w./~${}-]*/)?"
PLAIN = re.compile(rf"{WORD}{WORDS}(?:\s*&)?")
# A variable that says which program a name stands for is more than a value.
ASSIGNMENT = rf"(?!PATH=|LD_|BASH_ENV=|GIT_|LESS|PROMPT_COMMAND=)[A-Za-z_]\w*=(?:{WORD})?"
# Commands that belong to any typed block and make none of it.
NEUTRAL = re.compile(
    rf"(?:export\s+)?{ASSIGNMENT}(?:\s+{ASSIGNMENT})*|set(?:\s+[-+][a-zA-Z]+(?:\s+pipefail)?)+|echo{WORDS}"
    rf"|cd\s+{WORD}|true|date(?:\s+-u)?(?:\s+[\"']?\+{WORD})?|:|sudo -v|clear|pwd|whoami|sleep\s+{WORD}|wait"
)
# What a look may be piped into: it shows less of it and writes nothing.
FILTER = re.compile(
    rf"[ef]?grep{WORDS}|(?:head|tail|wc|cut|jq){WORDS}|sort(?:\s+(?:-[^\s\-oTS&|<>;`$()]+|\d[\d,.]*))*|uniq(?:\s+-[a-z]+)*|less(?:\s+-[RSFXN]+)*"
)
SCRIPT = r"(?:sudo\s+)?(?:bash\s+|sh\s+)?(?:\./|/)?(?:[\w.-]+/)*[\w.-]+"
MANAGE = r"(?:.*\s)?"
# A question that changes nothing and fits a block that is run as it stands.
LOOK = (
    rf"(?:curl\s(?!.*\s(?:-X|--request|-d|--data|--json|-o|-O|-F|--form|-T|--upload)[\w-]*\b).*"
    rf"|printenv{WORDS}|(?:ls|cat|head|tail(?!\s.*-\w*[fF])|grep|ps|df|free|uptime|which|stat){WORDS})\Z"
)
GIT = rf"git\s+(?:-C\s+{WORD}\s+)?"
GIT_LOOK = (
    rf"(?:{GIT}(?:log|status|show|diff|describe|rev-parse)(?!.*\s--(?:output|ext-diff))(?:{WORDS})"
    rf"|{GIT}(?:branch(?:\s+(?:-[avr]+|--all|--list|--show-current))*|remote(?:\s+-v)?|tag(?:\s+(?:-l|--list){WORDS})?))\Z"
)
FETCHING = r"(?:\s+(?:-[qfpt]|--(?:all|tags|prune|prune-tags|force|quiet|progress|ff-only|no-edit|rebase|no-rebase|unshallow)))*"
QUIETLY = r"(?:\s+(?:-[qf]|--(?:force|quiet|progress|detach)))*"
# A branch, tag or commit; what ends like a file or is a folder may be one of the tree's.
REF = rf"(?![\"']?-)(?:v?X\.Y\.Z|(?!\S*(?::|(?:\.[a-z]+|/|\.|\*)[\"']?(?:\s|$))){WORD})"
# What a command is run through that leaves it what it is.
THROUGH = rf"{SUDO}(?:[A-Z_]+={WORD}\s+)*(?:docker(?:-|\s)compose\s+exec\s+(?:-T\s+)?[\w.-]+\s+|docker\s+exec\s+(?:-i\s+)?[\w.-]+\s+|npx\s+)?{BIN}"
CELERY = rf"(?:(?:poetry|pipenv|uv)\s+run\s+|docker(?:-|\s)compose\s+exec\s+(?:-T\s+)?[\w.-]+\s+|{BIN}python[\d.]*\s+-m\s+)?{BIN}celery(?:\s+(?:-A|--app|-b|--broker)[\s=]*{WORD})*"
ASKED = (
    r"(?:active|active_queues|clock|conf|ping|query_task|registered|report|reserved|revoked|scheduled|stats)"
)
# Options of a client that say where to ask.
THERE = rf"(?:\s+(?:--(?:tls|no-auth-warning)|-[hHpPuUaSn]\s*{WORD}|--(?:host|port|user|pass|password|socket|url|protocol)[\s=]{WORD}))*"
CLOUD_LOGS = (
    rf"(?:docker|podman|kubectl|oc|docker-compose)(?:\s+(?:compose|container|service|(?:-[ncfpH]|--(?:namespace|context|file|project-name|host|profile|env-file))[\s=]+{WORD}))*"
    r"|vercel|netlify|heroku|railway|gcloud(?:\s+(?:app|run|beta|functions|services))*|az\s+webapp|az"
)
JOURNAL = r"(?!.*\s--(?!(?:follow|unit|user-unit|user|since|until|lines|no-pager|output|identifier|priority|grep|dmesg|boot|utc|no-tail|no-hostname|catalog|all)(?:[\s=]|$)))"
# A file that is called a copy of the database; any other that psql is given is a script of its own.
COPY = rf"(?=\S*(?i:dump|backup|\bcopy|copies|snapshot|\.bak|\bbak|restore|20\d{{6}}|20\d\d-\d\d-\d\d|YYYYMMDD)){WORD}"
# Where a command's output goes; the number of an error channel is no word.
INTO = rf"(?<!\s\d)\s*>\s*{WORD}"
DUMP = rf"(?:pg_dump|pg_dumpall|mysqldump|mariadb-dump|supabase\s+db\s+dump){WORDS}"
OPTIONS = rf"(?:\s+(?![\"\x27]?(?:-\w*[cfeoL]|--(?:command|file|execute|output|log-file)\b)){WORD})*"
CLIENT = rf"(?:psql|mysql|mariadb){OPTIONS}"
INTEGRITY = rf"sqlite3\s+{WORD}\s+[\"']?(?:PRAGMA\s+|pragma\s+)?integrity_check;?[\"']?"
VERSION = r"\"?(?:v?\d[\w.-]*|\"?\$\{?\w+\}?\"?|v?X\.Y\.Z|<[\w -]*(?:tag|version)[\w -]*>)"
PUSH = r"git\s+(?:-C\s+\S+\s+)?push\b(?!.*\s(?:--force|-f|--mirror|--delete|-d)\b)(?!.*\s[+:])"

# action: (what at least one line does, what other lines may do)
ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "logs",
        rf"{SUDO}(?:tail(?=.*\s(?:-\w*[fF]\b|--follow)){WORDS}|journalctl(?=.*\s(?:-[a-z]*f[a-z]*\b|--follow)){JOURNAL}{WORDS}|(?:{CLOUD_LOGS})\s+logs?(?=\s.*(?<=\s)(?:-f|--follow|--tail|-t)\b(?!\s*=?\d)){WORDS}"
        rf"|pm2\s+logs(?!.*--nostream){WORDS}|supervisorctl\s+tail\s+-f{WORDS}|stern{WORDS}|(?:fly|flyctl)\s+logs{WORDS}|kamal\s+(?:app\s+)?logs(?=.*\s(?:-f|--follow)){WORDS})",
        rf"{SUDO}(?:tail|z?grep|head){WORDS}|{SUDO}journalctl{JOURNAL}{WORDS}",
    ),
    (
        "backup",
        rf"{THROUGH}{DUMP}(?:{INTO}|\s\|\s(?:gzip|pigz|bzip2|xz|zstd)(?:\s+-\w+)*{INTO})?|{THROUGH}sqlite3(?:\s+-(?:bail|batch|readonly))*\s+{WORD}\s+(?:\"\.backup\b[^\"`\n]*\"|'\.backup\b[^'\n]*')",
        rf"pg_restore\s+(?:--list|-l){WORDS}|(?:ls|du|stat|sha256sum|gzip|test|mkdir|head|wc|file|chmod){WORDS}|{INTEGRITY}",
    ),
    (
        "restore",
        rf"{THROUGH}pg_restore(?!.*\s(?:--list|-l|-f|--file)\b){WORDS}(?:\s*<\s*{COPY})?|{THROUGH}{CLIENT}(?:\s+(?:-f|--file)[\s=]*|\s*<\s*){COPY}{OPTIONS}|{THROUGH}sqlite3(?:\s+-(?:bail|batch|readonly))*\s+{WORD}\s+(?:\"\.restore\b[^\"`\n]*\"|'\.restore\b[^'\n]*')"
        rf"|(?:g?zcat|cat|gunzip|zstdcat)(?:\s+-\w+)*\s+{COPY}\s\|\s{THROUGH}(?:{CLIENT}|pg_restore(?!.*\s(?:--list|-l|-f|--file)\b){WORDS})",
        rf"(?:dropdb|createdb|ls|test|sha256sum|gunzip){WORDS}|{INTEGRITY}",
    ),
    (
        "maintenance",
        rf"{MANAGE}\S*maintenance(_mode|-mode|:)?\s*(on|off|enable|disable)\b|php\s+artisan\s+(down|up)\b",
        rf"{MANAGE}\S*maintenance(_mode|-mode)?\s+status\b|{LOOK}",
    ),
    (
        "drain",
        rf".*\bcelery\b.*\bcontrol\s+(shutdown|cancel_consumer)\b|{SCRIPT}\s+drain\b|kubectl\s+(cordon|drain)\b",
        r".*\bcelery\b.*\b(inspect\s+\w+|status)",
    ),
    (
        "revert",
        r"git\s+(-C\s+\S+\s+)?revert\b(?!.*--(abort|continue|quit))",
        rf"{PUSH}|{GIT_LOOK}|git\s+(?:fetch|commit)",
    ),
    (
        "tag",
        r"git\s+(-C\s+\S+\s+)?tag\s+(?!-l\b|--list|-d\b|--delete|-v\b|--contains)\S",
        rf"{PUSH}.*\s(--tags|--follow-tags|tag\s|{VERSION}\"?\s*$|refs/tags/)|{GIT_LOOK}",
    ),
    (
        "trigger",
        rf"{SUDO}(?:npx\s+|pnpm\s+(?:dlx\s+)?|yarn\s+)?(?:vercel(?!.*--prod=false)(?:\s+(?:redeploy|promote)\b|.*\s--prod\b)|netlify\s+deploy\b|(?:fly|flyctl)\s+deploy\b|railway\s+(?:up|redeploy)\b|wrangler\s+(?:deploy|publish)\b"
        r"|firebase\s+deploy\b|(?:serverless|sls)\s+deploy\b|eb\s+deploy\b|gcloud\s+(?:run|app|functions)\s+(?:\S+\s+)?deploy\b|az\s+webapp\s+(?:up|deploy\w*)\b|render\s+deploys?\s+create\b|amplify\s+publish\b|aws\s+(?:deploy\s+create-deployment|ecs\s+update-service|amplify\s+start-job|codepipeline\s+start)\S*"
        r"|gh\s+workflow\s+run\b|glab\s+(?:ci|pipeline)\s+run\b|kamal\s+(?:deploy|redeploy|setup)\b|cap\s+\w+\s+deploy\b|dokku\s+ps:rebuild\b|heroku\s+(?:container:release|pipelines:promote|releases:rollback)\b|helm\s+upgrade\b|kubectl\s+set\s+image\b|argocd\s+app\s+sync\b)"
        rf"|{PUSH}(?!.*\s(?:--tags|--follow-tags))(?!\s+\S+\s+(?:tag\s|refs/tags|{VERSION}\s*$))(?:\s+-u|\s+--set-upstream)?\s+(?!staging\b|stage\b|preview\b|test\b|dev\b|qa\b)[\w.-]+\s+[\w./:<>$\"{{}}-]+\s*$",
        rf"{GIT_LOOK}|{GIT}fetch|gh\s+run\s+(watch|list|view)\b|vercel\s+(inspect|ls|list)\b|kubectl\s+(rollout\s+status|get)\b|{LOOK}",
    ),
    (
        "code",
        rf"{GIT}(?:(?:fetch|pull){FETCHING}(?:\s+{REF}(?:\s+{REF})?)?{FETCHING}|(?:checkout|switch){QUIETLY}\s+{REF}|reset\s+--hard{QUIETLY}(?:\s+{REF})?)",
        GIT_LOOK,
    ),
    (
        "dependencies",
        rf"{SUDO}(?:{BIN}pip[\d.]*|{BIN}python[\d.]*\s+-m\s+pip|uv\s+pip)\s+(?:-\S+\s+)*install\b|(?:pipenv|poetry|bundle|composer|pdm)\s+(?:install|sync)\b|uv\s+sync\b"
        r"|npm\s+(?:.*\s)?(?:ci|install|i)\b(?!.*\s-g\b)|yarn(?:\s+install\b.*|\s+--.*)?$|pnpm\s+(?:install|i)\b|go\s+mod\s+download\b|mix\s+deps\.get\b|cargo\s+fetch\b|dotnet\s+restore\b|conda\s+env\s+update\b|bun\s+install\b",
        rf"(?:{BIN}pip[\d.]*|{BIN}python[\d.]*\s+-m\s+pip|uv\s+pip)\s+(?:check|list|freeze|show)\b[^>]*$|(?:npm|yarn|pnpm)\s+(?:ls|list|audit)\b[^>]*$|(?:source|\.)\s+\S*activate$",
    ),
    (
        "migrate",
        rf"{MANAGE}migrate\b(?!.*\s--(plan|check|list)\b)(?!\s+(?:status|reset|diff|resolve|dev)\b)|.*\bdb:migrate\b(?!:)|{SCRIPT}\s+(db:migrate|migrate|db upgrade)\b|alembic upgrade\b|flask db upgrade\b"
        r"|supabase\s+(?:db\s+push|migration\s+up)\b|(?:npx\s+)?(?:prisma\s+(?:migrate\s+deploy|db\s+push)|knex\s+migrate:latest|sequelize(?:-cli)?\s+db:migrate|typeorm\s+migration:run|drizzle-kit\s+(?:migrate|push))\b|(?:flyway|liquibase)\s+(?:.*\s)?(?:migrate|update)\b|dotnet\s+ef\s+database\s+update\b|(?:goose|dbmate)\s+(?:.*\s)?up\b",
        rf"{MANAGE}(migrate\s+--(plan|check|list)|showmigrations|makemigrations\s+--check)\b|.*\bmanage\.py\s+check\b|alembic\s+(current|history|heads)\b|supabase\s+migration\s+list\b|(?:npx\s+)?prisma\s+migrate\s+status\b",
    ),
    ("features", rf"{MANAGE}configure_(\w+_)?features\b", rf"{MANAGE}show_(\w+_)?config\b"),
    (
        "cache",
        rf"{MANAGE}(?:clear_?cache|collectstatic)\b|{SCRIPT}\s+(?:cache:clear|assets:precompile)\b",
        r"redis-cli\s+ping\b",
    ),
    (
        "restart",
        rf"{SUDO}(systemctl|supervisorctl|pm2|service\s+\S+)\s+(?:--\w+\s+)*(restart|reload|start|startOrReload|reload-or-restart|try-restart)\b|{SUDO}service\s+\S+\s+(restart|reload|start)\b"
        rf"|docker(-|\s)compose\s+(\S+\s+)*(restart|up\s+(?:\S+\s+)*(?:-d|--detach))\b|docker\s+(restart|start)\b|kubectl\s+rollout\s+restart\b|{SCRIPT}\s+restart\b"
        rf"|kamal\s+(?:app\s+)?(?:boot|start|restart|reboot)\b|{SUDO}(?:apachectl|apache2ctl)\s+(?:graceful|restart)\b|{SUDO}nginx\s+-s\s+reload\b|touch\s+tmp/restart\.txt|passenger-config\s+restart-app\b|heroku\s+(?:ps:)?restart\b|(?:fly|flyctl)\s+(?:apps?|machines?)\s+restart\b",
        rf"{SUDO}(systemctl|supervisorctl|pm2)\s+(status|is-active|list|ls|save|stop|daemon-reload|reread|update|enable)\b|{SUDO}service\s+\S+\s+(stop|status)\b|kubectl\s+rollout\s+status\b|docker(-|\s)compose\s+(\S+\s+)*(ps|pull|build|stop|down(?!.*\s(-v|--volumes)))\b"
        rf"|{SCRIPT}\s+status\b|celery\s+.*\b(worker|beat|inspect|status)\b|{SUDO}nginx\s+-t\b|{LOOK}",
    ),
    (
        "upload",
        r"aws\s+s3\s+(?:cp|sync|mv)\s+(?:--\S+\s+)*(?!s3://|\"s3://)\S+\s+\"?s3://|(?:gsutil\s+(?:-m\s+)?|gcloud\s+storage\s+)(?:cp|rsync)\s+(?:-\w+\s+)*(?!gs://)\S+\s+\"?gs://|az\s+storage\s+blob\s+upload\b|rclone\s+(?:copy|copyto|sync)\s+(?!\w+:)\S+\s+\w+:|s3cmd\s+put\b|b2\s+upload|scp\s+(?:-\S+\s+)*(?!\S+:)\S+\s+\S+:",
        r"aws\s+s3\s+ls\b|gsutil\s+ls\b|(?:ls|du|sha256sum|md5sum|gzip|test)\s[^;&>]*$",
    ),
    ("ping", rf"(?:redis-cli{THERE}\s+(?:ping|PING)|pg_isready{WORDS}|mysqladmin{THERE}\s+ping)", r"(?!)"),
    ("inspect", rf"{CELERY}\s+(?:inspect\s+{ASKED}|status){WORDS}", r"(?!)"),
)
# Of these, the block is replaced or nobody is asked: every word of it has to be known.
STRICT = frozenset("code backup restore logs ping inspect".split())
DIRECTION = re.compile(r"maintenance(?:_mode|-mode|:)?\s*(on|off|enable|disable)\b|\bartisan\s+(up|down)\b")
DUMPED_TO = re.compile(r"(?:-f|--file|>|--result-file)[\s=]*\"?\$\{?(\w+)")


@cache
def action_table() -> tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]:
    """ACTIONS as patterns; made on use, for they cost 50 ms and a plan is run without them."""
    return tuple(
        (
            name,
            re.compile(does, re.DOTALL),
            re.compile(rf"(?:{may})(?:\s.*)?" if name not in STRICT else may, re.DOTALL),
        )
        for name, does, may in ACTIONS
    )


def action_of(script: str) -> str:
    """The typed action that the whole script is, else ""."""
    chained = [_unfiltered(each) for row in lines(script) for each in pipelines(row)]
    works = [each for each in chained if not NEUTRAL.fullmatch(" | ".join(each))]
    for name, does, may in action_table() if works else ():
        acts = [_acts(name, does, each) for each in works]
        if any(acts) and all(act or _only(may, each) for act, each in zip(acts, works, strict=True)):
            return name
    return ""


def _unfiltered(piped: Sequence[str]) -> Sequence[str]:
    """The commands without the filters at the end that show less of what they say."""
    kept = len(piped)
    while kept > 1 and FILTER.fullmatch(piped[kept - 1]):
        kept -= 1
    return piped[:kept]


def _acts(name: str, does: re.Pattern[str], piped: Sequence[str]) -> bool:
    """Do these commands, each piped into the next, do this and nothing besides?"""
    if name in STRICT:
        return bool(does.fullmatch(" | ".join(piped)))
    return len(piped) == 1 and bool(does.match(piped[0]))


def _only(may: re.Pattern[str], piped: Sequence[str]) -> bool:
    """Is this one command that the kind allows beside its own?"""
    return len(piped) == 1 and bool(PLAIN.fullmatch(piped[0]) and may.fullmatch(piped[0]))


def direction_of(script: str) -> str:
    """ "on" or "off" of a maintenance block, else ""."""
    found = DIRECTION.search(" ".join(lines(script)))
    if not found:
        return ""
    return "on" if found[0].endswith(("on", "enable", "down")) else "off"


def never_ends(row: str) -> bool:
    """Does this command follow something and not end by itself?"""
    endless = action_table()[0][1]
    return any(endless.fullmatch(piped[0]) for piped in pipelines(uncommented(row)))


def dump_variables(script: str) -> tuple[str, ...]:
    """The variables that name the file of a backup block: what stands in its place sets them, too."""
    return tuple(dict.fromkeys(name for row in lines(script) for name in DUMPED_TO.findall(row)))
