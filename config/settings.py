"""Every setting of Gantry, read from the environment and `.env`; docs/settings.md lists them."""

from collections.abc import Collection
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(env.str("GANTRY_ENV_FILE", str(BASE_DIR / ".env")))


def one_of(name: str, choices: Collection[str], default: str) -> str:
    """A setting with few values; raises ImproperlyConfigured naming a wrong one."""
    value = env.str(name, default)
    if value not in choices:
        some = ", ".join(sorted(choices)[:5])
        raise ImproperlyConfigured(
            f"{name} is '{value}'; it is one of {some}{' …' if len(choices) > 5 else ''}"
        )
    return value


def switch(name: str) -> bool:
    """A setting that is on or off, off unless it is set; raises ImproperlyConfigured for anything else."""
    value = env.str(name, "off").lower()
    if value not in (*env.BOOLEAN_TRUE_STRINGS, "false", "off", "no", "n", "0", ""):
        raise ImproperlyConfigured(f"{name} is '{value}'; write on or off")
    return value in env.BOOLEAN_TRUE_STRINGS


def database(name: str, default: str) -> dict[str, Any]:
    """A database by its URL; raises ImproperlyConfigured without showing it, for it may hold a password."""
    wrong = f"{name} is no database URL: write postgres://user:password@host/name or sqlite:////path"
    if not env.str(name, default).startswith(("postgres://", "postgresql://", "sqlite:///")):
        raise ImproperlyConfigured(wrong)
    try:
        return env.db(name, default)  # type: ignore[no-any-return]
    except ValueError:
        raise ImproperlyConfigured(wrong) from None


VAR_DIR = Path(env.str("GANTRY_VAR", str(BASE_DIR / "var"))).resolve()
try:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
except OSError as error:
    raise ImproperlyConfigured(f"GANTRY_VAR is {VAR_DIR}, which cannot be made: {error.strerror}") from None

RUNBOOK_WORDS = env.str("RUNBOOK_WORDS", "")
if RUNBOOK_WORDS and not Path(RUNBOOK_WORDS).is_file():
    raise ImproperlyConfigured(f"RUNBOOK_WORDS is {RUNBOOK_WORDS}, which is no file")

# --- Django ----------------------------------------------------------------------------------------
DEBUG = switch("DEBUG")
SECRET_KEY = env.str("SECRET_KEY", "")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: put SECRET_KEY=<50 random characters> into .env, or let `make .env` write one."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_TLS = switch("BEHIND_TLS")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None
SECURE_SSL_REDIRECT = BEHIND_TLS
SECURE_HSTS_SECONDS = 31_536_000 if BEHIND_TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = BEHIND_TLS

# `releases` stands before `maintenance_mode`: its command of that name knows environments too.
INSTALLED_APPS = [
    "checks",
    "releases",
    "unfold.apps.BasicAppConfig",
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "maintenance_mode",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "maintenance_mode.middleware.MaintenanceModeMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# As strong as Django's default and a third faster, which a command line that proves who it is feels each time.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"  # who opens the login page itself
LANGUAGE_CODE = "en"
TIME_ZONE = one_of("TIME_ZONE", available_timezones(), "UTC")
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_MANIFEST_STRICT = False

# --- database, cache, broker -------------------------------------------------------------------------
DATABASES = {"default": database("DATABASE_URL", f"sqlite:///{VAR_DIR}/gantry.sqlite3")}
SQLITE_SYNCHRONOUS = one_of("SQLITE_SYNCHRONOUS", ("FULL", "NORMAL", "OFF"), "FULL")
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # IMMEDIATE: a deferred read-then-write fails at once with "locked", whatever the timeout.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": (
            f"PRAGMA journal_mode=WAL; PRAGMA synchronous={SQLITE_SYNCHRONOUS}; PRAGMA busy_timeout=20000;"
        ),
    }
else:
    # An outcome that was told has to survive a power cut, whatever the server's default is.
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=on".strip()
REDIS_URL = env.str("REDIS_URL", "")
CACHE_PREFIX = "gantry"
if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": CACHE_PREFIX,
        }
    }
else:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": VAR_DIR / "cache",
            "KEY_PREFIX": CACHE_PREFIX,
        }
    }
CELERY_APP = "config.celery"
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "embedded://")

# --- Gantry's own maintenance mode -------------------------------------------------------------------
MAINTENANCE_MODE_STATE_BACKEND = "releases.maintenance.RowBackend"
MAINTENANCE_MODE_IGNORE_ADMIN_SITE = True
MAINTENANCE_MODE_IGNORE_URLS = [r"^/admin/", r"^/health", r"^/metrics", r"^/static/"]
MAINTENANCE_MODE_RETRY_AFTER = 120

# --- the admin ---------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Gantry",
    "SITE_HEADER": "Gantry",
    "SITE_SUBHEADER": "the checklist is the program",
    "SITE_SYMBOL": "rocket_launch",
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["releases.admin.site.stylesheet"],
    "SCRIPTS": ["releases.admin.site.script"],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "releases.admin.site.favicon"}],
    "ENVIRONMENT": "releases.admin.site.environment_label",
    "DASHBOARD_CALLBACK": "releases.admin.dashboard.context",
    "SIDEBAR": {"show_search": True, "navigation": "releases.admin.navigation.groups"},
    "COLORS": {
        "primary": {
            "50": "oklch(96.2% .018 272.314)",
            "100": "oklch(93% .034 272.788)",
            "200": "oklch(87% .065 274.039)",
            "300": "oklch(78.5% .115 274.713)",
            "400": "oklch(67.3% .182 276.935)",
            "500": "oklch(58.5% .233 277.117)",
            "600": "oklch(51.1% .262 276.966)",
            "700": "oklch(45.7% .24 277.023)",
            "800": "oklch(39.8% .195 277.366)",
            "900": "oklch(35.9% .144 278.697)",
            "950": "oklch(25.7% .09 281.288)",
        }
    },
}

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {
        "handlers": ["stderr"],
        "level": one_of("LOG_LEVEL", LEVELS, "WARNING"),
    },
}
