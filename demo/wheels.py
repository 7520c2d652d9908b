"""Wheels of pure Python sources, without network and without a build tool: the same bytes every time."""

import base64
import hashlib
import tomllib
import zipfile
from pathlib import Path

WHEEL = "Wheel-Version: 1.0\nGenerator: demo\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(source: Path, *, into: Path) -> Path:
    """The wheel of a folder with a pyproject.toml and the py-modules it names."""
    declared = tomllib.loads((source / "pyproject.toml").read_text())
    project, modules = declared["project"], declared["tool"]["setuptools"]["py-modules"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    files = {f"{name}.py": (source / f"{name}.py").read_text() for name in modules}
    files |= {f"{stem}.dist-info/METADATA": metadata, f"{stem}.dist-info/WHEEL": WHEEL}
    files[f"{stem}.dist-info/RECORD"] = _record(files, stem)
    into.mkdir(parents=True, exist_ok=True)
    wheel = into / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # ZipInfo's own date is 1980: no clock in the bytes
    return wheel


def _record(files: dict[str, str], stem: str) -> str:
    rows = [f"{name},sha256={_digest(text)},{len(text.encode())}" for name, text in files.items()]
    return "\n".join([*rows, f"{stem}.dist-info/RECORD,,"]) + "\n"


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
