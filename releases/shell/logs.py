"""Turning "follow this log", which never ends, into a look at its last lines; pure."""

# ruff: noqa: E501 (rows stay one line each, so that they can be read as a table)

import re

from releases.shell.bash import no_match_is_good

LINES = 200
# What ends a simple command; texts in quotes and whole words hold no end.
PIECE = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'|\\.|(?P<end>\|\||&&|[|;&])|[^|;&\"'\\]+|.", re.DOTALL)
# The command words of one simple command, `sudo` and the like before them.
START = r"^(?P<start>\s*(?:(?:sudo|nohup|command|exec)(?:\s+-\w+)*\s+|\w+=\S*\s+)*)"
LENGTH = r"(?:\s+(?:-n\s*|--lines[= ]|--tail[= ]|--num[= ])(?:\d+|all)\b|\s+-\d+\b)"
FOLLOW = r"(?:\s+(?:-f|-F|--follow(?:=\S+)?|--watch|-w)(?=\s|$))"


def _row(
    words: str, bounded: str, *, drops: str = f"{FOLLOW}|{LENGTH}"
) -> tuple[re.Pattern[str], str, re.Pattern[str]]:
    return re.compile(rf"{START}{words}(?P<rest>.*)$", re.DOTALL), bounded, re.compile(drops)


# The words of a command that follows, the words of the look instead, and the options that go.
FOLLOWERS = (
    _row(r"tail(?=\s)(?=.*?\s(?:-\w*[fF]|--follow))", f"tail -n {LINES}", drops=rf"\s+-\d*[fF]\b|\s+-[fF]?n?\s*\d+[fF]?\b|\s+-[fF]n\b|{FOLLOW}|{LENGTH}|\s+--(?:retry|pid=\d+)"),
    _row(r"less\s+\+F", f"tail -n {LINES}"),
    _row(r"journalctl(?=\s|$)", f"journalctl --no-pager -n {LINES}", drops=rf"{FOLLOW}|{LENGTH}|(?<=\s-)f(?=[a-z])|(?<=\s-[xe])f|(?<=\s-xe)f"),
    _row(r"(?P<words>docker\s+(?:container\s+)?logs|docker(?:-|\s+)compose(?:\s+-\S+\s+\S+)*\s+logs|podman\s+logs)(?=\s|$)", rf"\g<words> --tail {LINES}"),
    _row(r"(?P<words>kubectl(?:\s+-\S+\s+\S+)*\s+logs|oc\s+logs)(?=\s|$)", rf"\g<words> --tail={LINES}"),
    _row(r"(?P<words>kubectl\s+get|kubectl\s+rollout\s+status)(?=\s)", r"\g<words>", drops=r"\s+(?:-w|--watch(?:=true)?)(?=\s|$)"),
    _row(r"pm2\s+logs(?=\s|$)", f"pm2 logs --nostream --lines {LINES}"),
    _row(r"heroku\s+logs(?=\s|$)", f"heroku logs -n {LINES}", drops=rf"\s+(?:--tail|-t)(?=\s|$)|{LENGTH}"),
    _row(r"(?P<words>fly(?:ctl)?\s+logs)(?=\s|$)", r"\g<words> --no-tail"),
    _row(r"(?P<words>kamal\s+(?:(?:app|proxy|traefik|accessory)\s+)?logs?)(?=\s|$)", rf"\g<words> -n {LINES}"),
    _row(r"stern(?=\s)", f"stern --no-follow --tail {LINES}"),
    _row(r"(?P<words>supervisorctl\s+tail)(?=\s)", r"\g<words>"),
    _row(r"(?P<words>(?:vercel|netlify|railway|gcloud|az|oc)\s[^|;&]*?\blogs?(?:\s+tail)?)(?=\s)", r"\g<words>", drops=rf"{FOLLOW}|\s+(?:--tail|-t)(?=\s|$)"),
    _row(r"watch(?:\s+-(?:n\s*\d+|[dtbeg]+))*(?=\s)", "", drops=r"(?!)"),
    _row(r"top(?=\s|$)", "top -b -n 1", drops=r"\s+-(?:b|n\s*\d+)\b"),
)  # fmt: skip


def bounded(text: str) -> str:
    """`text` with every command that follows a log turned into a look at its last lines.

    `… | grep ERROR` holds in each line, not only in the last one: no match is good.
    """
    return "\n".join(no_match_is_good(_line(line)) for line in _joined(text))


def _joined(text: str) -> list[str]:
    """The lines of a script, each with what it goes on with."""
    return re.sub(r"\\\n", " ", text).replace("|\n", "| ").split("\n")


def _line(line: str) -> str:
    if line.lstrip().startswith("#"):
        return line
    command, found = "", []
    for piece in PIECE.finditer(line):
        if piece["end"]:
            found += [_command(command), piece[0]]
            command = ""
        else:
            command += piece[0]
    return "".join([*found, _command(command)])


def _command(command: str) -> str:
    code, comment = re.fullmatch(r"(.*?)(\s+#.*)?", command, re.DOTALL).groups()  # type: ignore[union-attr]
    for follower, words, drops in FOLLOWERS:
        found = follower.match(code)
        if found:
            return f"{found['start']}{found.expand(words)}{drops.sub('', found['rest'])}{comment or ''}"
    return command
