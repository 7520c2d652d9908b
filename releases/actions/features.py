"""Switching the service's features by its own command, then reading them back."""

import json
import re

from django.db.models import Model

from checks.gates.process import capture
from checks.models import Environment
from releases.actions.base import Context, Observation, Visible
from releases.models import Feature
from releases.plan.model import PlannedAction
from releases.recorder import Add, Change

SWITCH = re.compile(r"--(?P<verb>enable|disable)(?:(?P<all>-all\S*)|(?:=|\s+)(?P<name>\w[\w.-]*))")


class Features(Visible):
    """Done when a fresh look at the service's configuration shows every asked flag as asked."""

    patience = 10.0

    def confirm(self, action: PlannedAction, context: Context) -> Observation:
        """Compare what `show_config` prints with what the command asked for."""
        return observe(action.text, context.environment, context.variables, by=context.deployment)


def observe(
    text: str, environment: Environment, variables: "dict[str, str] | object", *, by: Model | str
) -> Observation:
    """Read the features of an environment back and compare them with the switches named in `text`."""
    seen, problem = read(environment, variables)
    if problem:
        return Observation(done=False, message=problem)
    # A version that does not know a feature does not have it on.
    wrong = [
        f"{name} is {_word(seen.get(name))}"
        for name, on in asked(text, seen).items()
        if seen.get(name, False) != on
    ]
    if wrong:
        return Observation(done=None, message="after the command " + ", ".join(wrong))
    shown = ", ".join(f"{name} {_word(on)}" for name, on in sorted(seen.items())) or "no features"
    changes = tuple(_row(environment, name, on, str(by)) for name, on in seen.items())
    return Observation(done=True, message=shown, evidence={"features": seen}, changes=changes)


def asked(text: str, known: dict[str, bool]) -> dict[str, bool]:
    """The features that a command line switches: name to on or off; `--enable-all` means every known one."""
    wanted: dict[str, bool] = {}
    for match in SWITCH.finditer(text):
        names = list(known) if match["all"] else [match["name"]] if match["name"] else []
        wanted |= dict.fromkeys(names, match["verb"] == "enable")
    return wanted


def read(environment: Environment, variables: object) -> tuple[dict[str, bool], str]:
    """The features as the service's own `show_config` prints them, and what went wrong ("" when nothing)."""
    command = environment.service.commands.get("show_config")
    if not command:
        return {}, f"{environment.service} declares no show_config command, so features cannot be read back"
    answer = capture(("bash", "-c", command), cwd=environment.folder, env=variables)  # type: ignore[arg-type]
    if answer.code != 0:
        return {}, f"`{command}` failed with {answer.code}: {(answer.err or answer.out).strip()[-200:]}"
    try:
        features = json.loads(answer.out)["features"]
    except (ValueError, KeyError, TypeError):
        return {}, f"`{command}` did not print JSON with a 'features' object"
    if not isinstance(features, dict):
        return {}, f"`{command}` did not print JSON with a 'features' object"
    return {str(name): bool(on) for name, on in features.items()}, ""


def _row(environment: Environment, name: str, on: bool, by: str) -> Add | Change:
    row = Feature.objects.filter(environment=environment, key=name).first()
    if row is None:
        return Add(Feature(environment=environment, key=name, is_on=on, changed_by=by))
    return Change(row, {"is_on": on, "changed_by": by}, verb=f"feature {_word(on)}")


def _word(on: bool | None) -> str:
    return "absent" if on is None else "on" if on else "off"
