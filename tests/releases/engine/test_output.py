"""Output on its way to storage: masked wherever it is cut, in bounded memory, whatever the bytes."""

import base64
import json
import tracemalloc
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.secrets import MASK
from releases.engine import output
from releases.engine.output import TAIL, Output

SECRET = "s3cr3t/p@ss word"


def make_output(folder: Path, *, secrets: tuple[str, ...] = (SECRET,)) -> tuple[Output, list[str]]:
    """An output over an empty raw file, and what it shows."""
    shown: list[str] = []
    (folder / "raw").touch()
    return Output(raw=folder / "raw", stored=folder / "stored", secrets=secrets, show=shown.append), shown


def write(folder: Path, data: bytes) -> None:
    with (folder / "raw").open("ab") as raw:
        raw.write(data)


def stored(folder: Path) -> str:
    return (folder / "stored").read_text() if (folder / "stored").exists() else ""


def test_what_a_command_says_is_stored_and_shown_as_it_comes(tmp_path):
    follow, shown = make_output(tmp_path, secrets=())
    write(tmp_path, b"one\n")
    assert follow.pump()
    write(tmp_path, b"two\n")
    follow.finish()
    assert stored(tmp_path) == "".join(shown) == follow.tail == "one\ntwo\n"


def test_silence_is_noticed(tmp_path):
    follow, _ = make_output(tmp_path)
    assert not follow.pump()


def test_the_raw_output_is_removed_at_the_end(tmp_path):
    follow, _ = make_output(tmp_path)
    write(tmp_path, SECRET.encode())
    follow.finish()
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    "spelling", [SECRET, quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode().rstrip("=")]
)
def test_a_secret_is_masked_wherever_the_output_is_cut(tmp_path, spelling):
    text = f"before {spelling} after".encode()
    for cut in range(len(text)):
        folder = tmp_path / str(cut)
        folder.mkdir()
        follow, shown = make_output(folder)
        for part in (text[:cut], text[cut:]):
            write(folder, part)
            follow.pump()
        follow.finish()
        assert stored(folder) == "".join(shown) == follow.tail == f"before {MASK} after"


@given(parts=st.lists(st.sampled_from(["a", "s3cr3t", "/p@ss", " word", SECRET, "\n", "é✓"]), max_size=12))
def test_no_way_of_writing_a_secret_gets_through(tmp_path_factory, parts):
    folder = tmp_path_factory.mktemp("output")
    follow, shown = make_output(folder)
    for part in parts:
        write(folder, part.encode())
        follow.pump()
    follow.finish()
    assert SECRET not in stored(folder) + "\0" + "".join(shown) + "\0" + follow.tail
    assert stored(folder) == "".join(parts).replace(SECRET, MASK)


@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_secret_that_is_printed_as_json_is_masked(tmp_path, ascii_only):
    secret = 'a "pass" wörd'
    follow, shown = make_output(tmp_path, secrets=(secret,))
    write(tmp_path, json.dumps({"token": secret}, ensure_ascii=ascii_only).encode())
    follow.finish()
    assert stored(tmp_path) == "".join(shown) == f'{{"token": "{MASK}"}}'


def test_a_secret_that_begins_like_another_is_masked_whole(tmp_path):
    follow, _ = make_output(tmp_path, secrets=("abcdef", "abcdefghij"))
    for part in (b"x abcdef", b"ghij y"):
        write(tmp_path, part)
        follow.pump()
    follow.finish()
    assert stored(tmp_path) == f"x {MASK} y"


def test_a_character_that_is_cut_in_two_is_read_whole(tmp_path):
    follow, _ = make_output(tmp_path)
    for part in ("é✓".encode()[:1], "é✓".encode()[1:3], "é✓".encode()[3:]):
        write(tmp_path, part)
        follow.pump()
    follow.finish()
    assert stored(tmp_path) == "é✓"


def test_bytes_that_are_no_text_are_shown_as_such(tmp_path):
    follow, _ = make_output(tmp_path)
    write(tmp_path, b"\xff\xfe ok \xc3")
    follow.finish()
    assert stored(tmp_path) == "\ufffd\ufffd ok \ufffd"


def test_nul_bytes_are_neither_stored_nor_shown(tmp_path):
    follow, shown = make_output(tmp_path)
    write(tmp_path, b"a\0b\n")
    follow.finish()
    assert stored(tmp_path) == "".join(shown) == follow.tail == "a\ufffdb\n"


def test_fifty_megabytes_are_stored_in_bounded_memory(tmp_path):
    follow, _ = make_output(tmp_path)
    follow._show = len
    line = b"x" * 99 + b"\n"
    with (tmp_path / "raw").open("wb") as raw:
        for _ in range(50):
            raw.write(line * 10_000)
        raw.write(SECRET.encode())
    tracemalloc.start()
    follow.finish()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "stored").stat().st_size == 50_000_000 + len(MASK.encode())
    assert peak < 12 * output.CHUNK
    assert len(follow.tail) == TAIL
