"""`tick_item SERVICE VERSION ITEM [ITEM …]`"""

from argparse import ArgumentParser
from shlex import quote
from typing import Any

from releases.errors import WrongUsage
from releases.lifecycle import items, promotion, releases
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.models import ChecklistItem


class Command(Base):
    """Tick boxes of a release, with evidence."""

    help = "Tick a box with what was seen; ITEM is its line number, a part of its text, or the beginning of its key."
    examples = (
        "  manage.py tick_item shop v1.1 'code reviewed' --evidence 'PR 12, two approvals' --as rita\n"
        "  manage.py tick_item shop v1.1 41 --environment production --waive --evidence 'no webhooks here' --as olga"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which box, what was seen, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument(
            "item", metavar="ITEM", nargs="+", help="one box, or several with the same evidence"
        )
        parser.add_argument("--evidence", metavar="TEXT", default="", help="what was seen (needed)")
        parser.add_argument(
            "--environment", help="for a box of the deployment there; without, of the release"
        )
        parser.add_argument(
            "--waive", action="store_true", help="close it as not applicable; --evidence says why"
        )
        add_as(parser)

    def run(self, *, service: str, version: str, item: list[str], evidence: str, **options: Any) -> int:
        """Tick."""
        at = now()
        user = user_of(options, at=at)
        release = releases.find(service, version)
        place = options["environment"]
        environment = find_environment(f"{service}/{place}") if place else None
        boxes = [items.find(release, each, environment=environment) for each in item]
        for box in boxes:
            if options["waive"]:
                items.waive(box, user=user, reason=evidence, at=at)
            else:
                _tell_offer(box, evidence)
                items.tick(box, user=user, evidence=evidence, at=at)
            self.say(f"{box.state}: line {box.line}: {box.text}")
        return 0


def _tell_offer(box: ChecklistItem, evidence: str) -> None:
    """Without evidence: raise WrongUsage with what another environment's deployment offers, for a person to take."""
    offer = "" if evidence.strip() else promotion.offered(box, box.release)
    if offer:
        raise WrongUsage(f"'{box.text}' needs evidence; what is offered: --evidence {quote(offer)}")
