"""`stop_release SERVICE VERSION --environment E`"""

from argparse import ArgumentParser
from typing import Any

from releases.errors import WrongUsage
from releases.lifecycle import releases, stops
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.commands.deploy_release import unfinished


class Command(Base):
    """Pause a deployment, end what is under way, or end it for good."""

    help = (
        "Pause a running deployment at its next safe point. --now ends the command under way, whose step is unknown "
        "then; --abort ends the deployment for good, where nothing is left half-way."
    )
    examples = (
        "  manage.py stop_release shop v1.1 --environment production --reason 'orders look odd' --as olga\n"
        "  manage.py stop_release shop v1.1 --environment production --now --as olga\n"
        "  manage.py stop_release shop v1.1 --environment production --abort --reason 'wrong day' --as rita"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, where, how, why, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--environment", required=True)
        how = parser.add_mutually_exclusive_group()
        how.add_argument(
            "--now", action="store_true", help="do not wait for the safe point: end what is under way"
        )
        how.add_argument("--abort", action="store_true", help="end the deployment for good; needs --reason")
        parser.add_argument("--reason", metavar="TEXT", default="", help="why; it stands in the log")
        add_as(parser)

    def run(self, *, service: str, version: str, environment: str, reason: str, **options: Any) -> int:
        """Ask it of the run, wherever it runs."""
        at = now()
        user = user_of(options, at=at)
        release = releases.find(service, version)
        deployment = unfinished(release, find_environment(f"{service}/{environment}"))
        if deployment is None:
            raise WrongUsage(f"no deployment of {release} in {service}/{environment} is under way")
        if options["abort"]:
            ended = stops.abort(deployment, user=user, reason=reason, at=at)
            self.say(f"{deployment} is {'aborted' if ended else 'asked to end at its next safe point'}")
            return 0
        stops.pause(deployment, user=user, reason=reason, at_once=options["now"], at=at)
        how = "to end what is under way at once" if options["now"] else "to pause at its next safe point"
        self.say(f"{deployment} is asked {how}; `deploy_release … --resume` goes on with it")
        return 0
