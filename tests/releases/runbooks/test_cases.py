"""Every pair in tests/cases/runbooks: NAME.md is read, NAME.json says what must be found in it."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from releases.runbooks.document import Choice, Document
from releases.runbooks.reader import read

CASES = Path(__file__).parents[2] / "cases" / "runbooks"
NAMES = sorted(path.stem for path in CASES.glob("*.md"))


def view(document: Document) -> dict[str, Any]:
    """The JSON that users see, and the same values with all their fields under names of their own."""
    return {
        **document.to_json(),
        "boxes": [asdict(item) for item in document.items],
        "fences": [asdict(block) for block in document.blocks],
        "parts": [asdict(step) for step in document.steps],
        "rollback_methods": [asdict(method) for method in document.rollback_methods],
        "triggers": [asdict(trigger) for trigger in document.triggers],
        "trigger_rule": document.trigger_rule,
        "ways": [ways(choice) for choice in document.choices],
        "passages": [asdict(passage) for passage in document.passages],
    }


def ways(choice: Choice) -> dict[str, Any]:
    """A choice with its options as "first line-last line label"."""
    options = [f"{option.line}-{option.end} {option.label}" for option in choice.options]
    return {**asdict(choice), "options": options}


def only(found: Any, expected: Any) -> Any:
    """Of every row found, the fields that the case speaks of."""
    if not (isinstance(expected, list) and expected and isinstance(expected[0], dict)):
        return found
    plain = json.loads(json.dumps(found, default=str))
    return [{key: row[key] for key in expected[0]} for row in plain]


@pytest.mark.parametrize("name", NAMES)
def test_the_reader_finds_what_the_case_says(name: str) -> None:
    expected = json.loads((CASES / f"{name}.json").read_text())
    found = view(read((CASES / f"{name}.md").read_bytes()))

    assert {key: only(found[key], value) for key, value in expected.items()} == expected


def test_every_case_has_both_of_its_files() -> None:
    assert NAMES
    assert sorted(path.stem for path in CASES.glob("*.json")) == NAMES
