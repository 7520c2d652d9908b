"""Bytes to clean text: byte-order marks, UTF-16, mojibake, binary; what was done comes back as problems."""

import re
from dataclasses import dataclass
from functools import partial

from .document import Problem

MAX_CHARACTERS = 300_000
MAX_LINES = 5_000

# Typical beginnings of UTF-8 that was read as MacRoman or as cp1252 and saved again.
SIGNS = {
    "mac_roman": re.compile("‚[ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†]|\uf8ffü|Ô∏è|√[©®¢§±≥°∂º]|¬[†∞±∑]|–[∞≤µ]"),
    "cp1252": re.compile("â[€œš†‰„\x80-\x9f]|ðŸ|ï¸|Ã[©¨¢¤±³¡¶¼Ÿ]|Â[\xa0°±·]|Ð[°¸¾]"),
}
FOREIGN = re.compile(r"[^\x00-\x7f]+")
# The second row moves a terminal's cursor, the third lets text read other than it runs.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|[\x80-\x9f]|[\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Text with \\n line ends and no control characters, and what had to be done to get it.

    `lines` counts those of the whole text, also where it was too large and cut.
    """

    text: str
    problems: tuple[Problem, ...]
    lines: int


def decode(data: str | bytes) -> Decoded:
    """Never raises: what is not text at all becomes "" and an error."""
    text, problems = _characters(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    lines = text.count("\n") + 1
    text, cut = _cut(text)
    text, repaired = _repair(text)
    clean = CONTROL.sub("\ufffd", text)
    controls = [_problem("control-characters", "warning", text, CONTROL)] if clean != text else []
    return Decoded(text=clean, problems=(*problems, *cut, *repaired, *controls), lines=lines)


def _characters(data: str | bytes) -> tuple[str, list[Problem]]:
    if isinstance(data, str):
        return data.encode("utf-8", "replace").decode("utf-8"), []
    wide = _wide(data[:8192])
    if wide:
        return data.decode(wide, "replace"), []
    if _is_binary(data):
        return "", [_binary()]
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return data.decode("cp1252", "replace"), [_not_utf8(line)]


def _wide(head: bytes) -> str:
    """The codec of text in two or four bytes a character, "" for any other; without a mark, by its zeroes."""
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return "utf-32"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    half = len(head) // 2
    if half and head[1::2].count(0) > 0.7 * half and not head[0::2].count(0):
        return "utf-16-le"
    if half and head[0::2].count(0) > 0.7 * half and not head[1::2].count(0):
        return "utf-16-be"
    return ""


def _is_binary(data: bytes) -> bool:
    head = data[:8192]
    odd = sum(byte < 9 or 13 < byte < 32 for byte in head)
    return odd > len(head) // 20


def _cut(text: str) -> tuple[str, list[Problem]]:
    """The part that is read of a text too large to be a runbook."""
    lines = text.count("\n")
    if lines <= MAX_LINES and len(text) <= MAX_CHARACTERS:
        return text, []
    kept = "\n".join(text[:MAX_CHARACTERS].split("\n", MAX_LINES)[:MAX_LINES])
    return kept, [
        Problem(
            level="error",
            message=f"{lines + 1:,} lines, {len(text):,} characters: too large for a runbook",
            hint=f"Only what stands before this line was read; keep it under {MAX_LINES:,} lines.",
            line=kept.count("\n") + 1,
            id="too-large",
        )
    ]


def _repair(text: str) -> tuple[str, list[Problem]]:
    for codec, signs in SIGNS.items():
        found = signs.search(text)
        if not found:
            continue
        repaired = FOREIGN.sub(partial(_recode, codec=codec), text)
        if repaired != text:
            line = text.count("\n", 0, found.start()) + 1
            return repaired, [_mojibake(codec, line)]
    return text, []


def _recode(run: re.Match[str], *, codec: str) -> str:
    """The run as it was meant, or as it stands when it was never broken."""
    try:
        return b"".join(_byte(char, codec) for char in run[0]).decode("utf-8")
    except UnicodeError:
        return run[0]


def _byte(char: str, codec: str) -> bytes:
    """cp1252 has no sign for five bytes; readers keep those as U+0080 to U+009F."""
    return bytes([ord(char)]) if "\x80" <= char <= "\x9f" else char.encode(codec)


def _problem(id: str, level: str, text: str, where: re.Pattern[str]) -> Problem:
    found = where.search(text)
    return Problem(
        level=level,
        message="Control characters stand in the text",
        hint="They are read as U+FFFD; save the file as plain UTF-8 text.",
        line=text.count("\n", 0, found.start() if found else 0) + 1,
        id=id,
    )


def _binary() -> Problem:
    return Problem(
        level="error", message="This is not text", hint="Give a Markdown file in UTF-8.", line=1, id="binary"
    )


def _not_utf8(line: int) -> Problem:
    return Problem(
        level="warning",
        message="The file is not UTF-8; it was read as Windows-1252",
        hint="Save it as UTF-8.",
        line=line,
        id="not-utf-8",
    )


def _mojibake(codec: str, line: int) -> Problem:
    name = {"mac_roman": "MacRoman", "cp1252": "Windows-1252"}[codec]
    return Problem(
        level="info",
        message=f"UTF-8 text was once read as {name} and saved again",
        hint="It was repaired for reading; the file itself is untouched.",
        line=line,
        id="mojibake",
    )
