"""`rollback_release SERVICE VERSION --environment E --reason TEXT`"""

from argparse import ArgumentParser
from typing import Any

from releases.engine.run import carry_on
from releases.errors import WrongUsage
from releases.lifecycle import going_back, items, logbook, preview, releases
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.commands.deploy_release import aside, exit_code, summary
from releases.management.interrupts import Interrupts
from releases.management.show import Terminal
from releases.plan.model import plan_hash
from releases.plan.shown import plan_lines, shown_json
from releases.recorder import claim, this_owner


class Command(Base):
    """Take a release back by the method of its runbook."""

    help = (
        "Take the newest deployment of a release back: its own journal, by the runbook's rollback procedure."
    )
    examples = (
        "  manage.py rollback_release shop v1.1 --environment production --reason 'orders fail' --as olga"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, where, why, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--environment", required=True)
        parser.add_argument("--reason", metavar="TEXT", default="", help="why (needed)")
        parser.add_argument(
            "--restore-data", action="store_true", help="yes, put the databases back as they were"
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="agree to the commands of steps marked 'confirm'; needs --evidence",
        )
        parser.add_argument("--evidence", metavar="TEXT", default="", help="what was seen, for --yes")
        parser.add_argument("--dry-run", action="store_true", help="print the way back; touch nothing")
        parser.add_argument("--json", action="store_true", help="print the result as JSON at the end")
        add_as(parser)

    def run(self, *, service: str, version: str, environment: str, reason: str, **options: Any) -> int:
        """Queue the way back, claim it, carry on."""
        at = now()
        if options["yes"] and not options["evidence"].strip():
            raise WrongUsage("--yes needs --evidence TEXT: what did you see?")
        user = user_of(options, at=at)
        release = releases.find(service, version)
        deployment = going_back.newest(release, find_environment(f"{service}/{environment}"))
        if options["dry_run"]:
            return self._dry_run(deployment, as_json=options["json"])
        back = going_back.roll_back(
            deployment, user=user, reason=reason, restore_data=options["restore_data"], at=at
        )
        if options["yes"]:
            items.confirm_all(back.items.all(), user=user, evidence=options["evidence"], at=at)
        lease = claim(back, owner=this_owner(), by=user.username, at=now())
        terminal = Terminal(verbose=options["verbosity"] > 1)
        try:
            with aside(options), Interrupts(back) as asked:
                back = carry_on(back, lease, by=user.username, progress=terminal, asked=asked)
        finally:
            terminal.close()
        deployment.refresh_from_db()
        stands = exit_code(back)
        code = 0 if stands == 4 else stands
        if options["json"]:
            self.print_json(summary(back, code))
        else:
            self.say(
                f"{deployment} {version}: {deployment.status}: {back.message if code else deployment.message}"
            )
            self.say(f"log: {logbook.path_of(back)}")
        return code

    def _dry_run(self, deployment: Any, *, as_json: bool) -> int:
        plan = going_back.way_back(deployment, covers=deployment.rollback_class)
        if plan is None:
            return self.fail(f"the runbook has no rollback method for {deployment.rollback_class}", 3)
        beside = preview.beside(deployment.release, deployment.environment, plan)
        if as_json:
            self.print_json(shown_json(plan, plan_hash(plan), beside))
            return 0
        for line in plan_lines(plan, plan_hash(plan), beside):
            self.say(line)
        return 0
