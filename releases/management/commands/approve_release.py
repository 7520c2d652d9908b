"""`approve_release SERVICE VERSION --environment E`"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from releases.errors import WrongUsage
from releases.lifecycle import deployments, preview, releases, starting
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.models import Deployment
from releases.plan.model import Plan, from_json
from releases.plan.shown import Beside, plan_lines


class Command(Base):
    """Approve one environment's plan of a release, by its hash."""

    help = "Approve exactly the plan that is shown; the requester cannot, and a plan that changes loses its approval."
    examples = "  manage.py approve_release shop v1.1 --environment production --as anton"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, where, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--environment", required=True)
        parser.add_argument("--plan", metavar="HASH", help="refuse any plan but the one with this hash")
        add_as(parser)

    def run(self, *, service: str, version: str, environment: str, plan: str | None, **options: Any) -> int:
        """Show the plan and sign it."""
        if plan == "":
            raise WrongUsage("--plan is empty; give the first characters of the plan's hash")
        at = now()
        user = user_of(options, at=at)
        release = releases.find(service, version)
        deployment = deployments.plan(release, find_environment(f"{service}/{environment}"), user=user, at=at)
        made = from_json(deployment.plan)
        for line in plan_lines(made, deployment.plan_hash, self._beside(deployment, made, at)):
            self.say(line)
        if plan is not None and not deployment.plan_hash.startswith(plan):
            return self.fail(
                f"the plan is {deployment.plan_hash[:12]} now, not {plan}; read it above and sign again", 3
            )
        approval, is_new = deployments.approve(deployment, user=user, at=at)
        state = "approved" if is_new else "was approved already"
        self.say(
            f"{release} {state} for {deployment.environment} by {approval.by.username}, "
            f"plan {deployment.plan_hash[:12]}"
        )
        return 0

    def _beside(self, deployment: Deployment, made: Plan, at: datetime) -> Beside:
        release, place, approval = (
            deployment.release,
            deployment.environment,
            deployments.approval_of(deployment),
        )
        holds = starting.obstacles(release, place, made, approved=True, at=at)
        return preview.beside(release, place, made, approval=approval, holds=holds)
