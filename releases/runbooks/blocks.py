"""The fences of a document: what each is and does, what should come of it, and what is wrong with it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import annotations, dangers, kinds, placeholders, script, typed
from .document import RUNNABLE, Block, Hole, Http, Problem, SqlCheck
from .expectations import MOST_LINES, expectation_after, expectations
from .hosts import Located, is_local, located
from .keys import Keys
from .markup import Piece
from .placed import Placed
from .requests import request_in, request_of

MAX_COMMAND = 1_000  # characters of a line in a fence
SPEAKING = (*RUNNABLE, "config")  # kinds in which words may stand for a value
WAY_BACK = "rollback_procedure"
WRITES_HINT = "SQL blocks are read-only checks; put a change into a migration or a shell block."


@dataclass(frozen=True, kw_only=True)
class Fences:
    """All blocks of a document with what they lack; `variables` are read by them and set by none."""

    blocks: tuple[Block, ...]
    sql_checks: tuple[SqlCheck, ...]
    placeholders: tuple[str, ...]
    variables: tuple[str, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class _Work:
    """What a text does: as `kind` of block, on which host, as which action or request, with which dangers."""

    kind: str
    place: Located
    action: str = ""
    http: Http | None = None
    marks: tuple[dangers.Danger, ...] = ()

    @property
    def dangers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(mark.id for mark in self.marks))


def read(placed: Sequence[Placed], keys: Keys) -> Fences:
    """The fences among the pieces, in order."""
    reader = _Reader(placed, keys)
    blocks = tuple(reader.block(index) for index, one in enumerate(placed) if one.piece.kind == "fence")
    return Fences(
        blocks=blocks,
        sql_checks=tuple(_sql_checks(blocks)),
        placeholders=tuple(reader.words),
        variables=_variables(blocks),
        problems=tuple(reader.problems),
    )


def trimmed(block: Block, text: str, holes: tuple[Hole, ...]) -> Block:
    """The block as it is when only this part of its text applies: what it does is read anew."""
    if block.kind not in RUNNABLE:
        return replace(block, holes=holes)
    # A host that the block itself goes to is found again; any other was carried into it.
    carried = located(_script(block.language, block.text), host="").host
    work = _work(block.language, text, block.kind, host="" if carried else block.host)
    return replace(
        block,
        kind=work.kind,
        script=work.place.script,
        host=work.place.host,
        action=work.action,
        http=work.http,
        dangers=work.dangers,
        holes=holes,
    )


class _Reader:
    def __init__(self, placed: Sequence[Placed], keys: Keys) -> None:
        self.placed = placed
        self.keys = keys
        self.problems: list[Problem] = []
        self.words: dict[str, None] = {}
        self.host = ""
        self.role = ""

    def block(self, index: int) -> Block:
        placed = self.placed[index]
        piece = placed.piece
        language, attributes = annotations.fence(piece.info)
        text = self._readable(piece)
        kind = kinds.kind_of(language, text, role=placed.role, context=f"{placed.heading} {placed.label}")
        work = self._work(placed, language, kind, attributes)
        block = Block(
            language=language,
            text=piece.text,
            kind=work.kind,
            action=work.action,
            line=piece.line,
            attributes=attributes,
            expects=self._expects(index, text),
            step=placed.step,
            path=placed.path,
            role=placed.role,
            key=self._key(placed, work, attributes),
            script=work.place.script,
            host=work.place.host,
            http=work.http,
            holes=self._holes(placed, text, work),
            dangers=work.dangers,
        )
        self._check(block, text, kind, work)
        return block

    def _work(self, placed: Placed, language: str, kind: str, attributes: Mapping[str, str]) -> _Work:
        """The block's work; the host that it goes to is where the following ones of its stage run.

        Hosts that its fence names are its own alone.
        """
        named = attributes.get("hosts") or attributes.get("host", "")
        host = named or (self.host if placed.role == self.role else "")
        work = _work(language, placed.piece.text, kind, host=host)
        if named and work.place.host not in ("", named):
            return replace(work, place=replace(work.place, is_mixed=True))
        if not named:
            self.host, self.role = work.place.after, placed.role
        return work

    def _key(self, placed: Placed, work: _Work, attributes: Mapping[str, str]) -> str:
        """Of all that says what is run, and where: what was decided about it falls with any letter of it."""
        database, place = attributes.get("database", ""), work.place
        return self.keys.exactly(
            placed.path, work.kind, place.host, database, placed.piece.text, place.script
        )

    def _readable(self, piece: Piece) -> str:
        """The fence's text; a line too long to be looked through is cut, which holds the release."""
        rows = piece.text.split("\n")
        long = next((number for number, row in enumerate(rows) if len(row) > MAX_COMMAND), None)
        if long is None:
            return piece.text
        self._problem(
            "long-command",
            "error",
            piece.line + 1 + long,
            f"This line has more than {MAX_COMMAND:,} characters; the rest was not looked through",
            "Break it into lines, or put it into a script of the service.",
        )
        return _cut(piece.text)

    def _expects(self, index: int, text: str) -> str | None:
        """What stands in the line or list after the block, else in its comments."""
        following = [placed.piece for placed in self.placed[index + 1 : index + MOST_LINES]]
        return expectation_after(following) or "; ".join(expectations(text)) or None

    def _holes(self, placed: Placed, text: str, work: _Work) -> tuple[Hole, ...]:
        """The holes of what is run: the name of a host is the environment's to know."""
        if work.kind not in RUNNABLE:
            return ()
        line = placed.piece.line + 1
        found = placeholders.holes(text, kind=work.kind, line=line, way_back=placed.role == WAY_BACK)
        return tuple(hole for hole in found if hole.words in work.place.script)

    # Problems

    def _check(self, block: Block, text: str, kind: str, work: _Work) -> None:
        """`kind` is what the fence looks like, even where nothing of it is left to run here."""
        if kind in RUNNABLE:
            self._check_attributes(block)
            self._check_dangers(block, work.marks)
        if kind in SPEAKING:
            self._check_words(block, text, kind)
        if work.place.is_mixed:
            self._problem(
                "mixed-hosts",
                "error",
                block.line,
                f"Some lines of this block run on {block.host} and others do not",
                "Give what runs there a fence of its own, beginning with the ssh line.",
            )
        if block.kind == "shell" and block.action != "logs":
            self._check_ends(block)

    def _check_attributes(self, block: Block) -> None:
        """One that asks for care and would not get it holds the release; any other is only named."""
        for fault in annotations.faults(block.attributes):
            self._problem("annotation", fault.level, block.line, fault.message, fault.hint)

    def _check_words(self, block: Block, text: str, kind: str) -> None:
        for words, offset in placeholders.placeholders(text, kind=kind):
            self.words[words] = None
            self._problem(
                "placeholder",
                "warning",
                block.line + 1 + offset,
                f"{words} stands for something that nobody filled in",
                "Put the value here, or give the environment a variable for it.",
            )
        for words, offset in placeholders.literal_dates(text, kind=kind) if _goes_back(block) else ():
            self._problem(
                "literal-date",
                "warning",
                block.line + 1 + offset,
                f"{words} is of one day, and this way back is taken on another",
                "Write $BACKUP_FILE or $DEPLOYMENT_DATE; as it stands it is bound to the release's own.",
            )

    def _check_dangers(self, block: Block, marks: Sequence[dangers.Danger]) -> None:
        for danger in marks:
            is_sql = danger.id == dangers.SQL_WRITES
            self._problem(
                danger.id,
                "warning",
                block.line + 1 + danger.offset,
                f"{danger.words} {danger.why}",
                WRITES_HINT if is_sql else "A second person should look at it before it runs.",
            )

    def _check_ends(self, block: Block) -> None:
        for offset, row in enumerate(_cut(block.text).split("\n")):
            if typed.never_ends(row.strip()):
                self._problem(
                    "never-ends",
                    "warning",
                    block.line + 1 + offset,
                    f"{row.strip()} does not end by itself, and other commands stand beside it",
                    "Give it a fence of its own: then it is a look at the log that ends.",
                )

    def _problem(self, id: str, level: str, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(id=id, level=level, line=line, message=message, hint=hint))


def _work(language: str, text: str, kind: str, *, host: str) -> _Work:
    """What the text does when the lines before it went to `host`."""
    if kind not in ("shell", "http"):
        marks = _marks(text, kind) if kind == "sql" else ()
        return _Work(kind=kind, place=Located(script=text, host="", after=host, is_mixed=False), marks=marks)
    place = located(_script(language, text), host=host)
    request = _request(language, place.script)
    if request and not (place.host and is_local(request.url)):
        here = replace(place, host="")
        return _Work(kind="http", place=here, http=request, marks=_marks(text, "http"))
    runs = _cut(place.script)
    return _Work(
        # A fence that only opens a connection runs nothing by itself.
        kind="shell" if script.lines(runs) else "snippet",
        place=place,
        action=typed.action_of(runs),
        marks=_marks(text, "shell"),
    )


def _request(language: str, text: str) -> Http | None:
    return request_in(text) if language in kinds.REQUESTS else request_of(_cut(text))


def _script(language: str, text: str) -> str:
    return script.script_of(language or "bash", text)


def _marks(text: str, kind: str) -> tuple[dangers.Danger, ...]:
    return dangers.dangers(_cut(text), kind=kind)


def _goes_back(block: Block) -> bool:
    return block.role == WAY_BACK and block.kind in RUNNABLE


def _variables(blocks: Sequence[Block]) -> tuple[str, ...]:
    """The variables that the blocks read and none of them sets."""
    scripts = [_cut(block.script) for block in blocks if block.kind in ("shell", "http")]
    sets = {name for each in scripts for name in script.variables_set(each)}
    reads = dict.fromkeys(name for each in scripts for name in script.variables_read(each))
    return tuple(name for name in reads if name not in sets)


def _sql_checks(blocks: Sequence[Block]) -> Iterator[SqlCheck]:
    for block in blocks:
        if block.kind == "sql" and dangers.SQL_WRITES not in block.dangers:
            yield SqlCheck(sql=block.text, expects=block.expects, line=block.line)


def _cut(text: str) -> str:
    """The text with no line longer than is looked through."""
    return "\n".join(row[:MAX_COMMAND] for row in text.split("\n"))
