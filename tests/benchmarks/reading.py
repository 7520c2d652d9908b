"""`python -m tests.benchmarks.reading [FILE …]`: how long reading takes, in milliseconds of 20 KB, and whole files."""

import statistics
import sys
import time
from pathlib import Path

from releases.runbooks.reader import read

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.md"))
TIMES = 15


def main() -> int:
    """A line a file: its size, the smallest, median and largest time."""
    files = [Path(name) for name in sys.argv[1:]] or EXAMPLES
    together = b"\n\n".join(file.read_bytes() for file in EXAMPLES)
    show("20 KB of the examples", together[:20_000])
    for file in files:
        show(file.name, file.read_bytes())
    return 0


def show(name: str, text: bytes) -> None:
    read(text)
    taken = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        read(text)
        taken.append((time.perf_counter() - begun) * 1000)
    median = statistics.median(taken)
    print(f"{name:<40} {len(text):>7} bytes   {min(taken):6.1f} {median:6.1f} {max(taken):6.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
