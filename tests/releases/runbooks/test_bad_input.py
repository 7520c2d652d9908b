"""What is no runbook, or hardly one: a problem that says what and where, in time and in little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from releases.runbooks.reader import read

DEEP = "".join("  " * level + f"- [ ] level {level}\n" for level in range(100))

# The text, and the problems that name what is wrong with it: id and line.
KINDS: dict[str, tuple[bytes, list[tuple[str, int]]]] = {
    "empty": (b"", [("empty", 1)]),
    "blank": (b"\n \n\t\n", [("empty", 1)]),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, [("binary", 1)]),
    "five megabytes": (
        b"# Launch\n\n" + b"word " * 1_000_000,
        [("no-items", 1), ("long-passage", 3), ("too-large", 3)],
    ),
    "a hundred thousand lines": (
        b"# Launch\n" + b"- [ ] one more\n" * 100_000,
        [("not-placed", 2), ("too-large", 5_000)],
    ),
    "a hundred levels": (DEEP.encode(), [("no-headings", 1), ("not-placed", 1), ("nested-too-deep", 79)]),
    "an unclosed fence": (
        b"# Launch\n\n- [ ] box\n\n```bash\nls\n- [ ] lost?\n",
        [("not-placed", 3), ("not-placed", 5), ("unclosed-fence", 5)],
    ),
    "a fence in a quote in a list": (
        b"# Launch\n\n- [ ] box\n\n  > ```bash\n  > ls\n  > ```\n",
        [("not-placed", 3), ("not-placed", 5)],
    ),
    "one of those left open": (
        b"# Launch\n\n- [ ] box\n\n  > ```bash\n  > ls\n\nafter\n",
        [("not-placed", 3), ("not-placed", 5), ("unclosed-fence", 5)],
    ),
    "a NUL": (b"# Launch\n\n- [ ] bo\x00x\n", [("control-characters", 3), ("not-placed", 3)]),
    "UTF-16": ("# Launch\n\n- [ ] box\n".encode("utf-16"), [("not-placed", 3)]),
    "UTF-16 without a mark": ("# Launch\n\n- [ ] box\n".encode("utf-16-le"), [("not-placed", 3)]),
    "UTF-32": ("# Launch\n\n- [ ] box\n".encode("utf-32"), [("not-placed", 3)]),
    "no heading": (b"- [ ] box\n", [("no-headings", 1), ("not-placed", 1)]),
    "no box": (b"# Launch\n\nJust go.\n", [("no-items", 1)]),
    "twenty thousand boxes of HTML": (
        b'# Launch\n\n<input type="checkbox"> box\n' + b'<input type="checkbox"> box\n' * 20_000,
        [("not-placed", 3), ("too-large", 5_000)],
    ),
    "twenty thousand on a line": (
        b'# Launch\n\n<input type="checkbox"> box ' + b'<input type="checkbox"> box ' * 20_000,
        [("long-passage", 3), ("not-placed", 3), ("too-large", 3)],
    ),
    "tags without an end": (
        b"# Launch\n\n- [ ] box\n\n" + b"<input type=" * 20_000,
        [("not-placed", 3), ("long-passage", 5)],
    ),
    "a long number": (
        b"# Launch\n\n- [ ] box\n- > 1,000" + b",000" * 50_000,
        [("not-placed", 3), ("long-passage", 4)],
    ),
    "a terminal's commands of one character": (
        b"# Launch\n\n## Deployment\n\n- [ ] a\xc2\x9b31mb\n",
        [("control-characters", 5)],
    ),
    "text that reads from right to left": (
        "# Launch\n\n## Deployment\n\n- [ ] a\u202eb\u2066c\n".encode(),
        [("control-characters", 5)],
    ),
    "two thousand choices in a row": (
        b"# Launch\n\n## Deployment\n\n" + b"**Pick one of the following:**\n**another**\n" * 2_400,
        [("no-items", 1)],
    ),
    "two thousand that ask": (
        b"# Launch\n\n## Deployment\n\n" + b"**A way (choose one)**\n\n- x\n" * 1_600,
        [("no-items", 1)],
    ),
    "commands in commands": (
        b"# Launch\n\n## Deployment\n\n- [ ] a\n\n```bash\n" + b"$(a " * 49_000 + b"\n```\n",
        [("long-command", 8)],
    ),
}


@pytest.mark.parametrize(("data", "problems"), KINDS.values(), ids=KINDS.keys())
def test_bad_input_is_a_problem_with_a_line(data: bytes, problems: list[tuple[str, int]]) -> None:
    assert [(problem.id, problem.line) for problem in read(data).problems] == problems


# The limit is of the heap, in bytes: what is only mapped, such as libraries, does not count.
CHILD = """
import resource, sys, json
from pathlib import Path
resource.setrlimit(resource.RLIMIT_DATA, (500_000_000, 500_000_000))
from releases.runbooks.reader import read
print(json.dumps([len(read(Path(name).read_bytes()).problems) for name in sys.argv[1:]]))
"""


def test_no_bad_input_takes_long_or_much_memory(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.md" for number in range(len(KINDS))]
    for file, (data, _) in zip(files, KINDS.values(), strict=True):
        file.write_bytes(data)
    command = [sys.executable, "-c", CHILD, *(str(file) for file in files)]
    # Two seconds each, with room for a busy machine.
    child = subprocess.run(
        command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=True, timeout=4 * len(KINDS)
    )

    assert json.loads(child.stdout) == [len(problems) for _, problems in KINDS.values()]
