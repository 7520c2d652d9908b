"""A line of a shell as the commands that it runs: what is chained, what is piped, and what is a plain word."""

import re

from .placeholders import HTML_TAGS

# A date in a name is no command that changes something.
DATE = r"\$\(date(?:\s+(?:-u|--utc|-I\w*|\+[^\s()'\"`$\\]+|'\+[^'()]*'|\"\+[^\"()`$\\]*\"))*\s*\)"
TOKEN = re.compile(
    rf"(?P<quoted>{DATE}|\\.|'[^']*'|\"(?:{DATE}|[^\"\\]|\\.)*\")"
    r"|(?P<quiet>(?:(?<!\S)\d)?>&\d\b|(?:(?<!\S)\d|&)?>>?\s*/dev/null(?![^\s;|&]))"
    r"|(?P<redirection>&>>?|>\||[<>]&)"
    r"|(?P<pipe>\|&?(?!\|))"
    r"|(?P<end>\|\||&&|;)"
    r"|(?P<behind>&)"
    r"|.",
    re.DOTALL,
)
PLACEHOLDER = rf"<(?!(?i:{'|'.join(sorted(HTML_TAGS))})>)[A-Za-z][\w .:/-]{{0,40}}>(?!>)"
# A word that the shell takes as it stands, but for variables: nothing in it runs and nothing is redirected.
WORD = rf"(?:[^\s\"'\\<>|;&()`$]|\$(?!\()|{DATE}|\"(?:[^\"\\`$]|\\.|\$(?!\()|{DATE})*\"|'[^']*'|\\.|{PLACEHOLDER})+"
WORDS = rf"(?:\s+{WORD})*"


def pipelines(row: str) -> list[list[str]]:
    """The commands of a line, each with those it is piped into; what is sent to nowhere is left out.

    A command that is left to run behind ends in "&", which is no word.
    """
    found = [[""]]
    for token in TOKEN.finditer(row):
        if token["pipe"]:
            found[-1].append("")
        elif token["end"] or token["behind"]:
            found[-1][-1] += token["behind"] or ""
            found.append([""])
        elif not token["quiet"]:
            found[-1][-1] += token[0]
    bare = [[command.strip() for command in each] for each in found]
    return [each for each in bare if each != [""]]
