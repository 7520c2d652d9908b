"""Who may import and call what: the rules of docs/architecture.md that no linter knows."""

import ast
import graphlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import grimp
import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
PACKAGES = ("config", "releases", "checks")
COMMANDS = "releases/management/commands/"
SERVE = f"{COMMANDS}serve.py"

# A module (with what is below it) and the only files that may import it.
ONLY_IMPORTED_IN = {
    "subprocess": {"checks/gates/process.py", "checks/gates/lines.py", SERVE},
    "multiprocessing": set(),
    "pty": set(),
    "aiohttp": {"checks/gates/net.py"},
    "http.client": set(),
    "urllib.request": set(),
    "psycopg": {"checks/probers/sql.py"},
    "redis": {"releases/cache.py"},
}
# A call and the only places (files, or folders ending in a slash) where it may stand.
ONLY_CALLED_IN = {
    "os.fork": set(),
    "os.system": set(),
    "os.popen": set(),
    "os.execv": set(),
    "os.execve": set(),
    "os.execvp": set(),
    "os.execvpe": set(),
    "os.posix_spawn": set(),
    "asyncio.create_subprocess_exec": set(),
    "asyncio.create_subprocess_shell": set(),
    "asyncio.open_connection": {"checks/gates/net.py"},
    "socket.socket": {"checks/gates/net.py", SERVE},
    "socket.create_connection": {"checks/gates/net.py"},
    # In library code a handler would decide for every program that imports it, Celery's pools among them.
    "signal.signal": {COMMANDS, "releases/management/interrupts.py", "releases/hosts/run.py"},
}


@cache
def trees() -> dict[str, ast.Module]:
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in files}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(tree: ast.Module) -> Iterator[str]:
    return (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_allowed(file: str, places: set[str]) -> bool:
    return any(file == place or (place.endswith("/") and file.startswith(place)) for place in places)


@pytest.mark.parametrize("module", ONLY_IMPORTED_IN)
def test_a_gate_is_the_only_importer_of_its_library(module: str) -> None:
    importers = {
        file
        for file, tree in trees().items()
        if any(f"{name}.".startswith(f"{module}.") for name in imports(tree))
    }
    assert importers <= ONLY_IMPORTED_IN[module]


@pytest.mark.parametrize("call", ONLY_CALLED_IN)
def test_a_call_stands_only_where_it_may(call: str) -> None:
    callers = {file for file, tree in trees().items() if call in calls(tree)}
    assert {file for file in callers if not is_allowed(file, ONLY_CALLED_IN[call])} == set()


def test_no_child_is_prepared_between_fork_and_exec() -> None:
    users = {
        file
        for file, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "preexec_fn"
    }
    assert users == set()


def test_there_is_no_cycle_of_imports() -> None:
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=True, cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert cycle_in(imported) == []


def cycle_in(imported: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(imported).prepare()
    except graphlib.CycleError as found:
        return list(found.args[1])
    return []


def test_every_module_says_what_belongs_there() -> None:
    silent = [file for file, tree in trees().items() if tree.body and not ast.get_docstring(tree)]
    assert [file for file in silent if "/migrations/" not in file] == []
