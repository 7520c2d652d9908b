"""A run sheet on paper: rows of when, what and who, in colour on a terminal and aligned in a pipe."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from shlex import quote

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from releases.plan.sheet import (
    BOX,
    DANGER,
    DECIDE,
    HAND,
    ITSELF,
    KEY,
    NOTE,
    SHOWN,
    Mark,
    Part,
    Reason,
    Row,
    RunSheet,
    Times,
    Way,
)

NARROWEST, WIDEST, IN_A_PIPE = 60, 120, 100
COVERS = {"FLAGS": "feature flags", "CODE": "code", "RESTORE": "code and database"}
ASIDES = {
    "communications": "Messages",
    "maintenance": "Maintenance tasks",
    "troubleshooting": "Troubleshooting",
    "reference": "Reference",
}
WHO = {KEY: "cyan", ITSELF: "green"}
MARKS = {DANGER: ("DANGER", "bold bright_red"), DECIDE: ("DECIDE", "yellow"), NOTE: ("note", "dim")}
NAMES = {HAND: "by hand"}
UNITS = (("d", 1440), ("h", 60))


def sheet_text(sheet: RunSheet, *, name: str) -> str:
    """The sheet of the file called `name`, as standard output can show it: in a pipe without colour."""
    console = Console(highlight=False, emoji=False, markup=False)
    wide = console.width if console.is_terminal or os.environ.get("COLUMNS", "").isdigit() else IN_A_PIPE
    console.width = max(NARROWEST, min(wide, WIDEST))
    with console.capture() as printed:
        for part in _sections(sheet, name):
            console.print(part)
        for line in _next(name):
            # Never broken here: it is there to be copied.
            console.print(line, soft_wrap=True)
    return "\n".join(row.rstrip() for row in printed.get().splitlines())


def _sections(sheet: RunSheet, name: str) -> Iterator[RenderableType]:
    yield _head(sheet, name)
    day = sheet.times.begins or sheet.times.zero
    yield from _stage("Before the day", "settled by people; nothing here is run", _prepared(sheet.before))
    yield from _stage("The release", _how_long(sheet), _timed(sheet.release, day))
    yield from _stage("After go-live", _watched(sheet), _timed(sheet.after, sheet.times.live or day))
    yield from _stage("At the end", "", _timed(sheet.at_the_end, sheet.times.ends or day))
    yield from _reasons(sheet)
    yield from _ways(sheet.ways)
    yield from _people(sheet)
    yield from _asides(sheet)
    yield from _open(sheet)
    yield _summary(sheet)


# --- the head ------------------------------------------------------------------------------------------


def _head(sheet: RunSheet, name: str) -> RenderableType:
    rows = Table.grid(padding=(0, 2), expand=False)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    rows.add_row("file", name)
    for key, value in sheet.facts.items():
        rows.add_row(key.lower(), _bare(value))
    for label, said in _expected(sheet.times):
        rows.add_row(label, said)
    if sheet.ways:
        rows.add_row("way back", " · ".join(map(_promise, sheet.ways)))
    if sheet.phases:
        rows.add_row(
            "rollout",
            " → ".join(f"{share:g} %{f' ({bake})' if bake else ''}" for share, bake in sheet.phases),
        )
    rows.add_row("who", "person: ticks it · one key: shown, then run · itself: nobody is asked")
    return Group(Text(sheet.title or name, style="bold reverse"), Padding(rows, (1, 0, 0, 2)))


def _expected(times: Times) -> Iterator[tuple[str, Text | str]]:
    """T-0 or the start, go-live and the end of the watch, as far as the runbook says."""
    label, about = ("T-0", "") if times.is_by_offsets else ("start", "; the runbook has no T-offsets")
    yield label, Text.assemble((_moment(times.zero), "bold"), f"{about} (--at TIME moves it)")
    if times.live and times.begins:
        yield "go-live", f"{_clock(times.live, times.zero)}, after {_span(times.minutes or 0)}"
    if times.ends and times.live and times.ends > times.live:
        yield "watched", f"until {_clock(times.ends, times.zero)}"


def _promise(way: Way) -> str:
    return COVERS.get(way.covers, way.covers) + (f", {_span(way.minutes)}" if way.minutes else "")


def _how_long(sheet: RunSheet) -> str:
    said = _count(len(sheet.release), "step")
    if sheet.times.minutes:
        said += f", {_span(sheet.times.minutes)}"
    if sheet.times.untimed:
        said += f"; {sheet.times.untimed} without a time"
    return said


def _watched(sheet: RunSheet) -> str:
    limits = f", {_count(len(sheet.watched), 'limit')} to watch" if sheet.watched else ""
    return _count(len(sheet.after), "look") + limits


# --- steps ----------------------------------------------------------------------------------------------


def _stage(title: str, about: str, rows: Table | None) -> Iterator[RenderableType]:
    if rows is None or not rows.row_count:
        return
    yield _headline(title, about)
    yield rows


def _headline(title: str, about: str = "") -> RenderableType:
    said = Text.assemble((title.upper(), "bold"), (f"  {about}" if about else "", "not bold dim"))
    return Padding(Rule(said, align="left", style="dim"), (1, 0, 0, 0))


def _grid(when: int) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=when, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    table.add_column(width=8, no_wrap=True)
    return table


def _prepared(parts: Iterable[Part]) -> Table:
    """Boxes below their headings; there is no clock yet."""
    table = _grid(2)
    for part in parts:
        table.add_row("", Text(part.title, style="bold"), "")
        _add_rows(table, part.rows)
    return table


def _timed(parts: Iterable[Part], day: datetime) -> Table:
    """Steps with their clock times, and a line where a new day begins."""
    table = _grid(13)
    for part in parts:
        if part.at and part.at.date() != day.date():
            day = part.at
            table.add_row(Text(_day(day), style="bold"), "", "")
        table.add_row(_when(part), _title(part, day), Text(part.level, style="dim"))
        _add_rows(table, part.rows)
    return table


def _when(part: Part) -> Text:
    clock = f"{part.at:%H:%M}" if part.at else "  ·  "
    return Text.assemble((clock, "bold"), (f" {_offset(part.offset_minutes):<7}", "dim"))


def _title(part: Part, day: datetime) -> Text:
    until = f"  → {_clock(part.until, day)}" if part.until else ""
    return Text.assemble((part.title, "bold"), (until, "dim"))


def _add_rows(table: Table, rows: Iterable[Row]) -> None:
    choice = ""
    for row in rows:
        if row.choice and row.choice != choice:
            table.add_row("", Text("  one of:", style="dim"), "")
        choice = row.choice
        table.add_row("", _row(row), Text(row.who, style=WHO.get(row.who, "dim")))
        for below in _below(row):
            table.add_row("", below, "")


def _row(row: Row) -> RenderableType:
    """A box with its tick, or what is run, hung below its sign."""
    if row.what == BOX:
        claim = "  (claimed)" if row.is_claimed else ""
        return _hung("☑" if row.is_claimed else "☐", Text.assemble(_bare(row.text), (claim, "dim")))
    more = f"  +{row.more} more" if row.more else ""
    if row.what == SHOWN:
        return _hung("·", Text(f"{row.text}{more}", style="dim"))
    said = Text.assemble((NAMES.get(row.what, row.what), "bold cyan"), f"  {row.text}", (more, "dim"))
    return _hung("▸", said)


def _hung(sign: str, text: Text, indent: int = 2) -> RenderableType:
    """The text beside its sign; further lines of it stand below its first word."""
    table = Table.grid(padding=0, expand=True)
    table.add_column(width=indent + len(sign) + 1)
    table.add_column(ratio=1, overflow="fold")
    table.add_row(Text(" " * indent + sign, style="dim" if indent > 2 else ""), text)
    return table


def _below(row: Row) -> Iterator[RenderableType]:
    if row.expects:
        yield _hung("expects", Text(row.expects), 4)
    if row.offers:
        yield _hung("may run", Text(row.offers), 4)
    for mark in _distinct(row.marks):
        word, style = MARKS[mark.kind]
        yield _hung("", Text(f"{word} {mark.text}", style=style), 3)


def _distinct(marks: Iterable[Mark]) -> Iterable[Mark]:
    return {(mark.kind, mark.text): mark for mark in marks}.values()


# --- reasons, ways back, people ------------------------------------------------------------------------------


def _reasons(sheet: RunSheet) -> Iterator[RenderableType]:
    acting = [reason for reason in sheet.reasons if reason.response == "roll_back"]
    first = [reason for reason in sheet.reasons if reason.response != "roll_back"]
    rule = "all of these hold" if sheet.rule == "all" else "any of these holds"
    if acting:
        yield _headline(f"Take it back when {rule}")
        yield _reason_rows(acting)
    if first:
        yield _headline("Look first when")
        yield _reason_rows(first)


def _reason_rows(reasons: Iterable[Reason]) -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=2)
    table.add_column(ratio=3)
    table.add_column(ratio=2)
    for reason in reasons:
        table.add_row("", f"• {_bare(reason.text)}", _judge(reason))
    return table


def _judge(reason: Reason) -> Text:
    if not reason.metric:
        return Text("a person pulls it" if reason.response == "roll_back" else "a person looks", style="dim")
    against = ", against its baseline" if reason.is_relative else ""
    return Text(f"measured: {reason.metric}{against}", style="green")


def _ways(ways: Iterable[Way]) -> Iterator[RenderableType]:
    told: set[int] = set()
    for number, way in enumerate(ways):
        if not number:
            yield _headline("Ways back", "smallest first that covers what changed")
        table = _grid(2)
        promised = f" in {_span(way.minutes)}" if way.minutes else ""
        about = f"   takes back {COVERS.get(way.covers, way.covers)}{promised}"
        table.add_row("", Text.assemble((way.title, "bold"), (about, "dim")), "")
        for part in way.parts:
            again = ", as above" if part.line in told else ""
            if part.title != way.title:
                table.add_row("", f"{part.title}{again}", Text(part.level, style="dim"))
            _add_rows(table, () if again else part.rows)
            told.add(part.line)
        yield table


def _people(sheet: RunSheet) -> Iterator[RenderableType]:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for label, names in (
        ("sign off", sheet.signoffs),
        ("contacts", sheet.contacts),
        ("variables", sheet.variables),
    ):
        if names:
            table.add_row(label, " · ".join(names))
    if table.row_count:
        yield _headline("People and what the environment provides")
        yield Padding(table, (0, 0, 0, 2))


def _asides(sheet: RunSheet) -> Iterator[RenderableType]:
    if not sheet.asides and not sheet.unplaced:
        return
    yield _headline("Kept for reading", "nothing here is run or ticked")
    for aside in sheet.asides:
        inside = (("part", aside.parts), ("box", aside.boxes), ("command", aside.commands))
        said = ", ".join(_count(number, name) for name, number in inside if number)
        yield Text(f"  {ASIDES[aside.role]}: {said}, from line {aside.line}")
    for place in sheet.unplaced:
        yield Text(f"  Not placed: {place.heading}, lines {place.line} to {place.end}", style="yellow")


# --- what is open, and the end ----------------------------------------------------------------------------------


def _open(sheet: RunSheet) -> Iterator[RenderableType]:
    if not sheet.open and not sheet.notes:
        return
    yield _headline("To decide", "with the lines of the file")
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=12, justify="right", style="dim")
    table.add_column(ratio=1, overflow="fold")
    hinted: set[str] = set()
    for mark in (*sheet.open, *sheet.notes):
        hint = "" if not mark.hint or mark.hint in hinted else f" — {mark.hint}"
        hinted.add(mark.hint)
        said = Text.assemble((mark.id, MARKS[mark.kind][1]), f"  {mark.text}", (hint, "dim"))
        table.add_row(_lines(mark.lines), said)
    yield table


def _lines(lines: tuple[int, ...]) -> str:
    return ", ".join(map(str, lines)) if len(lines) < 4 else f"{lines[0]} … {lines[-1]}"


def _summary(sheet: RunSheet) -> RenderableType:
    counts = sheet.counts
    back = f" (and {counts.actions_back} on the ways back)" if counts.actions_back else ""
    said = Text.assemble(
        (f"{counts.understood} of {counts.lines} lines understood: ", "bold"),
        (f"{_count(counts.actions, 'action')} by themselves once raised to auto", "bold green"),
        f"{back}, {_count(counts.boxes, 'box')} for people, ",
        (f"{_count(counts.to_decide, 'thing')} to decide", "bold yellow" if counts.to_decide else "bold"),
        ".",
    )
    return Group(_headline("In short"), said)


def _next(name: str) -> tuple[str, ...]:
    return (
        "Next: say where it runs (docs/services.md), keep this text as a draft, decide what is open.",
        "  manage.py register_service SERVICE.toml",
        f"  manage.py import_runbook {quote(name)} --service SERVICE",
        "  manage.py review_runbook SERVICE",
    )


# --- words ----------------------------------------------------------------------------------------


def _moment(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b %Y %H:%M %Z}".strip()


def _day(moment: datetime) -> str:
    return f"{moment:%a} {moment.day} {moment:%b}"


def _clock(moment: datetime, day: datetime) -> str:
    """The time, with its day when that is another one."""
    return f"{moment:%H:%M}" if moment.date() == day.date() else f"{_day(moment)} {moment:%H:%M}"


def _offset(minutes: float | None) -> str:
    if minutes is None:
        return ""
    for unit, size in UNITS:
        if minutes and not minutes % size:
            return f"T{minutes / size:+g}{unit}"
    return f"T{minutes:+g}m" if minutes else "T-0"


def _span(minutes: float) -> str:
    """How long, in words: "59 min", "1 h 30 min", "7 days"."""
    if minutes >= 2880 and not minutes % 1440:
        return f"{minutes / 1440:g} days"
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest:g} min"
    return f"{hours:g} h" + (f" {rest:g} min" if rest else "")


def _count(number: int, name: str) -> str:
    """ "1 box", "2 boxes"."""
    return f"{number} {name}" if number == 1 else f"{number} {name}{'es' if name.endswith('x') else 's'}"


def _bare(text: str) -> str:
    """Without the marks of bold text, which are noise on paper."""
    return text.replace("**", "")
