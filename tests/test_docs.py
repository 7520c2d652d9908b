"""What the documents list is what there is: settings, dependencies, words of the Makefile, links."""

import re
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
PINNED = {"requirements.in": "requirements.txt", "requirements-dev.in": "requirements-dev.txt"}


def read(name: str) -> str:
    return (ROOT / name).read_text()


def first_column(text: str) -> set[str]:
    """The names in backticks that begin a table's rows."""
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def settings_read() -> set[str]:
    return set(re.findall(r"env\.\w+\(\s*[\"'](\w+)", read("config/settings.py")))


def direct_dependencies(source: str) -> dict[str, str]:
    """Names of a requirements.in with the versions that its requirements.txt pins."""
    names = re.findall(r"^([a-z][\w-]*)", read(source), re.MULTILINE)
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", read(PINNED[source]), re.MULTILINE))
    return {name: pins[name] for name in names}


def test_every_setting_is_documented_and_no_other() -> None:
    assert first_column(read("docs/settings.md")) == settings_read()


def test_every_setting_has_its_line_in_the_example() -> None:
    lines = set(re.findall(r"^(?:# )?([A-Z][A-Z_]+)=", read(".env.example"), re.MULTILINE))
    # It names the file that is read instead, so it cannot stand in it.
    assert lines == settings_read() - {"GANTRY_ENV_FILE"}


@pytest.mark.parametrize("source", PINNED)
def test_every_dependency_is_documented_with_its_version(source: str) -> None:
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (\S+) \|", read("docs/dependencies.md"), re.MULTILINE))
    wanted = direct_dependencies(source)
    assert {name: rows.get(name) for name in wanted} == wanted


def test_make_help_names_every_word() -> None:
    makefile = read("Makefile")
    words = set(re.search(r"^\.PHONY:(.*)$", makefile, re.MULTILINE).group(1).split()) - {"help"}  # type: ignore[union-attr]
    assert set(re.findall(r'@echo "make ([a-z-]+) ', makefile)) == words


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("name", PINNED.values())
def test_pinned_requirements_name_no_machine(name: str) -> None:
    assert re.findall(r"^(?:-|.*(?:file://|https?://|/opt/)).*$", read(name), re.MULTILINE) == []
