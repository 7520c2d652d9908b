"""The shop's broker in files: messages appear whole and are taken once."""

import importlib.util
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty
from types import ModuleType

from kombu import Connection

from demo import build

MESSAGES = 300


def broker() -> ModuleType:
    file = Path(build.__file__).parent / "shop" / "v1.0" / "shop" / "broker.py"
    spec = importlib.util.spec_from_file_location("demo_shop_broker", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def connection(folder: Path) -> Connection:
    names = ("data_folder_in", "data_folder_out", "control_folder")
    return Connection(transport=broker().Transport, transport_options=dict.fromkeys(names, str(folder)))


def put(folder: Path, writer: int) -> None:
    with connection(folder) as opened:
        for number in range(MESSAGES):
            opened.default_channel._put("orders", {"body": f"{writer}-{number}", "filler": "x" * 20_000})


def take(folder: Path, all_put: threading.Event) -> list[str]:
    """Take until everything was put and nothing is left."""
    taken: list[str] = []
    with connection(folder) as opened:
        while True:
            last_look = all_put.is_set()
            try:
                taken.append(opened.default_channel._get("orders")["body"])
            except Empty:
                if last_look:
                    return taken
                all_put.wait(0.01)


def test_every_message_is_taken_once_and_whole(tmp_path: Path) -> None:
    all_put = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(put, tmp_path, writer) for writer in range(2)]
        readers = [pool.submit(take, tmp_path, all_put) for _ in range(2)]
        for writer in writers:
            writer.result()
        all_put.set()
        taken = [message for reader in readers for message in reader.result()]
    assert sorted(taken) == sorted(f"{writer}-{number}" for writer in range(2) for number in range(MESSAGES))
    assert [name for name in os.listdir(tmp_path) if name.endswith(".msg")] == []
