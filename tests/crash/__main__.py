"""`python -m tests.crash`: the crash matrix, or a part of it; `--write` puts its table on docs/reliability.md."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from tests.crash.cases import Case
from tests.crash.matrix import PARTS, part, run_all
from tests.crash.table import write

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """0 when every case is green."""
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--part", metavar=f"I/{PARTS}", help="a part of all, for a quick look")
    parser.add_argument(
        "--only", metavar="TEXT", action="append", default=[], help="cases whose name holds it"
    )
    parser.add_argument("--list", action="store_true", help="name the cases, run none")
    parser.add_argument("--write", action="store_true", help="put the table on docs/reliability.md")
    parser.add_argument("--logs", type=Path, default=ROOT / "var" / "crash", help="where logs of cases go")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(
            number, signal.default_int_handler
        )  # in the background of a script, too: servers end with it
    matrix = run_all(lambda cases: _chosen(cases, options), logs=options.logs)
    print(matrix.summary())
    if options.write:
        write(matrix, on=date.today())
    return 1 if matrix.red else 0


def _chosen(cases: list[Case], options: argparse.Namespace) -> Sequence[Case]:
    if options.list:
        print(*cases, f"{len(cases)} cases", sep=os.linesep)
        return ()
    if options.only:
        return [case for case in cases if any(text in str(case) for text in options.only)]
    return part(cases, int(options.part.partition("/")[0])) if options.part else cases


if __name__ == "__main__":
    sys.exit(main())
