"""What the process that runs a block on a host is told: one variable of its environment, as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from releases.shell.ssh import Target

VARIABLE = "GANTRY_REMOTE"
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Order:
    """Run `text` on `target` once, whoever asks for `run` how often.

    `names`: the variables that go along. `again`: an earlier process may have started it. `patience`: seconds that a
    started run is looked for on a host that does not answer. `handed_on` gets the variables, `lost` why nobody knows.
    """

    target: Target
    run: str
    text: str
    names: tuple[str, ...]
    handed_on: str
    lost: str
    again: bool = False
    patience: float = PATIENCE

    def as_variable(self) -> dict[str, str]:
        """The variable that carries this order."""
        return {VARIABLE: json.dumps(asdict(self))}


def order_from(variables: Mapping[str, str]) -> Order:
    """The order that `as_variable` put there."""
    told = json.loads(variables[VARIABLE])
    return Order(**{**told, "target": Target(**told["target"]), "names": tuple(told["names"])})
