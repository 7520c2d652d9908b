"""How gunicorn serves the shop: two workers on the loopback port of the environment."""

import os
import time

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 2
worker_class = "gthread"
threads = 4
preload_app = True
graceful_timeout = 3
control_socket_disable = True  # one socket for all of a user's gunicorns
wsgi_app = "shop.wsgi:application"


def on_starting(server: object) -> None:
    """Note when this master started; its workers inherit it, so a restart is visible in /health/ready."""
    os.environ["SHOP_STARTED_AT"] = f"{time.time():.3f}"
