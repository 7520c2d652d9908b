"""The cases, damaged in every way that editors, copies and merges damage a file: nothing fails and no line is lost."""

import json
import os
import random
from collections.abc import Callable

import pytest

from releases.runbooks.encoding import decode
from releases.runbooks.reader import read
from tests.releases.runbooks.test_cases import CASES, NAMES

DOCUMENTS = int(os.environ.get("GANTRY_MUTATIONS", "500"))
BATCH = 50  # documents of a test
TEXTS = [(CASES / f"{name}.md").read_bytes().decode("utf-8", "replace") for name in NAMES]
ODD = (
    "\x00",
    "\ufeff",
    "\u202e",
    "\u00a0",
    "\ufffd",
    "\r",
    "\x0c",
    "\u2028",
    "￾",
    "√©",
    "`",
    "```",
    "[ ]",
    "|",
    ">",
    "<!--",
    "<pre>",
)

Rows = list[str]


def drop(rows: Rows, chance: random.Random) -> Rows:
    return [row for row in rows if chance.random() > 0.1]


def double(rows: Rows, chance: random.Random) -> Rows:
    return [again for row in rows for again in [row] * chance.choice((1, 1, 1, 1, 2))]


def swap(rows: Rows, chance: random.Random) -> Rows:
    place, other = chance.randrange(len(rows)), chance.randrange(len(rows))
    rows[place], rows[other] = rows[other], rows[place]
    return rows


def indent(rows: Rows, chance: random.Random) -> Rows:
    return [chance.choice(("", "", " ", "  ", "    ", "\t", "> ", "- ")) + row for row in rows]


def outdent(rows: Rows, chance: random.Random) -> Rows:
    return [row.lstrip() if chance.random() < 0.3 else row for row in rows]


def cut(rows: Rows, chance: random.Random) -> Rows:
    text = "\n".join(rows)
    return text[: chance.randrange(len(text) + 1)].split("\n")


def splice(rows: Rows, chance: random.Random) -> Rows:
    other = chance.choice(TEXTS).split("\n")
    return rows[: chance.randrange(len(rows) + 1)] + other[chance.randrange(len(other)) :]


def litter(rows: Rows, chance: random.Random) -> Rows:
    return [_littered(row, chance) if chance.random() < 0.2 else row for row in rows]


def _littered(row: str, chance: random.Random) -> str:
    place = chance.randrange(len(row) + 1)
    return row[:place] + chance.choice(ODD) + row[place:]


def close_up(rows: Rows, chance: random.Random) -> Rows:
    return [row for row in rows if row.strip()] or [""]


def windows(rows: Rows, chance: random.Random) -> Rows:
    return [row + "\r" for row in rows]


MUTATIONS: tuple[Callable[[Rows, random.Random], Rows], ...] = (
    drop,
    double,
    swap,
    indent,
    outdent,
    cut,
    splice,
    litter,
    close_up,
    windows,
)


def mutated(seed: int) -> bytes:
    """A case after one to four mutations; now and then in an encoding of its own."""
    chance = random.Random(seed)
    rows = chance.choice(TEXTS).split("\n")
    for mutate in chance.choices(MUTATIONS, k=chance.randint(1, 4)):
        rows = mutate(rows, chance) or [""]
    encoding = chance.choice(("utf-8", "utf-8", "utf-8", "utf-16", "cp1252"))
    return "\n".join(rows).encode(encoding, "replace")


@pytest.mark.parametrize("batch", range(max(DOCUMENTS // BATCH, 1)))
def test_a_mutated_document_is_read_and_no_line_of_it_is_lost(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        data = mutated(seed)
        document = read(data)
        rows = decode(data).text.split("\n")
        belonging = {line for passage in document.passages for line in range(passage.line, passage.end + 1)}

        assert {number for number, row in enumerate(rows, start=1) if row.strip()} <= belonging, seed
        assert all(1 <= problem.line <= len(rows) for problem in document.problems), seed
        assert json.loads(json.dumps(document.to_json())), seed


def test_the_same_seed_gives_the_same_document() -> None:
    assert mutated(7) == mutated(7) != mutated(8)
