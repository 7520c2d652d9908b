"""Celery's broker without a server: kombu's filesystem transport, made safe for several processes."""

import fcntl
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

LONGEST_WAIT = 0.2


class Channel(filesystem.Channel):
    """A message is a file that appears whole and is taken by exactly one reader.

    kombu's own put opens the file under its final name, and a worker that meets it half-written dies.
    """

    def _put(self, queue: str, payload: object, **kwargs: object) -> None:
        name = f"{time.time_ns()}_{uuid.uuid4()}.{queue}.msg"
        aside = Path(self.data_folder_out, f".{name}")
        aside.write_text(dumps(payload))
        aside.rename(Path(self.data_folder_out, name))

    def _get(self, queue: str) -> object:
        for name in sorted(os.listdir(self.data_folder_in)):
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = Path(self.data_folder_in, f".taken-{name}")
            try:
                Path(self.data_folder_in, name).rename(taken)
            except FileNotFoundError:  # another reader was first
                continue
            payload = loads(taken.read_text())
            taken.unlink()
            return payload
        raise Empty

    def _queue_bind(self, *args: object) -> None:
        with self._exchanges_locked():
            super()._queue_bind(*args)

    def get_table(self, exchange: str) -> list[object]:
        with self._exchanges_locked():
            return super().get_table(exchange)

    @contextmanager
    def _exchanges_locked(self) -> Iterator[None]:
        with Path(self.control_folder, ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: object, timeout: float | None = None) -> None:
        """Come back often: a worker sees that it was asked to end only between two calls."""
        super().drain_events(connection, timeout=min(timeout or LONGEST_WAIT, LONGEST_WAIT))
