"""Registering a service from its TOML file: what differs is changed and named, nothing else is touched."""

import graphlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, models

from checks import observe
from checks.models import Database, Environment, Host, Metric, Probe, Service, Variable
from checks.probers.base import Question
from checks.secrets import Unmaskable
from releases import repository
from releases.errors import WrongUsage
from releases.recorder import Add, Change, record

# Key to what stands there: a type, a list of texts, or a table of texts.
TEXTS, TABLE_OF_TEXTS = [str], {str: str}
SERVICE_KEYS = {
    "name": str,
    "title": str,
    "repository": str,
    "migrations": TEXTS,
    "health": TABLE_OF_TEXTS,
    "commands": TABLE_OF_TEXTS,
}
ENVIRONMENT_KEYS = {
    "name": str,
    "folder": str,
    "base_url": str,
    "order": int,
    "after": str,
    "window": str,
    "protected": bool,
    "demo": bool,
    "time_scale": int,
    "variables": dict,
    "database": list,
    "host": list,
    "probe": list,
}
COMMANDS = dict.fromkeys(
    ("maintenance", "configure_features", "show_config", "clear_cache", "stop", "start"), str
)
HEALTH = dict.fromkeys(("live", "ready", "version", "commit", "started", "public"), str)
DATABASE_KEYS = {"name": str, "url": str}
HOST_KEYS = {"name": str, "address": str, "port": int, "identity_file": str}
READING_KEYS = {"value": str, "unit": str}
SECRET_KEYS = {"secret": str}
PROBE_KEYS = {
    "name": str,
    "kind": str,
    "target": str,
    "options": dict,
    "conditions": TEXTS,
    "readings": dict,
    "every": str,
    "preflight": bool,
}
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,49}")
LONGEST = 7 * 86400.0
SECONDS = re.compile(r"^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}


def register(path: Path, *, by: str, at: datetime) -> list[str]:
    """Register or update the service of a TOML file; one line for each thing that changed, none when nothing did.

    Raises WrongUsage naming the file and the key that is wrong; then nothing was changed.
    """
    content = _load(path)
    plan = _Differences()
    service = _service(content, plan, path)
    places = _places(service)
    for each in _in_order(_tables(content, "environment", path), places, path):
        _environment(service, each, places, plan, path)
    if plan.changes:
        try:
            record(*plan.changes, by=by, at=at)
        except IntegrityError as error:
            twice = _twice(plan.lines)
            raise WrongUsage(f"{path}: {twice} is there twice; give each its own name") from error
        except DataError as error:
            said = str(error).splitlines()[0]
            raise WrongUsage(f"{path}: a text is too long, or holds a NUL character: {said}") from error
    return plan.lines


def _twice(lines: list[str]) -> str:
    return next((line.removeprefix("new: ") for line in lines if lines.count(line) > 1), "something")


class _Differences:
    """What has to change, and one line each for a person."""

    def __init__(self) -> None:
        self.changes: list[Add | Change] = []
        self.lines: list[str] = []

    def new(self, row: models.Model, line: str) -> None:
        self.changes.append(Add(row))
        self.lines.append(f"new: {line}")

    def fields(
        self, row: models.Model, wanted: Mapping[str, Any], name: str, hidden: Iterable[str] = ()
    ) -> None:
        differing = {key: value for key, value in wanted.items() if getattr(row, key) != value}
        if not differing:
            return
        self.changes.append(Change(row, differing))
        for key, value in differing.items():
            self.lines.append(
                f"changed: {name} {key}" + ("" if key in hidden else f": {getattr(row, key)} → {value}")
            )


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUsage(f"there is no file {path}") from None
    except IsADirectoryError:
        raise WrongUsage(f"{path} is a folder; name the TOML file in it") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WrongUsage(f"{path} is not valid TOML: {error}") from None


def _service(content: dict[str, Any], plan: _Differences, path: Path) -> Service:
    table = content.get("service")
    if not isinstance(table, dict) or not table.get("name"):
        raise WrongUsage(f"{path}: [service] with a name is missing")
    _known(table, SERVICE_KEYS, "[service]", path)
    _fits(NAME, table["name"], "[service] name", path)
    _known(table.get("commands", {}), COMMANDS, "[service.commands]", path)
    _known(table.get("health", {}), HEALTH, "[service.health]", path)
    if not repository.is_repository(str(table.get("repository", ""))):
        raise WrongUsage(f"{path}: [service] repository '{table.get('repository', '')}' does not exist")
    wanted = {
        "title": table.get("title", table["name"]),
        "repository": table["repository"],
        "migrations": table.get("migrations", []),
        "health": table.get("health", {}),
        "commands": table.get("commands", {}),
    }
    row = Service.objects.filter(name=table["name"]).first()
    if row is None:
        row = _clean(Service(name=table["name"], **wanted), path)
        plan.new(row, f"service {row.name}")
    else:
        plan.fields(row, wanted, f"service {row.name}")
    return row


def _places(service: Service) -> dict[str, Environment]:
    """The environments that there are, by their names."""
    if not service.pk:
        return {}
    return {row.name: row for row in service.environments.select_related("after")}


def _in_order(
    tables: list[dict[str, Any]], places: Mapping[str, Environment], path: Path
) -> list[dict[str, Any]]:
    """Each environment behind the one that it comes after; raises WrongUsage for a circle or an unknown one."""
    earlier = {name: row.after.name if row.after else "" for name, row in places.items()}
    earlier |= {str(table.get("name", "")): str(table.get("after", "")) for table in tables}
    for name, after in earlier.items():
        if after and after not in earlier:
            known = ", ".join(sorted(set(earlier) - {name})) or "no other"
            raise WrongUsage(f"{path}: [[environment]] {name} is after '{after}'; there is {known}")
    graph = {name: {after} - {""} for name, after in earlier.items()}
    try:
        order = list(graphlib.TopologicalSorter(graph).static_order())
    except graphlib.CycleError as error:
        circle = " after ".join(reversed(error.args[1]))
        raise WrongUsage(f"{path}: environments come after each other in a circle: {circle}") from None
    return sorted(tables, key=lambda table: order.index(str(table.get("name", ""))))


def _environment(
    service: Service, table: dict[str, Any], places: dict[str, Environment], plan: _Differences, path: Path
) -> None:
    """`places` holds those that there are, and gets this one, so that a later one may come after it."""
    name = str(table.get("name", ""))
    _known(table, ENVIRONMENT_KEYS, f"[[environment]] {name}", path)
    _needed(table, ("name", "folder", "base_url"), f"[[environment]] {name}", path)
    after = table.get("after", "")
    wanted = {
        "folder": table["folder"],
        "base_url": table["base_url"],
        "order": table.get("order", 1),
        "after": places[after] if after else None,
        "window": table.get("window", ""),
        "is_protected": table.get("protected", False),
        "is_demo": table.get("demo", False),
        "time_scale": table.get("time_scale", 1),
    }
    row = places.get(name)
    if row is None or row.pk is None:
        row = Environment(service=service, name=name, **wanted)
        _clean(row, path, exclude=["service"])
        plan.new(row, f"environment {row}")
    else:
        _clean(Environment(pk=row.pk, service=service, name=name, **wanted), path)
        plan.fields(row, wanted, f"environment {row}")
    places[name] = row
    _variables(row, table.get("variables", {}), plan, path)
    _databases(row, _tables(table, "database", path), plan, path)
    _hosts(row, _tables(table, "host", path), plan, path)
    _probes(row, _tables(table, "probe", path), plan, path)


def _variables(environment: Environment, table: Mapping[str, Any], plan: _Differences, path: Path) -> None:
    known = _rows(environment, Variable)
    for name, given in table.items():
        _fits(VARIABLE, name, f"variable of {environment}", path)
        is_secret = isinstance(given, dict)
        if isinstance(given, list):
            raise WrongUsage(f"{path}: variable {name} of {environment} is a list; write a text")
        if "\0" in str(given):
            raise WrongUsage(f"{path}: variable {name} of {environment} holds a NUL character")
        if isinstance(given, dict):
            _known(given, SECRET_KEYS, f"variable {name} of {environment}", path)
            _needed(given, ("secret",), f"variable {name} of {environment}", path)
        plain = str(given["secret"]) if isinstance(given, dict) else str(given)
        row = known.get(name)
        if row and row.is_secret == is_secret and row.value == plain:
            continue
        fresh = Variable(environment=environment, name=name, is_secret=is_secret)
        try:
            fresh.value = plain
        except Unmaskable as error:
            raise WrongUsage(f"{path}: {environment} variable {name}: {error}") from None
        if row is None:
            plan.new(fresh, f"variable {environment} {name}")
        else:
            wanted = {"is_secret": is_secret, "stored": fresh.stored}
            plan.fields(row, wanted, f"variable {environment} {name}", hidden=("stored",))


def _databases(
    environment: Environment, tables: list[dict[str, Any]], plan: _Differences, path: Path
) -> None:
    known = _rows(environment, Database)
    for table in tables:
        name = table.get("name", "default")
        _known(table, DATABASE_KEYS, f"[[environment.database]] {name}", path)
        _needed(table, ("url",), f"[[environment.database]] {name}", path)
        _fits(NAME, name, "[[environment.database]] name", path)
        row = known.get(name)
        if row is None:
            plan.new(
                Database(environment=environment, name=name, url=table["url"]),
                f"database {environment} {name}",
            )
        else:
            plan.fields(row, {"url": table["url"]}, f"database {environment} {name}", hidden=("url",))


def _hosts(environment: Environment, tables: list[dict[str, Any]], plan: _Differences, path: Path) -> None:
    known = _rows(environment, Host)
    for table in tables:
        name = table.get("name", "")
        _known(table, HOST_KEYS, f"[[environment.host]] {name}", path)
        _needed(table, ("name", "address"), f"[[environment.host]] {name}", path)
        wanted = {
            "address": table["address"],
            "port": table.get("port", 22),
            "identity_file": table.get("identity_file", ""),
        }
        fresh = Host(environment=environment, name=name, **wanted)
        _clean(fresh, path, exclude=["environment"])
        row = known.get(name)
        if row is None:
            plan.new(fresh, f"host {environment} {name}")
        else:
            plan.fields(row, wanted, f"host {environment} {name}")


def _probes(environment: Environment, tables: list[dict[str, Any]], plan: _Differences, path: Path) -> None:
    known, metrics = _rows(environment, Probe), _rows(environment, Metric)
    for table in tables:
        _known(table, PROBE_KEYS, f"[[environment.probe]] {table.get('name', '')}", path)
        _needed(table, ("name", "kind"), "[[environment.probe]]", path)
        for name, reading in table.get("readings", {}).items():
            _known(reading, READING_KEYS, f"reading {name}", path)
            _needed(reading, ("value",), f"reading {name}", path)
        wanted = _probe_fields(environment, table, path)
        row = known.get(table["name"])
        if row is None:
            plan.new(
                Probe(environment=environment, name=table["name"], **wanted),
                f"probe {environment} {table['name']}",
            )
        else:
            plan.fields(row, wanted, f"probe {environment} {table['name']}")
        for name, reading in table.get("readings", {}).items():
            if name not in metrics:
                metric = Metric(environment=environment, name=name, unit=reading.get("unit", ""))
                plan.new(metric, f"metric {environment} {name}")
            else:
                plan.fields(metrics[name], {"unit": reading.get("unit", "")}, f"metric {environment} {name}")


def _probe_fields(environment: Environment, table: dict[str, Any], path: Path) -> dict[str, Any]:
    fields = {
        "kind": table.get("kind", ""),
        "target": table.get("target", ""),
        "options": table.get("options", {}),
        "conditions": table.get("conditions", []),
        "readings": table.get("readings", {}),
        "every_seconds": _seconds(str(table.get("every", "10s")), path),
        "is_preflight": table.get("preflight", False),
    }
    question = Question(
        kind=fields["kind"],
        target=fields["target"],
        options=fields["options"],
        conditions=tuple(fields["conditions"]),
        readings={name: str(reading["value"]) for name, reading in fields["readings"].items()},
        base_url=environment.base_url,
        folder=environment.folder,
    )
    wrong = [problem for problem in observe.problems(question) if problem.level == "error"]
    if wrong:
        raise WrongUsage(f"{path}: probe {table.get('name', '')}: {wrong[0].message}; {wrong[0].hint}")
    return fields


def _rows(environment: Environment, model: type[models.Model]) -> dict[str, Any]:
    if not environment.pk:
        return {}
    return {row.name: row for row in model._default_manager.filter(environment=environment)}  # type: ignore[attr-defined]


def _seconds(text: str, path: Path) -> float:
    match = SECONDS.match(text.strip())
    if not match:
        raise WrongUsage(f"{path}: every = '{text}' is no duration; write 10s, 500ms, 5m or 1h")
    seconds = float(match[1]) * UNITS[match[2]]
    if not 0.1 <= seconds <= LONGEST:
        raise WrongUsage(f"{path}: every = '{text}' is out of bounds; write something from 100ms to 168h")
    return seconds


def _known(table: Any, known: Mapping[str, Any], where: str, path: Path) -> None:
    """Every key is known and holds what it should; raises WrongUsage naming the key."""
    if not isinstance(table, dict):
        raise WrongUsage(f"{path}: {where} is {table!r}; write it as a table with {', '.join(sorted(known))}")
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise WrongUsage(
            f"{path}: {where} has an unknown key '{unknown[0]}'; known are {', '.join(sorted(known))}"
        )
    for key, value in table.items():
        if not _is(value, known[key]):
            raise WrongUsage(f"{path}: {where} {key} is {value!r}; it should be {_named(known[key])}")


def _is(value: Any, wanted: Any) -> bool:
    if wanted == TEXTS:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if wanted == TABLE_OF_TEXTS:
        return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def _named(wanted: Any) -> str:
    if wanted == TEXTS:
        return "a list of texts"
    if wanted == TABLE_OF_TEXTS:
        return "a table of texts"
    return {
        str: "a text",
        int: "a whole number",
        bool: "true or false",
        dict: "a table",
        list: "[[ ]] tables",
    }[wanted]


def _fits(pattern: re.Pattern[str], name: str, where: str, path: Path) -> None:
    if not pattern.fullmatch(name):
        raise WrongUsage(
            f"{path}: {where} '{name[:60]}' is no name: letters, digits, _ and - (variables: no -)"
        )


def _needed(table: Mapping[str, Any], keys: Iterable[str], where: str, path: Path) -> None:
    for key in keys:
        if not table.get(key):
            raise WrongUsage(f"{path}: {where} has no {key}")


def _tables(content: dict[str, Any], key: str, path: Path) -> list[dict[str, Any]]:
    tables = content.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise WrongUsage(f"{path}: write [[{key}]] with two brackets, for there may be several")
    return tables


def _clean(row: Any, path: Path, exclude: Iterable[str] = ()) -> Any:
    try:
        row.clean_fields(exclude=list(exclude))
        row.validate_constraints(exclude=[*exclude, "service"])
    except ValidationError as error:
        raise WrongUsage(f"{path}: {row}: {'; '.join(error.messages)}") from None
    return row


def find(place: str) -> Environment:
    """The environment by `SERVICE/ENV`; raises WrongUsage naming what exists."""
    service, _, name = place.partition("/")
    row = Environment.objects.filter(service__name=service, name=name).select_related("service").first()
    if row:
        return row
    known = ", ".join(str(each) for each in Environment.objects.select_related("service")[:10]) or "none yet"
    raise WrongUsage(
        f"there is no environment '{place}' (there is: {known}); write it as SERVICE/ENVIRONMENT"
    )
