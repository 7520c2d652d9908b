"""What names a box, a block or a step over the revisions of a text."""

import hashlib
import json
import unicodedata
from collections import Counter

BLANKS = " \t"


class Keys:
    """Gives keys of 16 hex digits; a second thing of the same name in one document is counted."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of(self, path: tuple[str, ...], text: str) -> str:
        """The key of heading path and normalised text."""
        return self.named("\n".join([*path, normalised(text)]))

    def exactly(self, path: tuple[str, ...], *parts: str) -> str:
        """The key of what is run: any other letter in one of the parts is another thing."""
        return self.named(exact(*path, *parts))

    def named(self, name: str) -> str:
        """The key of this name as it stands."""
        self._seen[name] += 1
        return digest(name if self._seen[name] == 1 else f"{name}\n#{self._seen[name]}")


def exact(*parts: object) -> str:
    """The parts as one name that no other parts have; of texts only line ends and trailing blanks do not count."""
    return json.dumps([_trimmed(part) if isinstance(part, str) else part for part in parts])


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def normalised(text: str) -> str:
    """Letters and digits in one case: a change of emphasis or punctuation keeps the identity."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(char if char.isalnum() or char in "<>=%$" else " " for char in plain).split())


def _trimmed(text: str) -> str:
    """Without blanks at the ends of lines; behind a backslash they make another command."""
    rows = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    return "\n".join(row if row.rstrip(BLANKS).endswith("\\") else row.rstrip(BLANKS) for row in rows)
