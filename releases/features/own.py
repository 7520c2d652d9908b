"""Gantry's own switches, a literal table; a row exists only for one that was changed."""

from datetime import datetime

from releases.errors import WrongUsage
from releases.models import Feature
from releases.recorder import Add, Change, record

OWN = {
    "automatic_rollback": "deployments take themselves back within their class without asking",
}


def states() -> dict[str, bool]:
    """Every switch of Gantry itself; on unless it was switched off."""
    changed = dict(Feature.objects.filter(environment__isnull=True).values_list("key", "is_on"))
    return {name: changed.get(name, True) for name in OWN}


def is_on(name: str) -> bool:
    """Is this switch of Gantry's on?"""
    return states()[name]


def switch(wanted: dict[str, bool], *, by: str, at: datetime) -> None:
    """Switch some of Gantry's own features; raises WrongUsage naming an unknown one."""
    unknown = sorted(set(wanted) - set(OWN))
    if unknown:
        raise WrongUsage(f"Gantry has no feature '{unknown[0]}'; it has {', '.join(OWN)}")
    known = {row.key: row for row in Feature.objects.filter(environment__isnull=True)}
    record(*(_change(known.get(name), name, on, by, at) for name, on in wanted.items()), by=by, at=at)


def _change(row: Feature | None, name: str, on: bool, by: str, at: datetime) -> Add | Change:
    if row is None:
        return Add(Feature(key=name, is_on=on, changed_by=by, changed_at=at))
    return Change(
        row, {"is_on": on, "changed_by": by, "changed_at": at}, verb=f"feature {'on' if on else 'off'}"
    )
