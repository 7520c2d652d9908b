"""What names a box, a block or a step over the revisions of a text."""

import hashlib
import unicodedata
from collections import Counter


class Keys:
    """Gives keys of 16 hex digits; a second thing of the same name in one document is counted."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, path: tuple[str, ...], text: str) -> str:
        """The key of heading path and normalised text."""
        name = "\n".join([*path, normalised(text)])
        self._seen[name] += 1
        return digest(name if self._seen[name] == 1 else f"{name}\n#{self._seen[name]}")


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def normalised(text: str) -> str:
    """Letters and digits in one case: a change of emphasis or punctuation keeps the identity."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(char if char.isalnum() or char in "<>=%$" else " " for char in plain).split())
