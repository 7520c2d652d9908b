"""`import_runbook FILE --service SERVICE`"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from releases.errors import WrongUsage
from releases.lifecycle import runbooks
from releases.lifecycle.releases import find_service
from releases.management.base import Command as Base
from releases.management.base import by_seat, now
from releases.runbooks.document import Document
from releases.runbooks.encoding import decode
from releases.runbooks.reader import read


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
        decoded = decode(_bytes_of(file))
        document = read(_bytes_of(file))
        if format == "json":
            self.print_json(document.to_json())
            return 0
        if not service:
            raise WrongUsage("say whose runbook it is: --service SERVICE")
        found = find_service(service)
        revision, is_new = runbooks.import_text(found, decoded.text, name=file.name, by=by_seat(), at=now())
        self.say(f"{revision}: {'imported as a draft' if is_new else f'known already ({revision.status})'}")
        self._found(document)
        for problem in document.problems:
            self.say(
                f"{file}:{problem.line}: {problem.level} {problem.id}: {problem.message} ({problem.hint})"
            )
        if revision.status == "draft":
            self.say(f"next: manage.py publish_runbook {service} --as USER")
        return 0

    def _found(self, document: Document) -> None:
        machine = sum(item.by in ("step", "probe", "threshold") for item in document.items)
        runs = [block for block in document.blocks if block.kind in ("shell", "sql", "http")]
        self.say(
            f"found: {len(document.steps)} steps, {len(document.items)} boxes ({machine} ticked by the machine), "
            f"{len(runs)} commands and queries, {len(document.thresholds)} thresholds, "
            f"{len(document.rollback_methods)} rollback methods, {len(document.problems)} things to review"
        )


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise WrongUsage(f"there is no file {file}") from None
    except IsADirectoryError:
        raise WrongUsage(f"{file} is a folder; name the Markdown file in it") from None
    except OSError as error:
        raise WrongUsage(f"cannot read {file}: {error.strerror}") from None
