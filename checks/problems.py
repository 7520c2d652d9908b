"""A problem as a value: what is wrong with what somebody wrote, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Problem:
    """`message` says what is wrong with the actual value, `hint` the way out, `where` the line or field."""

    level: Level
    message: str
    hint: str
    where: str = ""
    id: str = ""
