"""The embedded broker hands every message to one process, whole, whatever else goes on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue

from config.embedded_broker import Transport

MESSAGES = 200
CONSUMER = """
import sys
from kombu import Connection
from config.embedded_broker import Transport

with Connection(transport=Transport, transport_options={"folder": sys.argv[1]}) as connection:
    with connection.SimpleQueue("orders") as queue:
        print("ready", flush=True)
        while (number := (message := queue.get(timeout=20)).payload) >= 0:
            print(number, flush=True)
            message.ack()
        message.ack()
"""


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    with Connection(transport=Transport, transport_options={"folder": str(tmp_path)}) as connection:
        yield connection


def start_consumer(folder: Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", CONSUMER, str(folder)]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_two_processes_handle_each_message_once(connection: Connection, tmp_path: Path) -> None:
    consumers = [start_consumer(tmp_path) for _ in range(2)]
    for consumer in consumers:
        assert consumer.stdout is not None
        assert consumer.stdout.readline() == "ready\n"
    with connection.SimpleQueue("orders") as queue:
        for number in range(MESSAGES):
            queue.put(number)
        for _ in consumers:
            queue.put(-1)
    shares = [[int(line) for line in consumer.communicate(timeout=60)[0].split()] for consumer in consumers]
    assert sorted(shares[0] + shares[1]) == list(range(MESSAGES))
    assert [consumer.returncode for consumer in consumers] == [0, 0]


def test_messages_come_in_the_order_they_were_sent(connection: Connection) -> None:
    with connection.SimpleQueue("orders") as queue:
        for number in range(20):
            queue.put(number)
        assert [queue.get(timeout=5).payload for _ in range(20)] == list(range(20))


def test_a_message_that_was_not_acknowledged_comes_back(connection: Connection, tmp_path: Path) -> None:
    with Connection(transport=Transport, transport_options={"folder": str(tmp_path)}) as first:
        queue = first.SimpleQueue("orders")
        queue.put("order 1")
        queue.get(timeout=5)
    with connection.SimpleQueue("orders") as queue:
        assert queue.get(timeout=5).payload == "order 1"


def test_a_fanout_reaches_every_queue(connection: Connection) -> None:
    exchange = Exchange("news", type="fanout")
    queues = [Queue(name, exchange)(connection.channel()) for name in ("left", "right")]
    for queue in queues:
        queue.declare()
    connection.Producer().publish("stop", exchange=exchange)
    assert [queue.get().payload for queue in queues] == ["stop", "stop"]


def test_purging_says_how_many_were_thrown_away(connection: Connection) -> None:
    with connection.SimpleQueue("orders") as queue:
        queue.put(1)
        queue.put(2)
        assert queue.qsize() == 2
        assert queue.clear() == 2
        assert queue.qsize() == 0


def test_nothing_is_left_of_a_handled_message(connection: Connection, tmp_path: Path) -> None:
    with connection.SimpleQueue("orders") as queue:
        queue.put("order 1")
        queue.get(timeout=5).ack()
    assert [path for name in ("aside", "queued", "taken") for path in (tmp_path / name).iterdir()] == []
