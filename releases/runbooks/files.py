"""Reading a runbook's file: its bytes, or one line about what is wrong with it."""

import os
import stat
from pathlib import Path

from releases.errors import WrongUsage

LARGEST = 16_000_000  # bytes; the reader refuses far smaller texts with a line number


def bytes_of(file: Path) -> bytes:
    """The bytes of a file, a shell's pipe or a link to one. Raises WrongUsage in one line; never changes anything."""
    try:
        if _never_ends(file):
            raise WrongUsage(f"{file} is no ordinary file; save the text in one, and name that")
        with file.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except FileNotFoundError:
        raise WrongUsage(f"there is no file {file}") from None
    except IsADirectoryError:
        raise WrongUsage(f"{file} is a folder; name the Markdown file in it") from None
    except (OSError, ValueError, RuntimeError) as error:
        # A circle of links, a missing permission, a name with a NUL byte.
        why = getattr(error, "strerror", None) or str(error)
        raise WrongUsage(f"cannot read {file}: {why}") from None
    if len(data) > LARGEST:
        raise WrongUsage(f"{file} has more than {LARGEST // 1_000_000} MB; no runbook is that large")
    return data


def _never_ends(file: Path) -> bool:
    """A named pipe, a socket or a device; what a shell hands over as /dev/fd/63 has no such name."""
    try:
        mode = Path(os.path.realpath(file)).stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
