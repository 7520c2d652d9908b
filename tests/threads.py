"""Several threads that begin at the same moment, each with its own database connection."""

import threading
from collections.abc import Callable

from django.db import connection


def in_threads(number: int, work: Callable[[], object]) -> None:
    """Run `work` in several threads at once; what any of them raises is raised here."""
    together, raised = threading.Barrier(number), []

    def run() -> None:
        try:
            together.wait()
            work()
        except Exception as error:  # noqa: BLE001 (told to the test below)
            raised.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
