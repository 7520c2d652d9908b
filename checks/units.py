"""Units of measured values, and the exact way from one to another of the same kind."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from checks.errors import UnitError

# kind -> unit -> its size in the kind's smallest unit
KINDS: dict[str, dict[str, int]] = {
    "share": {"percent": 1, "ratio": 100},
    "time": {
        "ms": 1,
        "s": 1000,
        "min": 60_000,
        "h": 3_600_000,
        "d": 86_400_000,
    },
    "size": {
        "B": 1,
        "KB": 10**3,
        "MB": 10**6,
        "GB": 10**9,
        "TB": 10**12,
        "KiB": 2**10,
        "MiB": 2**20,
        "GiB": 2**30,
        "TiB": 2**40,
    },
    "count": {"": 1},
}
ALIASES = {
    "%": "percent",
    "pct": "percent",
    "millisecond": "ms",
    "milliseconds": "ms",
    "msec": "ms",
    "sec": "s",
    "secs": "s",
    "second": "s",
    "seconds": "s",
    "mins": "min",
    "minute": "min",
    "minutes": "min",
    "hr": "h",
    "hrs": "h",
    "hour": "h",
    "hours": "h",
    "day": "d",
    "days": "d",
    "byte": "B",
    "bytes": "B",
    "b": "B",
    "kb": "KB",
    "kB": "KB",
    "mb": "MB",
    "gb": "GB",
    "tb": "TB",
    "kib": "KiB",
    "mib": "MiB",
    "gib": "GiB",
    "tib": "TiB",
    "count": "",
    "req": "",
    "reqs": "",
    "request": "",
    "requests": "",
    "rps": "req/s",
}


@dataclass(frozen=True, kw_only=True)
class _Unit:
    kind: str
    size: Fraction


def convert(value: Decimal, *, from_unit: str, to_unit: str) -> Decimal:
    """`value` said in `to_unit`; raises UnitError if a unit is unknown or the two measure different things.

    A rate is written with a slash: `MB/hour`, `req/s`. A name to itself needs no table: `orders` to `orders`.
    """
    if from_unit == to_unit:
        return value
    source, target = _unit(from_unit), _unit(to_unit)
    if source.kind != target.kind:
        raise UnitError(
            f"{_named(from_unit)} ({source.kind}) cannot be converted to {_named(to_unit)} ({target.kind}): "
            "give the reading and the threshold units that measure the same thing"
        )
    factor = source.size / target.size
    return value * factor.numerator / factor.denominator


def _unit(name: str) -> _Unit:
    canonical = ALIASES.get(name.strip(), name.strip())
    if "/" in canonical:
        return _rate(canonical)
    for kind, units in KINDS.items():
        if canonical in units:
            return _Unit(kind=kind, size=Fraction(units[canonical]))
    known = ", ".join(unit for units in KINDS.values() for unit in units if unit)
    raise UnitError(f"unknown unit {_named(name)}: known are {known}, none for a count, and rates like MB/h")


def _rate(name: str) -> _Unit:
    amount, _, per = name.partition("/")
    top, bottom = _unit(amount), _unit(per)
    if bottom.kind != "time":
        raise UnitError(f"unknown unit {_named(name)}: after the slash stands a time, as in MB/h or req/s")
    return _Unit(kind=f"{top.kind} per time", size=top.size / bottom.size)


def _named(unit: str) -> str:
    return f"'{unit}'" if unit else "a bare count"
