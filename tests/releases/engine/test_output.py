"""Output on its way to storage: masked wherever it is cut, in bounded memory, whatever the bytes."""

import base64
import json
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
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
    "spelling",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        base64.b64encode(SECRET.encode()).decode().rstrip("="),
    ],
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


@pytest.mark.parametrize("user", ["", "a", "ab"])
def test_a_secret_in_the_base64_of_more_is_masked_wherever_it_is_cut(tmp_path, monkeypatch, user):
    header = base64.b64encode(f"{user}:{SECRET}\n".encode())
    for size in range(1, len(header)):
        monkeypatch.setattr(output, "CHUNK", size)
        folder = tmp_path / str(size)
        folder.mkdir()
        follow, _ = make_output(folder)
        write(folder, header)
        follow.finish()
        # What its neighbours have a part in is left: two or three characters before it and behind it.
        assert MASK in stored(folder) and len(stored(folder)) <= len(MASK) + 10, size


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


def test_a_pump_has_an_end_however_fast_the_command_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "AT_ONCE", 100)
    follow, shown = make_output(tmp_path, secrets=())
    write(tmp_path, b"x" * 250)
    assert [(follow.pump(), len("".join(shown))) for _ in range(4)] == [
        (True, 100), (True, 200), (True, 250), (False, 250)
    ]  # fmt: skip


# --- in bounded memory -----------------------------------------------------------------------------------

LONG = """
import resource, sys
from pathlib import Path
from releases.engine.output import Output

folder, size = Path(sys.argv[1]), int(sys.argv[2])
secrets = tuple(f"s3cr3t/{number}-p@ss {number * 7919:x} word" for number in range(20))
block = (" ".join(f"INFO GET /orders/{number} 200 in {number % 97} ms" for number in range(25_000))).encode()
with (folder / "raw").open("wb") as raw:
    while raw.tell() < size:
        raw.write(block + secrets[raw.tell() % 20].encode())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
Output(raw=folder / "raw", stored=folder / "stored", secrets=secrets, show=len).finish()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_two_hundred_megabytes_in_one_line_take_the_memory_of_a_few_chunks(tmp_path):
    size = 200_000_000
    said = subprocess.run(
        [sys.executable, "-c", LONG, str(tmp_path), str(size)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(said.stdout) < 40, "MiB more than before it began"
    assert (tmp_path / "stored").stat().st_size > size * 0.99
    with (tmp_path / "stored").open("rb") as file:
        text = file.read(3_000_000).decode()
    assert text.count(MASK) > 1
    assert "s3cr3t" not in text


# --- without its middle ----------------------------------------------------------------------------------


@pytest.fixture
def kept(monkeypatch) -> int:
    """How many bytes are kept of each end, in chunks of a few."""
    monkeypatch.setattr(output, "CHUNK", 7)
    monkeypatch.setattr(output, "HALF", 60)
    return 60


def test_an_output_as_long_as_may_be_is_kept_whole(tmp_path, kept):
    follow, shown = make_output(tmp_path)
    text = "".join(map(chr, range(40, 40 + 52))) * 2
    write(tmp_path, (text + "12345678901234567").encode()[: 2 * kept])
    follow.finish()
    assert stored(tmp_path) == "".join(shown) == (text + "12345678901234567")[: 2 * kept]


def test_a_longer_one_is_stored_without_its_middle_and_says_so(tmp_path, kept):
    follow, shown = make_output(tmp_path, secrets=())
    write(tmp_path, b"b" * kept + b"m" * 1_234 + b"e" * kept)
    follow.finish()
    note = "\n[1,234 bytes are left out here]\n"
    assert stored(tmp_path) == "".join(shown) == "b" * kept + note + "e" * kept


def test_it_is_followed_until_its_middle_and_still_known_to_speak(tmp_path, kept):
    follow, shown = make_output(tmp_path, secrets=())
    write(tmp_path, b"b" * 100)
    assert follow.pump()
    assert "".join(shown) == "b" * kept
    assert not follow.pump()
    write(tmp_path, b"m")
    assert follow.pump()


@pytest.mark.parametrize("spelling", [SECRET, base64.b64encode(SECRET.encode()).decode().rstrip("=")])
def test_no_part_of_a_secret_is_left_where_the_middle_was_cut_out(tmp_path, kept, spelling):
    for place in range(150):
        folder = tmp_path / str(place)
        folder.mkdir()
        follow, _ = make_output(folder)
        write(folder, (f"{'.' * place}{spelling}" + "." * 200).encode()[:200])
        follow.pump()
        follow.finish()
        left = stored(folder)
        pieces = [spelling[begin : begin + 3] for begin in range(len(spelling) - 2)]
        assert [piece for piece in pieces if piece in left] == [], place


def test_the_bytes_that_are_left_out_are_counted(tmp_path, kept):
    follow, _ = make_output(tmp_path)
    write(tmp_path, b"." * 500)
    follow.finish()
    before, number, after = re.fullmatch(
        r"(\.*)\n\[(\d+) bytes are left out here\]\n(\.*)", stored(tmp_path)
    ).groups()
    assert len(before) + int(number) + len(after) == 500
    assert len(after) == kept


def test_a_raw_file_that_somebody_removed_is_no_reason_to_stop(tmp_path):
    raw, stored = tmp_path / "raw", tmp_path / "stored"
    raw.write_bytes(b"first\n")
    output = Output(raw=raw, stored=stored, secrets=(), show=lambda text: None)
    assert output.pump() is True
    raw.unlink()
    assert output.pump() is False
    output.finish()
    assert stored.read_text() == "first\n"
