"""The text of a fence without what is no part of it: comments and strings, line by line as they stood."""

import re

MOST_QUOTED = 60  # lines that a quoted text is followed over
SQL_STRING = re.compile(r"'(?:[^']|'')*'")
SQL_NAME = re.compile(r'"[^"]*"')
SQL_TOKEN = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)


def bare(text: str, kind: str) -> str:
    """Without comments; "--" begins one in SQL and an option in a shell."""
    if kind == "sql":
        return SQL_TOKEN.sub(lambda found: found[0] if found[0][0] == "'" else _newlines(found), text)
    return "\n".join(rows(text))


def without_strings(sql: str) -> str:
    """SQL without comments, with empty strings and nameless quoted names."""
    plain = SQL_STRING.sub(lambda found: f"''{_newlines(found)}", bare(sql, "sql"))
    return SQL_NAME.sub(lambda found: f"_{_newlines(found)}", plain)


def in_one_line(sql: str) -> str:
    """A query in one line, without the lines that are comments."""
    told = (row for row in sql.split("\n") if not row.strip().startswith("--"))
    return " ".join(" ".join(told).split())


def rows(text: str) -> list[str]:
    """The lines of a shell text without comments; a quoted text over several lines is one of them."""
    found: list[str] = []
    given = text.split("\n")
    place = 0
    while place < len(given):
        row, quote = _read(given[place], "")
        following = _until_closed(given, place, quote) if quote else []
        found.append("\n".join([row, *following]))
        place += 1 + len(following)
    return found


def uncommented(line: str) -> str:
    """The line without its shell comment; a # in quotes or within a word is none."""
    return _read(line, "")[0] if "#" in line else line


def _until_closed(given: list[str], place: int, quote: str) -> list[str]:
    """The lines that a quote goes on over; none when it is not closed soon, for then it was no quote."""
    found = []
    for line in given[place + 1 : place + MOST_QUOTED]:
        row, quote = _read(line, quote)
        found.append(row)
        if not quote:
            return found
    return []


def _read(line: str, quote: str) -> tuple[str, str]:
    """The line up to its comment, and the quote that is open at its end."""
    if not (quote or "'" in line or '"' in line or "#" in line):
        return line, ""
    is_escaped = False
    for place, char in enumerate(line):
        if is_escaped or (char == "\\" and quote != "'"):
            is_escaped = not is_escaped
        elif quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char == "#" and (place == 0 or line[place - 1] in " \t;"):
            return line[:place], ""
    return line, quote


def _newlines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")
