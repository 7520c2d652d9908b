"""The end of a file, in bounded memory."""

import os
from pathlib import Path

MOST = 1 << 20


def end_of(path: Path, *, most: int = MOST) -> tuple[str, int]:
    """The last `most` bytes of a file as text, and the size of all of it in bytes; raises FileNotFoundError."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most))
        return file.read(most).decode("utf-8", "replace"), size
