"""The broker that needs no server: a message is a file in var/broker, put and taken by one rename."""

import fcntl
import json
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from queue import Empty
from typing import Any, NamedTuple

from django.conf import settings
from kombu.transport import virtual
from kombu.utils.json import dumps, loads

FOLDERS = ("aside", "queued", "taken", "bindings")


class Binding(NamedTuple):
    """A queue that an exchange hands messages to."""

    routing_key: str
    pattern: str
    queue: str


class Channel(virtual.Channel):
    """Messages in files, whole: kombu's own filesystem channel dies of a message read while half written."""

    supports_fanout = True

    @cached_property
    def folder(self) -> Path:
        """`transport_options["folder"]`, or var/broker, with the folders below it."""
        options = self.connection.client.transport_options
        folder = Path(options.get("folder") or settings.VAR_DIR / "broker")
        for name in FOLDERS:
            (folder / name).mkdir(parents=True, exist_ok=True)
        return folder

    def get_table(self, exchange: str) -> list[Binding]:
        """The bindings of an exchange."""
        try:
            rows = json.loads(self._table(exchange).read_text())
        except FileNotFoundError:
            return []
        return [Binding(*row) for row in rows]

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str) -> None:
        binding = Binding(routing_key or "", pattern or "", queue)
        with self._changing(exchange) as table:
            if binding not in table:
                table.append(binding)

    def _delete(
        self, queue: str, exchange: str, routing_key: str, pattern: str, *args: Any, **kwargs: Any
    ) -> None:
        self._purge(queue)
        with self._changing(exchange) as table:
            table[:] = [binding for binding in table if binding.queue != queue]

    def _put_fanout(self, exchange: str, message: Any, routing_key: str, **kwargs: Any) -> None:
        for binding in self.get_table(exchange):
            self._put(binding.queue, message)

    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:
        name = f"{time.time_ns():020}-{uuid.uuid4().hex}.{queue}"
        self._write(self.folder / "queued" / name, dumps(message))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        for path in self._queued(queue):
            taken = self.folder / "taken" / path.name
            try:
                path.rename(taken)
            except FileNotFoundError:
                continue  # another process was faster
            message = loads(taken.read_text())
            taken.unlink()
            return message
        raise Empty

    def _purge(self, queue: str) -> int:
        paths = self._queued(queue)
        for path in paths:
            path.unlink(missing_ok=True)
        return len(paths)

    def _size(self, queue: str) -> int:
        return len(self._queued(queue))

    def _queued(self, queue: str) -> list[Path]:
        # A queue's name has dots itself; what stands before the first one never has.
        names = sorted(os.listdir(self.folder / "queued"))
        return [self.folder / "queued" / name for name in names if name.partition(".")[2] == queue]

    def _table(self, exchange: str) -> Path:
        return self.folder / "bindings" / f"{exchange.replace('/', '_')}.json"

    @contextmanager
    def _changing(self, exchange: str) -> Iterator[list[Binding]]:
        """The bindings of an exchange to change in place; one process at a time."""
        with (self.folder / "bindings" / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            table = self.get_table(exchange)
            yield table
            self._write(self._table(exchange), json.dumps(table))

    def _write(self, path: Path, text: str) -> None:
        aside = self.folder / "aside" / uuid.uuid4().hex
        aside.write_text(text)
        aside.rename(path)


class Transport(virtual.Transport):
    """`CELERY_BROKER_URL=embedded://`: for one machine, any number of processes."""

    Channel = Channel
    implements = virtual.Transport.implements.extend(
        asynchronous=False, exchange_type=frozenset(["direct", "topic", "fanout"])
    )
    driver_type = "embedded"
    driver_name = "embedded"
    # Seconds between two looks into the folder; kombu's own is 1.
    polling_interval = 0.1

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """There is no host: with kombu's default it would warn of a missing one."""
        return {}

    def driver_version(self) -> str:
        """There is no driver."""
        return "1"
