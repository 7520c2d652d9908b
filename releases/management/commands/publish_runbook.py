"""`publish_runbook SERVICE`"""

from argparse import ArgumentParser
from typing import Any

from releases.lifecycle import runbooks
from releases.lifecycle.releases import find_service
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of


class Command(Base):
    """Make the newest draft of a service's runbook runnable."""

    help = "Publish a runbook revision: only a published one runs."
    examples = "  manage.py publish_runbook shop --as rita"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Service, revision, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("--revision", type=int, metavar="N", help="default: the newest")
        add_as(parser)

    def run(self, *, service: str, revision: int | None, **options: Any) -> int:
        """Publish."""
        at = now()
        user = user_of(options, at=at)
        found = runbooks.newest(find_service(service), number=revision)
        published = runbooks.publish(found, user=user, at=at)
        self.say(f"{published} is published")
        return 0
