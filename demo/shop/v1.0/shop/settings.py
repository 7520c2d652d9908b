"""Settings of the shop: what differs between environments comes from variables or from .env."""

import time
from pathlib import Path

import environ

from shop import features

BASE_DIR = Path(__file__).resolve().parent.parent
ENV_FILE = BASE_DIR / ".env"
env = environ.Env()
env.read_env(ENV_FILE)  # a variable of the process wins over the file

VERSION = (BASE_DIR / "VERSION").read_text().strip()
STARTED_AT = env.float("SHOP_STARTED_AT", default=time.time())
RUN_DIR = Path(env("RUN_DIR", default=str(BASE_DIR / "run")))
LOG_DIR = Path(env("LOG_DIR", default=str(BASE_DIR / "logs")))
for folder in (RUN_DIR, LOG_DIR):
    folder.mkdir(parents=True, exist_ok=True)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="only-for-development" if DEBUG else environ.Env.NOTSET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
FEATURES = features.read(env)
SMOKE_TOKEN = env("SMOKE_TOKEN", default="")
RETRY_AFTER = env.int("RETRY_AFTER", default=60)
STATS_WINDOW = env.float("STATS_WINDOW", default=5.0)
REQUEST_LOG = LOG_DIR / "requests.log"
MAINTENANCE_FILE = RUN_DIR / "maintenance"

INSTALLED_APPS = ["shop", "orders", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "shop.maintenance.MaintenanceMiddleware",
    "shop.stats.RequestLogMiddleware",  # below the fence: a page refused on purpose is not an error
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{RUN_DIR / 'shop.sqlite3'}")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {})["connect_timeout"] = 2

CACHES = {"default": env.cache("CACHE_URL", default=f"filecache://{RUN_DIR / 'cache'}")}
CACHES["default"]["KEY_PREFIX"] = f"shop-{VERSION}"

CELERY_BROKER_URL = env("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(RUN_DIR / "queue"),
        "data_folder_out": str(RUN_DIR / "queue"),
        "control_folder": str(RUN_DIR / "exchanges"),
        "polling_interval": 0.1,
    }
    for folder in (RUN_DIR / "queue", RUN_DIR / "exchanges"):
        folder.mkdir(exist_ok=True)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = f"file://{RUN_DIR / 'results'}"
(RUN_DIR / "results").mkdir(exist_ok=True)
CELERY_TASK_DEFAULT_QUEUE = "shop"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 8
CELERY_WORKER_TIMER_PRECISION = 0.2  # a second by default, and a worker that ends waits for it
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_BEAT_SCHEDULE_FILENAME = str(RUN_DIR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "requeue-waiting-orders": {
        "task": "orders.tasks.requeue_waiting_orders",
        "schedule": 2.0,
        "options": {"expires": 2.0},
    }
}
