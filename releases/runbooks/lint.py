"""The problems of runbooks alone, for a team's own CI; needs no settings, no database and no Django."""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from releases.errors import WrongUsage

from .document import Problem
from .files import bytes_of
from .reader import read
from .words import Words, load

FOUND, UNREADABLE = 1, 2
Say = Callable[[str], object]


def lint(files: Iterable[Path], *, words: Words, strict: bool, say: Say, complain: Say) -> int:
    """Say the problems of every file, and complain of those that cannot be read.

    Returns 2 if there were such, else 1 for errors (when `strict`, for warnings too), else 0.
    """
    levels: Counter[str] = Counter()
    unreadable = 0
    for file in files:
        try:
            problems = read(bytes_of(file), words=words).problems
        except WrongUsage as error:
            unreadable += 1
            complain(f"gantry: {error}")
            continue
        levels.update(problem.level for problem in problems)
        for line in lines(file, problems):
            say(line)
    if unreadable:
        return UNREADABLE
    return FOUND if levels["error"] or (strict and levels["warning"]) else 0


def lines(file: Path, problems: Iterable[Problem]) -> Iterator[str]:
    """`FILE:LINE:ID message — hint`, one line a problem."""
    for problem in problems:
        said = f"{file}:{problem.line}:{problem.id} {problem.message} — {problem.hint}"
        yield " ".join(said.split())


def add_arguments(parser: ArgumentParser) -> None:
    """Files and how strict."""
    parser.add_argument("files", metavar="FILE", type=Path, nargs="+")
    parser.add_argument("--strict", action="store_true", help="warnings count as errors, too")


def main(typed: Sequence[str] | None = None) -> int:
    """The command line of `gantry-lint` and `python -m releases.runbooks.lint`; returns the exit code."""
    parser = ArgumentParser(
        prog="gantry-lint",
        description="The problems of Markdown runbooks as FILE:LINE:ID message.",
        epilog="exit codes: 0 nothing that stops a runbook, 1 errors, 2 wrong usage or a file that cannot be read",
    )
    add_arguments(parser)
    parser.add_argument("--words", metavar="TOML", default="", help="more words of headings: RUNBOOK_WORDS")
    asked = parser.parse_args(typed)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that knows no dash shows a ? instead of ending the check.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        words = load(asked.words)
    except WrongUsage as error:
        _complain(f"gantry: {error}")
        return UNREADABLE
    return lint(asked.files, words=words, strict=asked.strict, say=print, complain=_complain)


def _complain(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
