"""The .env file: read as it stands, changed line by line, replaced in one go."""

import os
from pathlib import Path


def read(path: Path) -> dict[str, str]:
    """Name -> value of every assignment in the file; empty when there is no file."""
    return dict(_pair(line) for line in _lines(path) if _pair(line)[0])


def write(path: Path, values: dict[str, str]) -> None:
    """Set these names; other lines and comments stay. A reader sees the old file or the new one, never half."""
    left = dict(values)
    lines = [_changed(line, left) for line in _lines(path)]
    lines += [f"{name}={value}" for name, value in left.items()]
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    with aside.open("w") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        os.fsync(file.fileno())
    aside.chmod(0o600)
    aside.replace(path)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _pair(line: str) -> tuple[str, str]:
    name, equals, value = line.strip().removeprefix("export ").partition("=")
    if not equals or name.startswith("#"):
        return "", ""
    return name.strip(), value.strip().strip("\"'")


def _changed(line: str, left: dict[str, str]) -> str:
    name, _ = _pair(line)
    return f"{name}={left.pop(name)}" if name in left else line
