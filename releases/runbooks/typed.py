"""The typed actions: what a whole shell block does, when every command of it is of one kind."""

# ruff: noqa: E501 (rows of wordings stay one line each, so that they can be read as a table)

import re

from .script import lines

# Lines that belong to any typed block and make none of it.
NEUTRAL = re.compile(
    r"(?:export\s+)?[A-Za-z_]\w*=(?!.*\s[;&|])|set\s+-|echo\b[^>|;&]*$|cd\s|true$|date\b|:$|sudo -v$|clear$|pwd$|whoami$|sleep\s|wait$"
)
SCRIPT = r"(?:sudo\s+)?(?:bash\s+|sh\s+)?(?:\./|/)?(?:[\w.-]+/)*[\w.-]+"
MANAGE = r"(?:.*\s)?"
SUDO = r"(?:sudo\s+(?:-\w+\s+(?:\w+\s+)?)?)?"
BIN = r"(?:\S*/)?"
# A question that changes nothing and fits a block that is run as it stands.
LOOK = (
    r"curl\s(?!.*\s(?:-X|--request|-d|--data|--json|-o|-O|-F|--form|-T|--upload)[\w-]*\b)[^|;&>]*$"
    r"|printenv\b|(?:ls|cat|head|tail(?!\s.*-\w*[fF])|grep|ps|df|free|uptime|which|stat)\s[^;&>]*$"
)
# A file that is called a copy of the database; any other that psql is given is a script of its own.
COPY = (
    r"[\"']?\S*(?i:dump|backup|\bcopy|copies|snapshot|\.bak|\bbak|restore|20\d{6}|20\d\d-\d\d-\d\d|YYYYMMDD)"
)
INTO_DATABASE = r".*\|\s*(?:psql|mysql|mariadb|pg_restore)\b"
VERSION = r"\"?(?:v?\d[\w.-]*|\"?\$\{?\w+\}?\"?|v?X\.Y\.Z|<[\w -]*(?:tag|version)[\w -]*>)"
PUSH = r"git\s+(?:-C\s+\S+\s+)?push\b(?!.*\s(?:--force|-f|--mirror|--delete|-d)\b)(?!.*\s[+:])"

# action: (what at least one line does, what other lines may do)
ACTIONS: tuple[tuple[str, str, str], ...] = (
    (
        "logs",
        rf"{SUDO}(?:tail\s(?:.*\s)?(?:-\w*[fF]\b|--follow)|journalctl\s(?:.*\s)?(?:-[a-z]*f[a-z]*\b|--follow)|(?:docker|podman|kubectl|oc|docker-compose|vercel|netlify|heroku|railway|gcloud|az)\s(?:.*\s)?logs?\b.*\s(?:-f|--follow|--tail|-t)\b(?!\s*=?\d)"
        r"|pm2\s+logs\b(?!.*--nostream)|supervisorctl\s+tail\s+-f|stern\s|(?:fly|flyctl)\s+logs\b|kamal\s+(?:app\s+)?logs\b.*\s(?:-f|--follow))[^;&>]*$",
        rf"{SUDO}(?:tail|grep|head|journalctl|zgrep)\s[^;&>]*$",
    ),
    (
        "backup",
        rf"(?!{INTO_DATABASE}).*\b(pg_dump|pg_dumpall|mysqldump|mariadb-dump|supabase db dump)\b|sqlite3\s.*\.backup\b",
        r".*\bpg_restore\s+(--list|-l)\b|(ls|du|stat|sha256sum|gzip|test|mkdir|head|wc|file|chmod)\b|sqlite3\s.*integrity_check",
    ),
    (
        "restore",
        rf".*\bpg_restore\b(?!.*\s(--list|-l)\b)|.*\b(?:psql|mysql|mariadb)\b.*\s(?:-f|--file|<)[\s=]*{COPY}|sqlite3\s.*\.restore\b|(?!.*\b(?:pg_dump|mysqldump)\b)(?:g?zcat|cat|gunzip|zstdcat)\s.*{COPY}.*\|\s*(?:psql|mysql|mariadb)\b",
        r"(dropdb|createdb)\b|sqlite3\s.*integrity_check|(ls|test|sha256sum|gunzip)\b",
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
        rf"{PUSH}|git\s+(-C\s+\S+\s+)?(log|status|show|diff|fetch|rev-parse)\b|git\s+commit\b",
    ),
    (
        "tag",
        r"git\s+(-C\s+\S+\s+)?tag\s+(?!-l\b|--list|-d\b|--delete|-v\b|--contains)\S",
        rf"{PUSH}.*\s(--tags|--follow-tags|tag\s|{VERSION}\"?\s*$|refs/tags/)|git\s+(-C\s+\S+\s+)?(log|status|show|describe|tag\s+(-l|--list)|rev-parse)\b",
    ),
    (
        "trigger",
        rf"{SUDO}(?:npx\s+|pnpm\s+(?:dlx\s+)?|yarn\s+)?(?:vercel(?!.*--prod=false)(?:\s+(?:redeploy|promote)\b|.*\s--prod\b)|netlify\s+deploy\b|(?:fly|flyctl)\s+deploy\b|railway\s+(?:up|redeploy)\b|wrangler\s+(?:deploy|publish)\b"
        r"|firebase\s+deploy\b|(?:serverless|sls)\s+deploy\b|eb\s+deploy\b|gcloud\s+(?:run|app|functions)\s+(?:\S+\s+)?deploy\b|az\s+webapp\s+(?:up|deploy\w*)\b|render\s+deploys?\s+create\b|amplify\s+publish\b|aws\s+(?:deploy\s+create-deployment|ecs\s+update-service|amplify\s+start-job|codepipeline\s+start)\S*"
        r"|gh\s+workflow\s+run\b|glab\s+(?:ci|pipeline)\s+run\b|kamal\s+(?:deploy|redeploy|setup)\b|cap\s+\w+\s+deploy\b|dokku\s+ps:rebuild\b|heroku\s+(?:container:release|pipelines:promote|releases:rollback)\b|helm\s+upgrade\b|kubectl\s+set\s+image\b|argocd\s+app\s+sync\b)"
        rf"|{PUSH}(?!.*\s(?:--tags|--follow-tags))(?!\s+\S+\s+(?:tag\s|refs/tags|{VERSION}\s*$))(?:\s+-u|\s+--set-upstream)?\s+(?!staging\b|stage\b|preview\b|test\b|dev\b|qa\b)[\w.-]+\s+[\w./:<>$\"{{}}-]+\s*$",
        rf"git\s+(-C\s+\S+\s+)?(log|status|show|diff|fetch|rev-parse|remote|branch)\b|gh\s+run\s+(watch|list|view)\b|vercel\s+(inspect|ls|list)\b|kubectl\s+(rollout\s+status|get)\b|{LOOK}",
    ),
    (
        "code",
        r"git\s+(-C\s+\S+\s+)?(fetch|checkout|pull|reset|switch)\b",
        r"git\s+(-C\s+\S+\s+)?(log|status|rev-parse|describe|show|branch|diff|remote\s+-v)\b",
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
    ("ping", r"redis-cli\s+(?:.*\s)?(?:ping|PING)$|pg_isready\b|mysqladmin\s+(?:.*\s)?ping$", r"(?!)"),
    ("inspect", r".*\bcelery\b.*\b(?:inspect\s+\w+|status$)", r"(?!)"),
)
ACTION_TABLE = tuple((name, re.compile(does), re.compile(may)) for name, does, may in ACTIONS)
DIRECTION = re.compile(r"maintenance(?:_mode|-mode|:)?\s*(on|off|enable|disable)\b|\bartisan\s+(up|down)\b")
ENDLESS = ACTION_TABLE[0][1]
DUMPED_TO = re.compile(r"(?:-f|--file|>|--result-file)[\s=]*\"?\$\{?(\w+)")


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
    found = DIRECTION.search(" ".join(lines(script)))
    if not found:
        return ""
    return "on" if found[0].endswith(("on", "enable", "down")) else "off"


def never_ends(row: str) -> bool:
    """Does this command follow something and not end by itself?"""
    return bool(ENDLESS.match(row))


def dump_variables(script: str) -> tuple[str, ...]:
    """The variables that name the file of a backup block: what stands in its place sets them, too."""
    return tuple(dict.fromkeys(name for row in lines(script) for name in DUMPED_TO.findall(row)))
