"""The simple commands of a bash script, as far as it can be told for sure where each begins and ends."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

BARE, DOUBLE, SINGLE = "bare", "double", "single"
# Expansions whose end is plain to see. Any other ends what is understood.
INNER = r"(?:[\w \t./:+%=@,|-]|[<>](?![<(])|\$\w|\$\{\w+\}|\"[^\"\\`$]*\"|'[^']*')*"
EXPANSION = (
    r"\$\{\w+(?:(?::?[-=?+]|\#\#?|%%?|:\d+)[^{}$`'\"\\]*)?\}"
    rf"|\$\((?![^)]*\b(?:case|esac)\b){INNER}\)|`[^`\\'\"]*`|\$[\w\#?@*!$-]|\\[^\n]"
)
IN_QUOTES = re.compile(rf"(?P<opaque>{EXPANSION}|\\\n)|\$(?![(\[{{\\`])|[^$`\\\"]", re.DOTALL)
HEREDOC = re.compile(r"<<(?P<tabs>-?)[ \t]*(?P<mark>['\"]?)(?P<until>[A-Za-z_]\w*)(?P=mark)(?![^\s;|&<>()])")
TOKEN = re.compile(
    rf"""(?P<blank>[ \t]+(?:\\\n[ \t]*)*|\\\n[ \t]+)
    |(?P<heredoc>{HEREDOC.pattern}|<<<)
    |(?P<redirect>\d*(?:>>|>\||>&|<&|&>>|&>|>(?!\()|<(?![(<>])))
    |(?P<end>\n|;(?![;&])|&&|\|\||\|&?|&(?!>))
    |(?P<single>'[^']*')
    |(?P<double>"(?:{EXPANSION}|\\\n|\$(?![(\[{{\\`])|[^$`\\"])*")
    |(?P<opaque>{EXPANSION}|\$'(?:[^'\\]|\\.)*'|\$(?=[\s;|&/.,:]|$))
    |(?P<paren>[()])
    |(?P<plain>[^\s'"\\`$&|;<>()])""",
    re.VERBOSE | re.DOTALL,
)
ASSIGNED = re.compile(r"([A-Za-z_]\w*)=")
COMMENT = re.compile(r"#[^\n]*")
PIPES = ("|", "|&")
OPENS = frozenset(("if", "while", "until", "for", "{"))
CLOSES = frozenset(("fi", "done", "}"))
LEADS = frozenset(("then", "do", "else", "elif", "!", "time"))
# After these a word may mean something else than it says, or the text is not what is run next.
UNCLEAR = frozenset(
    "case select function coproc alias unalias shopt enable hash declare typeset local readonly exec [[".split()
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where words to be filled stand: how they are quoted, in which word of the command (-1: a file it is led to)."""

    start: int
    quotes: str
    word: int


@dataclass(kw_only=True)
class Command:
    """The words of a simple command as they are written, and what stands around it."""

    words: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    text: str = ""
    is_nested: bool = False
    is_fed: bool = False  # by a here-document or here-string


@dataclass(kw_only=True)
class Script:
    """Its pipelines, up to `end`; what follows was not understood."""

    pipelines: list[list[Command]] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0


class _Unclear(Exception):
    """From here on nobody can say for sure what bash would read."""


def commands(text: str, holes: Mapping[int, int]) -> Script:
    """The script with holes (start and end of their words) taken for parts of words."""
    reader = _Reader(text, holes)
    try:
        while reader.place < len(text):
            reader.token()
        reader.finish("\n")
        reader.script.end = len(text)
    except _Unclear:
        pass
    return reader.script


class _Reader:
    def __init__(self, text: str, holes: Mapping[int, int]) -> None:
        self.text, self.holes = text, holes
        self.place = self.began = self.depth = 0
        self.script = Script()
        self.command, self.pipeline = Command(), list[Command]()
        self.word: list[str] | None = None  # the word that is being read
        self.is_target = False  # it is the file of a redirection
        self.bodies: list[re.Match[str]] = []

    def token(self) -> None:
        if self.word is None and (comment := COMMENT.match(self.text, self.place)):
            self.script.comments.append(comment.span())
            self.place = comment.end()
        elif self.place in self.holes:
            self._hole(self.place, BARE)
            self._part("\0", self.holes[self.place])
        else:
            found = TOKEN.match(self.text, self.place)
            if not found or (self.bodies and found[0] != "\n" and "\n" in found[0]):
                raise _Unclear
            getattr(self, f"_{found.lastgroup if found.lastgroup else 'plain'}")(found)

    def finish(self, mark: str) -> None:
        """The end of a command; a pipeline goes on after its mark, also on the next line."""
        self._close()
        if self.is_target:
            raise _Unclear
        if mark == "\n" and not self.command.words and self.pipeline:
            return
        command = self.command
        command.text, command.is_nested = self.text[self.began : self.place], self.depth > 0
        self.pipeline.append(command)
        if mark not in PIPES:
            self.script.pipelines.append(self.pipeline)
            self.script.end, self.pipeline = self.place, []
        self.command = Command()

    def _part(self, part: str, end: int) -> None:
        self.word = self.word or []
        self.word.append(part)
        self.place = end

    def _hole(self, start: int, quotes: str) -> None:
        self.command.places.append(
            Place(start=start, quotes=quotes, word=-1 if self.is_target else len(self.command.words))
        )

    def _close(self) -> None:
        """The end of a word."""
        if self.word is None:
            return
        word, self.word = "".join(self.word), None
        if self.is_target:
            self.is_target = False
        elif self.command.words or not self._keyword(word):
            if all(map(ASSIGNED.match, self.command.words)) and word in UNCLEAR:
                raise _Unclear
            self.command.words.append(word)

    def _keyword(self, word: str) -> bool:
        """A word that leads a command and is none of its own."""
        if re.match(r"\w+\[", word):
            raise _Unclear
        self.depth += (word in OPENS) - (word in CLOSES)
        if self.depth < 0:
            raise _Unclear
        return word in LEADS or (word in OPENS and word != "for")

    def _blank(self, found: re.Match[str]) -> None:
        self._close()
        self.place = found.end()

    def _plain(self, found: re.Match[str]) -> None:
        self._part(found[0], found.end())

    _opaque = _plain

    def _single(self, found: re.Match[str]) -> None:
        for start in filter(self.holes.__contains__, range(found.start() + 1, found.end())):
            self._hole(start, SINGLE)
        self._quoted(found)

    def _double(self, found: re.Match[str]) -> None:
        place = found.start() + 1
        while place < found.end() - 1:
            if place in self.holes:
                self._hole(place, DOUBLE)
                place = self.holes[place]
            elif part := IN_QUOTES.match(self.text, place, found.end() - 1):
                place = part.end()
            else:
                raise _Unclear
        self._quoted(found)

    def _quoted(self, found: re.Match[str]) -> None:
        """A part of a word; a NUL at its end tells that something is filled in it."""
        places = self.command.places
        is_filled = bool(places) and places[-1].start > found.start()
        self._part(found[0] + ("\0" if is_filled else ""), found.end())

    def _redirect(self, found: re.Match[str]) -> None:
        self._close()
        if self.is_target:
            raise _Unclear
        self.is_target, self.place = True, found.end()

    def _heredoc(self, found: re.Match[str]) -> None:
        self._close()
        self.command.is_fed = True
        self.place = found.end()
        if opened := HEREDOC.fullmatch(found[0]):
            self.bodies.append(opened)

    def _paren(self, found: re.Match[str]) -> None:
        if found[0] == ")":
            self.finish(";")
            self.depth -= 1
        elif (
            self.word is not None
            or self.is_target
            or self.command.words
            or self.text.startswith("((", self.place)
        ):
            raise _Unclear
        else:
            self.depth += 1
        if self.depth < 0:
            raise _Unclear
        self.place = found.end()

    def _end(self, found: re.Match[str]) -> None:
        self.finish(found[0])
        self.place = self.began = found.end()
        if found[0] == "\n":
            self._read_bodies()

    def _read_bodies(self) -> None:
        """Over the here-documents that were announced on the line that ended."""
        for opened in self.bodies:
            tabs = r"\t*" if opened["tabs"] else ""
            last = re.compile(rf"^{tabs}{opened['until']}(?:\n|\Z)", re.MULTILINE)
            end = last.search(self.text, self.place)
            if not end or (not opened["mark"] and "\\\n" in self.text[self.place : end.start()]):
                raise _Unclear
            self.place = self.began = end.end()
        self.bodies = []
