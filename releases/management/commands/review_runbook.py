"""`review_runbook SERVICE [decisions]`"""

from argparse import ArgumentParser
from typing import Any

from releases.errors import WrongUsage
from releases.lifecycle import reviews, runbooks
from releases.lifecycle.releases import find_service
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.models import RunbookRevision
from releases.runbooks.document import AUTOMATIONS, RUN_ROLES, Document, Step
from releases.runbooks.review import danger_subject, matters, steps_that_run, subjects

# What may be given several times.
SEVERAL = (
    ("step", "TEXT", "a part of a step's heading, or its line, for --level"),
    ("pick", "LINE", "take the way that begins in that line"),
    ("accept", "LINE", "the dangerous commands of the block in that line are meant"),
    ("run", "LINE", "run the command in the box of that line"),
    ("by", "LINE=WHO", "who ticks the box: person, confirm, step, probe:NAME, threshold"),
    ("scope", "LINE=SCOPE", "the box is ticked once a release, or once a deployment"),
    ("fill", "WORDS=VARIABLE", "the variable that fills a placeholder"),
)


class Command(Base):
    """Show what is open in a runbook's newest revision, or decide some of it."""

    help = (
        "Review a runbook: without options, what is undecided and how far each step is automated; with options, "
        "decide. The admin's review page does the same with the document beside it."
    )
    examples = (
        "  manage.py review_runbook shop\n"
        "  manage.py review_runbook shop --level confirm --step '4. Code' --as rita\n"
        "  manage.py review_runbook shop --level auto --why 'rehearsed on staging, run 12' --as rita\n"
        "  manage.py review_runbook shop --pick 112 --as rita                (the way that begins in line 112)\n"
        "  manage.py review_runbook shop --accept 231 --why 'the table is empty' --as anton\n"
        "  manage.py review_runbook shop --fill '<host>=DB_HOST' --by '57=probe:health' --run 41 --as rita"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What is decided, and by whom."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("--revision", type=int, metavar="N", help="default: the newest")
        parser.add_argument(
            "--level",
            choices=AUTOMATIONS,
            help="how far steps are automated: all that run something, or --step",
        )
        for option, metavar, help_text in SEVERAL:
            kind = int if metavar == "LINE" else str
            parser.add_argument(
                f"--{option}", metavar=metavar, type=kind, action="append", default=[], help=help_text
            )
        parser.add_argument("--why", metavar="TEXT", default="", help="the reason, where one is needed")
        parser.add_argument(
            "--redraft", action="store_true", help="a new draft of the published text, to decide anew"
        )
        add_as(parser)

    def run(self, *, service: str, revision: int | None, **options: Any) -> int:
        """Decide, then show how it stands."""
        found = runbooks.newest(find_service(service), number=revision)
        if options["redraft"]:
            at = now()
            found = runbooks.redraft(found, user=user_of(options, at=at), at=at)
        asked = list(_asked(found.document, options))
        if asked:
            at = now()
            user = user_of(options, at=at)
            for kind, subject, value in asked:
                reviews.decide(found, kind, subject, value, user=user, at=at, why=options["why"])
            self.say(f"{len(asked)} decided for {found}")
        self._show(found)
        return 0

    def _show(self, revision: RunbookRevision) -> None:
        document = revision.reviewed
        runs = reviews.clean_runs(revision.runbook, document)
        self.say(f"{revision} ({revision.status})")
        for step in document.steps:
            if step.role in RUN_ROLES and (document.items_of(step.order) or document.blocks_of(step.order)):
                clean = f", {runs[step.key]} clean runs" if runs[step.key] else ""
                self.say(f"  line {step.line:>4}  {step.automation:<8} {step.heading}{clean}")
        for problem in document.problems:
            self.say(
                f"  line {problem.line:>4}  {problem.level:<8} {problem.id}: {problem.message} ({problem.hint})"
            )
        for matter in matters(document):
            self.say(f"  line {matter.line:>4}  OPEN     {matter.kind}: {matter.text}")
            for option in _options(document, matter.subject):
                self.say(f"                      --pick {option}")
        if not matters(document) and not document.errors and revision.status == "draft":
            self.say(f"next: manage.py publish_runbook {revision.runbook.service} --as USER")


def _asked(document: Document, options: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(kind, subject, value) of all that the options decide; raises WrongUsage for what the text does not hold."""
    found = [("level", step.key, options["level"]) for step in _steps(document, options)]
    found += [("pick", *_choice_at(document, line)) for line in options["pick"]]
    for line in options["accept"]:
        found += [("accept", subject, "yes") for subject in _dangers_at(document, line)]
    for line in options["run"]:
        found += [("run", subject, "yes") for subject in _at(document, "run", line)]
    for kind in ("by", "scope"):
        for pair in options[kind]:
            line, _, value = pair.partition("=")
            if not line.isdigit() or not value:
                raise WrongUsage(f"--{kind} wants LINE=VALUE, not '{pair}'")
            found += [(kind, subject, value) for subject in _at(document, kind, int(line))]
    for pair in options["fill"]:
        words, _, name = pair.rpartition("=")
        found.append(("fill", words, name))
    return found


def _steps(document: Document, options: dict[str, Any]) -> list[Step]:
    if not options["level"]:
        if options["step"]:
            raise WrongUsage("--step goes with --level")
        return []
    if not options["step"]:
        return list(steps_that_run(document))
    chosen = []
    for asked in options["step"]:
        fitting = [
            s for s in document.steps if str(s.line) == asked or asked.casefold() in s.heading.casefold()
        ]
        if len(fitting) != 1:
            shown = "; ".join(f"{step.line}: {step.heading}" for step in fitting or document.steps)
            raise WrongUsage(f"'{asked}' names {len(fitting)} steps; there are {shown}")
        chosen.append(fitting[0])
    return chosen


def _choice_at(document: Document, line: int) -> tuple[str, str]:
    for choice in document.choices:
        for option in choice.options:
            if option.line == line:
                return choice.key, option.key
    known = ", ".join(str(option.line) for choice in document.choices for option in choice.options) or "none"
    raise WrongUsage(f"no way begins in line {line} (lines with one: {known})")


def _at(document: Document, kind: str, line: int) -> list[str]:
    known = {subject: at for (each, subject), at in subjects(document).items() if each == kind}
    found = [subject for subject, at in known.items() if at == line]
    if not found:
        lines = ", ".join(str(at) for at in sorted(set(known.values()))) or "none"
        raise WrongUsage(f"line {line} has nothing to decide with --{kind} (lines that have: {lines})")
    return found


def _dangers_at(document: Document, line: int) -> list[str]:
    """The danger marks of the block that a line stands in."""
    for block in document.blocks:
        if block.dangers and line in block.extent:
            return [danger_subject(block, danger) for danger in block.dangers]
    lines = ", ".join(str(block.line) for block in document.blocks if block.dangers) or "none"
    raise WrongUsage(f"no dangerous block stands in line {line} (they begin in lines: {lines})")


def _options(document: Document, subject: str) -> list[str]:
    choice = next((choice for choice in document.choices if choice.key == subject), None)
    return [f"{option.line:<5} {option.label}" for option in choice.options] if choice else []
