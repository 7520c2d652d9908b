"""What the documents list is what there is; the examples in them are registered, read and planned."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import BaseCommand, load_command_class

from checks.models import Environment
from checks.probers import PROBERS
from checks.variables import variables_of
from releases.actions import ACTIONS
from releases.features.own import OWN
from releases.lifecycle import environments
from releases.management import commands as command_modules
from releases.management.base import EXIT_CODES
from releases.permissions import ROLES as STAFF_ROLES
from releases.plan.facts import Facts
from releases.plan.make import make_plan
from releases.plan.model import Plan
from releases.plan.ways import make_way_back
from releases.runbooks import annotations
from releases.runbooks.dangers import DANGERS
from releases.runbooks.document import Document
from releases.runbooks.reader import read as read_runbook
from releases.runbooks.review import reviewed
from releases.runbooks.script import SHELL_OWN
from releases.runbooks.words import ROLES as STAGE_ROLES
from releases.statuses import RollbackClass
from tests.factories import NOON

ROOT: Path = settings.BASE_DIR
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = sorted(module.name for module in pkgutil.iter_modules(command_modules.__path__))
PINNED = {"requirements.in": "requirements.txt", "requirements-dev.in": "requirements-dev.txt"}


def read(name: str) -> str:
    return (ROOT / name).read_text()


def first_column(text: str) -> set[str]:
    """The names in backticks that begin a table's rows."""
    return set(re.findall(r"^\| `([^`]+)`", text, re.MULTILINE))


def section(name: str, heading: str) -> str:
    """The text below a heading of a document, up to the next heading of its level or a higher one."""
    level = heading.index(" ")
    found = re.search(
        rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{level}}} |\Z)", read(name), re.MULTILINE | re.DOTALL
    )
    assert found, f"{name} has no {heading}"
    return found[1]


def settings_read() -> set[str]:
    return set(re.findall(r"(?:env\.\w+|one_of|switch|database)\(\s*[\"'](\w+)", read("config/settings.py")))


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


# --- services ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "keys"),
    [
        ("## `[service]`", environments.SERVICE_KEYS | environments.HEALTH | environments.COMMANDS),
        ("### `[service.health]`", environments.HEALTH),
        ("### `[service.commands]`", environments.COMMANDS),
        ("## `[[environment]]`", environments.ENVIRONMENT_KEYS),
        ("### `[[environment.host]]`", environments.HOST_KEYS),
        ("### `[[environment.probe]]`", environments.PROBE_KEYS),
    ],
)
def test_every_key_of_a_service_is_documented_and_no_other(heading: str, keys: set[str]) -> None:
    text = section("docs/services.md", heading)
    own = text.split("\n### ")[0] if heading == "## `[[environment]]`" else text
    assert first_column(own) == set(keys)


def test_every_kind_of_probe_is_named() -> None:
    text = section("docs/services.md", "### `[[environment.probe]]`")
    assert [kind for kind in PROBERS if f"`{kind}`" not in text] == []


@pytest.fixture
def webshop(db: None, tmp_path: Path) -> Environment:
    """The service that docs/services.md ends with, registered."""
    path = tmp_path / "webshop.toml"
    (example,) = re.findall(
        r"^```toml\n(.*?)^```", section("docs/services.md", "## A complete example"), re.MULTILINE | re.DOTALL
    )
    path.write_text(example)
    environments.register(path, by="rita", at=NOON)
    assert environments.register(path, by="rita", at=NOON) == []
    return environments.find("webshop/production")


def test_the_example_service_can_be_registered_and_uses_every_key(webshop: Environment) -> None:
    assert set(webshop.metrics.values_list("name", flat=True)) == {"error_rate", "p95_response_time"}
    assert set(webshop.service.commands) == set(environments.COMMANDS)
    assert set(webshop.service.health) == set(environments.HEALTH)
    assert webshop.variables.get(name="SECRET_KEY").shown != "a-long-random-key"


def test_every_variable_of_a_command_is_documented_and_known_to_the_reader(webshop: Environment) -> None:
    documented = first_column(section("docs/services.md", "### `[environment.variables]`"))
    declared = set(webshop.variables.values_list("name", flat=True)) - {"PATH"}
    assert set(variables_of(webshop)) - declared <= documented
    assert documented - {"GIT_TERMINAL_PROMPT"} <= SHELL_OWN


# --- runbooks ----------------------------------------------------------------------------------------


def problem_ids() -> set[str]:
    """Every id that the reader's sources give a problem."""
    return {f"danger-{id}" for id, _, _ in DANGERS} | set(_written_ids())


def _written_ids() -> Iterator[str]:
    for path in (ROOT / "releases/runbooks").glob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        for call in calls:
            by_place = call.args[:1] if ast.unparse(call.func).endswith("_problem") else []
            by_name = [word.value for word in call.keywords if word.arg == "id"]
            for value in (*by_place, *by_name):
                if isinstance(value, ast.Constant):
                    yield str(value.value)


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("## Stages and steps", set(STAGE_ROLES)),
        ("### Actions", set(ACTIONS)),
        ("## Problems", problem_ids()),
    ],
)
def test_the_tables_of_the_runbooks_page_are_complete(heading: str, names: set[str]) -> None:
    assert first_column(section("docs/runbooks.md", heading)) == names


def test_every_attribute_of_a_fence_is_documented() -> None:
    before_the_actions = section("docs/runbooks.md", "## Fences").partition("### Actions")[0]
    assert first_column(before_the_actions) == set(annotations.ATTRIBUTES)


def test_everybody_who_ticks_a_box_is_documented() -> None:
    who = first_column(section("docs/runbooks.md", "## Boxes"))
    assert {name.partition(":")[0] for name in who} == set(annotations.TICKERS)


def test_every_rollback_class_is_documented() -> None:
    text = section("docs/runbooks.md", "## Ways back")
    assert [kind for kind in RollbackClass if f"| {kind} |" not in text] == []


# A service on a server of one's own is not deployed by somebody else, nor on several hosts.
ELSEWHERE = {"ready", "trigger", "revert"}


def example_runbook() -> Document:
    (text,) = re.findall(
        r"^````markdown\n(.*?)^````$",
        read("docs/runbooks.md").partition("## A small example")[2],
        re.MULTILINE | re.DOTALL,
    )
    return read_runbook(text)


def planned(webshop: Environment, *schema_changes: str) -> Plan:
    """The example runbook planned for the example service."""
    facts = Facts(
        service="webshop",
        environment=str(webshop),
        version="v2.4",
        commit="b" * 40,
        previous_version="v2.3",
        previous_commit="a" * 40,
        revision="r",
        schema_changes=schema_changes,
        databases=tuple(webshop.databases.values_list("name", flat=True)),
        metrics=dict(webshop.metrics.values_list("name", "unit")),
    )
    document = example_runbook()
    raised = reviewed(document, {("level", step.key): "auto" for step in document.steps})
    return make_plan(raised, facts)


def test_the_example_runbook_is_read_without_a_problem() -> None:
    document = example_runbook()
    assert document.problems == ()
    assert document.signoff_roles == ("Release manager", "Operator")


def test_the_example_runbook_shows_every_action_and_every_trigger_is_measured(webshop: Environment) -> None:
    plan = planned(webshop)
    steps = (*plan.steps, *(step for method in plan.methods for step in method.steps))
    assert {action.kind for step in steps for action in step.actions} == set(ACTIONS) - ELSEWHERE
    assert plan.problems == plan.notes == ()
    assert [limit.metric for limit in plan.limits] == ["error_rate", "p95_response_time", "error_rate"]


def test_the_example_runbook_has_a_way_back_for_code_and_for_a_new_schema(webshop: Environment) -> None:
    code, schema = planned(webshop), planned(webshop, "shop/migrations/0007_total.py")
    assert (code.rollback_class, schema.rollback_class) == ("CODE", "RESTORE")
    assert "restore" not in kinds_of(make_way_back(code, covers="CODE"))
    assert "restore" in kinds_of(make_way_back(schema, covers="RESTORE"))
    assert kinds_of(schema).count("backup") == 2


def kinds_of(plan: Plan | None) -> list[str]:
    assert plan
    return [action.kind for action in plan.actions]


# --- commands ----------------------------------------------------------------------------------------


def own_options(name: str) -> set[str]:
    """The long options of a command, without those that every command of Django has and the way to prove oneself."""
    plain = {
        option for action in BaseCommand().create_parser("", "")._actions for option in action.option_strings
    }
    parser = load_command_class("releases", name).create_parser("manage.py", name)
    found = {option for action in parser._actions for option in action.option_strings}
    return found - plain - {"--password-file"}


def test_every_command_has_its_section_and_no_other() -> None:
    assert sorted(re.findall(r"^### `(\w+)`$", read("docs/commands.md"), re.MULTILINE)) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_its_options_an_exit_code_and_an_example(name: str) -> None:
    text = section("docs/commands.md", f"### `{name}`")
    synopsis = text.strip().partition("\n")[0]
    assert set(re.findall(r"--[a-z][a-z-]*", synopsis)) == own_options(name)
    assert re.search(r"\bExit (\d|.* \d)", text)
    assert re.search(rf"^```bash\nmanage.py {name}\b", text, re.MULTILINE)


def test_every_role_of_staff_and_every_switch_of_gantry_is_documented() -> None:
    text = read("docs/commands.md")
    assert [name for name in (*STAFF_ROLES, *OWN) if f"`{name}`" not in text] == []


def test_every_exit_code_of_the_help_is_documented() -> None:
    codes = set(re.findall(r"(\d) [a-z]", EXIT_CODES))
    assert first_column(section("docs/commands.md", "## Exit codes")) == codes
