"""`import_runbook FILE --service SERVICE`"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from releases.errors import WrongUsage
from releases.lifecycle import runbooks
from releases.lifecycle.releases import find_service
from releases.management.base import Command as Base
from releases.management.base import by_seat, now
from releases.models import RunbookRevision
from releases.runbooks.changes import Changes, changes
from releases.runbooks.document import RUNNABLE, Document
from releases.runbooks.encoding import decode
from releases.runbooks.files import bytes_of
from releases.runbooks.reader import read
from releases.runbooks.review import matters
from releases.runbooks.words import load
from releases.statuses import RevisionStatus


class Command(Base):
    """Read a Markdown checklist and keep it as a draft revision."""

    help = "Import a Markdown runbook as a draft, and print what was found and what needs review."
    examples = (
        "  manage.py import_runbook RUNBOOK.md --service shop\n"
        "  manage.py import_runbook RUNBOOK.md --format json      (touches nothing)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """File, service, format."""
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument("--service", help="whose runbook it is (not needed with --format json)")
        parser.add_argument("--format", choices=["json"], help="print what was read, touching nothing")

    def run(self, *, file: Path, service: str | None, format: str | None, **options: Any) -> int:
        """Import, or print."""
        data = bytes_of(file)
        if format == "json":
            self.print_json(read(data, words=load(settings.RUNBOOK_WORDS)).to_json())
            return 0
        if not service:
            raise WrongUsage("say whose runbook it is: --service SERVICE")
        decoded = decode(data)
        if not decoded.text.strip():
            said = "; ".join(problem.message for problem in decoded.problems)
            raise WrongUsage(f"{file} holds no runbook: {said or 'it is empty'}; nothing was imported")
        found = find_service(service)
        revision, is_new = runbooks.import_text(found, decoded.text, name=file.name, by=by_seat(), at=now())
        self.say(f"{revision}: {'imported as a draft' if is_new else f'known already ({revision.status})'}")
        # Read from the bytes: what was mended in them is a problem to tell, too.
        for line in _told(file, read(data, words=load(settings.RUNBOOK_WORDS)), revision):
            self.say(line)
        return 0


def _told(file: Path, document: Document, revision: RunbookRevision) -> Iterator[str]:
    """What was found, what holds from before, what needs review, and the next command."""
    yield _found(document)
    yield from _carried(revision, document)
    for problem in document.problems:
        said = f"{file}:{problem.line}: {problem.level} {problem.id}: {problem.message} ({problem.hint})"
        yield " ".join(said.split())
    reviewed = revision.reviewed
    still_open = matters(reviewed)
    for matter in still_open:
        yield f"{file}:{matter.line}: open {matter.kind}: {matter.text}"
    if revision.status == RevisionStatus.DRAFT:
        service = revision.runbook.service
        if reviewed.errors:
            yield f"next: mend the {len(reviewed.errors)} errors in {file} and import it again"
        elif still_open:
            yield f"next: manage.py review_runbook {service}      ({len(still_open)} open)"
        else:
            yield f"next: manage.py publish_runbook {service} --as USER"


def _found(document: Document) -> str:
    machine = sum(item.by in ("step", "probe", "threshold") for item in document.items)
    runs = [block for block in document.blocks if block.kind in RUNNABLE]
    return (
        f"found: {len(document.steps)} steps, {len(document.items)} boxes ({machine} ticked by the machine), "
        f"{len(runs)} commands and queries, {len(document.thresholds)} thresholds, "
        f"{len(document.rollback_methods)} rollback methods, {len(document.problems)} things to review"
    )


def _carried(revision: RunbookRevision, document: Document) -> Iterator[str]:
    """What became of the decisions for the revision before."""
    before = runbooks.before(revision)
    if before is None:
        return
    differs: Changes = changes(before.document, document)
    told = ((differs.added, "added"), (differs.removed, "removed"), (differs.reworded, "reworded"))
    parts = [f"{number} {how}" for number, how in told if number]
    yield f"since revision {before.number}: {', '.join(parts) or 'nothing that is read differs'}"
    made, kept = before.decisions.count(), revision.decisions.filter(made_in__lt=revision.number).count()
    anew = [f"{step.heading} (line {step.line})" for step in differs.anew]
    if made or anew:
        steps = f"{len(anew)} steps to review anew: {'; '.join(anew)}" if anew else "no step to review anew"
        yield f"carried over: {kept} of {made} decisions hold, {steps}"
