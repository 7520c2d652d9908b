"""What is a choice in a fence, and when a pick falls."""

import pytest

from releases.runbooks.document import Choice
from releases.runbooks.reader import read


def choices_of(script: str) -> tuple[Choice, ...]:
    return read(f"# Shop\n\n## Deployment\n\n### 1. Code\n\n```bash\n{script}\n```\n").choices


@pytest.mark.parametrize(
    "script",
    [
        "cat > notes <<EOF\nfirst\n\n# OR\nsecond\nEOF",
        "if true; then\n  git pull\n\n  # OR\n  git fetch\nfi",
        "for one in a b; do\n  echo $one\n  # OR\n  touch $one\ndone",
        "while read -r one; do\n  echo\n  # OR\n  touch x\ndone < list",
        "for one in a b; do\n  echo done\n  # OR\n  touch $one\ndone",
        "case $1 in\n  a) echo\n  # OR\n  ;;\nesac",
        "deploy() {\n  git pull\n  # OR\n  git fetch\n}",
        "echo 'first\n\n# OR\nsecond'",
    ],
)
def test_within_one_command_nothing_is_chosen(script: str) -> None:
    assert choices_of(script) == ()


def test_a_compound_command_may_be_one_of_the_ways() -> None:
    (choice,) = choices_of("if true; then\n  git pull\n\n  git status\nfi\n# OR\ngit fetch")
    assert [(option.line, option.end) for option in choice.options] == [(8, 12), (13, 14)]


def test_a_choice_is_another_when_its_commands_change() -> None:
    (before,), (after,) = choices_of("git pull\n# OR\ngit fetch"), choices_of("git pull\n# OR\nrm x")
    prose = "# Shop\n\n## Deployment\n\n### 1. Code\n\n**Option A**\n\n```bash\n{}\n```\n\n**Option B**\n\nBy hand.\n"
    (told,), (anew,) = read(prose.format("git pull")).choices, read(prose.format("rm -r x")).choices
    assert before.key != after.key
    assert told.key != anew.key
    assert told.key == read(prose.format("git pull")).choices[0].key
