"""`create_release SERVICE VERSION`"""

from argparse import ArgumentParser
from typing import Any

from releases.lifecycle import releases, runbooks
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.statuses import RevisionStatus


class Command(Base):
    """Create a release: one commit with the newest published runbook."""

    help = "Create a release of a service: its ref is resolved to a commit once, and its runbook is frozen."
    examples = (
        "  manage.py create_release shop v1.1 --as rita\n"
        "  manage.py create_release shop 1.1 --ref main --as rita"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Service, version, ref, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--ref", help="tag or branch (default: VERSION)")
        parser.add_argument("--json", action="store_true", help="print the release as JSON")
        add_as(parser)

    def run(self, *, service: str, version: str, ref: str | None, json: bool, **options: Any) -> int:
        """Create."""
        at = now()
        user = user_of(options, at=at)
        found = releases.find_service(service)
        revision = runbooks.newest(found, status=RevisionStatus.PUBLISHED)
        release, is_new = releases.create(
            found, version, ref=ref or version, revision=revision, user=user, at=at
        )
        boxes = release.items.count()
        if json:
            self.print_json(
                {
                    "service": service,
                    "version": version,
                    "commit": release.commit,
                    "new": is_new,
                    "boxes": boxes,
                }
            )
        else:
            state = "created" if is_new else "exists already"
            self.say(
                f"{release} {state}: commit {release.commit[:10]}, {revision}, {boxes} boxes to tick once"
            )
        return 0
