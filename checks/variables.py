"""The variables of an environment as its commands see them; nothing of Gantry's own environment is handed down."""

import os
import pwd
from collections.abc import Iterable

from checks.models import Environment

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def variables_of(environment: Environment) -> dict[str, str]:
    """Name to plain value, with the few that every command needs (PATH, HOME, LANG)."""
    declared = {variable.name: variable.value for variable in environment.variables.all()}
    return {**_base(), "SERVICE": environment.service.name, "ENVIRONMENT": environment.name, **declared} | {
        "BASE_URL": environment.base_url
    }


def secrets_of(environment: Environment) -> tuple[str, ...]:
    """The plain values that no output, page or log may show."""
    return tuple(variable.value for variable in environment.variables.all() if variable.is_secret)


def missing(environment: Environment, names: Iterable[str]) -> list[str]:
    """The names that the environment does not set."""
    known = variables_of(environment)
    return sorted(name for name in names if name not in known)


def _base() -> dict[str, str]:
    try:
        home = pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        home = "/"
    return {"PATH": DEFAULT_PATH, "HOME": home, "LANG": "C.UTF-8", "GIT_TERMINAL_PROMPT": "0"}
