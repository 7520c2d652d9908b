"""`deploy_release SERVICE VERSION --environment E`"""

import signal
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from checks.models import Environment
from releases.engine.resume import count_as_done, settle
from releases.engine.run import carry_on
from releases.errors import Held, WaitsForPerson, WrongUsage
from releases.lifecycle import deployments, items, logbook, releases
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.show import Terminal, plan_lines
from releases.models import Deployment, Release
from releases.permissions import demand
from releases.plan.model import END, WATCH, from_json
from releases.recorder import Lease, Move, claim, record, this_owner
from releases.statuses import OCCUPYING, DeploymentStatus

D = DeploymentStatus
UNFINISHED = (*OCCUPYING, D.QUEUED, D.WATCHING)


class Command(Base):
    """Deploy a release: the approved plan, step by step, with evidence; it takes itself back when it must."""

    help = (
        "Deploy an approved release. Stays beside it until the last check at or before T+60; "
        "the later watch goes on by Celery beat."
    )
    examples = (
        "  manage.py deploy_release shop v1.1 --environment production --dry-run --as olga\n"
        "  manage.py deploy_release shop v1.1 --environment production --as olga\n"
        "  manage.py deploy_release shop v1.1 --environment production --resume --as olga"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, where, how, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--environment", required=True)
        parser.add_argument(
            "--dry-run", action="store_true", help="print the plan and what holds it; touch nothing"
        )
        parser.add_argument(
            "--resume", action="store_true", help="go on with the deployment that waits, paused or died"
        )
        parser.add_argument("--retry", action="store_true", help="with --resume: try again what went wrong")
        parser.add_argument(
            "--count-as-done", metavar="REASON", default="",
            help="with --resume: an interrupted action of which nobody knows how far it came is done; says why",
        )  # fmt: skip
        parser.add_argument(
            "--yes", action="store_true", help="tick the boxes marked 'confirm'; needs --evidence"
        )
        parser.add_argument("--evidence", metavar="TEXT", default="", help="what was seen, for --yes")
        parser.add_argument("--json", action="store_true", help="print the result as JSON at the end")
        add_as(parser)

    def run(self, *, service: str, version: str, environment: str, **options: Any) -> int:
        """Plan or take up, claim, carry on, and say how it stands."""
        at = now()
        if (options["retry"] or options["count_as_done"]) and not options["resume"]:
            raise WrongUsage("--retry and --count-as-done go with --resume")
        if options["yes"] and not options["evidence"].strip():
            raise WrongUsage("--yes needs --evidence TEXT: what did you see?")
        user = user_of(options, at=at)
        release = releases.find(service, version)
        place = find_environment(f"{service}/{environment}")
        if options["dry_run"]:
            return self._dry_run(release, place, user, at)
        demand(user, "deploy", place)
        deployment = (self._taken_up if options["resume"] else self._new)(release, place, user, at, options)
        if options["yes"]:
            boxes = [box for box in items.boxes_of(release, place) if box.key not in later_boxes(deployment)]
            items.confirm_all(boxes, user=user, evidence=options["evidence"], at=now())
        return self._carry_on(deployment, user, options)

    def _dry_run(self, release: Release, place: Environment, user: User, at: datetime) -> int:
        plan = deployments.make(release, place)
        for line in plan_lines(plan, deployments.plan_hash(plan)):
            self.say(line)
        standing = deployments.planned(release, place)
        approved = (
            standing
            and standing.plan_hash == deployments.plan_hash(plan)
            and deployments.approval_of(standing)
        )
        if approved:
            self.say(f"  approved by {approved.by.username}")
        for obstacle in deployments.obstacles(release, place, plan, approved=bool(approved)):
            self.say(f"  HOLDS     {obstacle}")
        return 0

    def _new(
        self, release: Release, place: Environment, user: User, at: datetime, options: dict[str, Any]
    ) -> Deployment:
        running = unfinished(release, place)
        if running:
            raise Held(
                f"{running} of {release} is {running.status} ({running.message}); --resume goes on with it"
            )
        if options["yes"]:
            own = items.boxes_of(release, None)
            items.confirm_all(own, user=user, evidence=options["evidence"], at=at)
        standing = deployments.planned(release, place)
        deployment = deployments.plan(release, place, user=user, at=at)
        if standing and standing.pk != deployment.pk:
            raise WaitsForPerson(
                f"the plan of {release} for {place} changed since it was approved (now {deployment.plan_hash[:12]}): "
                f"`approve_release {release.service} {release.version} --environment {place.name} --as USER` again"
            )
        deployments.queue(deployment, user=user, at=at)
        return deployment

    def _taken_up(
        self, release: Release, place: Environment, user: User, at: datetime, options: dict[str, Any]
    ) -> Deployment:
        running = unfinished(release, place)
        if running is None:
            raise WrongUsage(
                f"no deployment of {release} in {place} waits or was interrupted; start one without --resume"
            )
        return running

    def _carry_on(self, deployment: Deployment, user: User, options: dict[str, Any]) -> int:
        terminal = Terminal(verbose=options["verbosity"] > 1)
        stay_when_terminal_closes()
        lease = self._claim(deployment, user)
        self.say(
            f"{deployment}: {deployment.release} ({deployment.direction}), plan {deployment.plan_hash[:12]}"
        )
        try:
            by = user.username
            settle(deployment, lease, by=by, progress=terminal)
            if reason := options["count_as_done"]:
                count_as_done(deployment, lease, by=by, reason=reason, progress=terminal)
            deployment = carry_on(deployment, lease, by=by, progress=terminal, retry=options["retry"])
        except KeyboardInterrupt:
            deployment.refresh_from_db()
            words = f"deploy_release {deployment.release.service} {deployment.release.version}"
            return self.fail(
                f"{deployment} is {deployment.status}: {deployment.message or 'interrupted'}; go on with `{words} "
                f"--environment {deployment.environment.name} --resume`, or take it back with rollback_release",
                3,
            )
        finally:
            terminal.close()
        return self.conclude(deployment, as_json=options["json"])

    def _claim(self, deployment: Deployment, user: User) -> Lease:
        """Held now means not at all: a deployment that nobody waits for must not be started later by a worker."""
        try:
            return claim(deployment, owner=this_owner(), by=user.username, at=now())
        except Held:
            if deployment.status == D.QUEUED:
                record(Move(deployment, D.PLANNED, {"started_at": None}), by=user.username, at=now())
            raise

    def conclude(self, deployment: Deployment, *, as_json: bool) -> int:
        """Say how it stands, where its log lies, and return the exit code."""
        code = exit_code(deployment)
        if as_json:
            self.print_json(summary(deployment, code))
            return code
        self.say(f"\n{deployment} {deployment.release.version}: {logbook.outcome(deployment)}")
        back = Deployment.objects.filter(undoes=deployment).first()
        if code in (1, 3, 6):
            failed = back if back and code == 6 else deployment
            self.fail(failed.message or failed.status, code)
        self.say(f"log: {logbook.path_of(deployment)}")
        if back:
            self.say(f"log of the way back: {logbook.path_of(back)}")
        return code


def later_boxes(deployment: Deployment) -> set[str]:
    """Keys of the boxes of the long watch: nobody can have seen today what they ask in a day."""
    plan = from_json(deployment.plan)
    return {item.key for step in plan.steps if step.phase in (WATCH, END) for item in step.items}


def unfinished(release: Release, place: Environment) -> Deployment | None:
    """The deployment of a release that has not ended, or its way back that has not."""
    found = Deployment.objects.filter(release=release, environment=place, status__in=UNFINISHED)
    return found.select_related("release__service", "environment__service").order_by("-number").first()


def exit_code(deployment: Deployment) -> int:
    """What a caller of the command line sees."""
    if deployment.direction == "back":
        return _exit_code_of_way_back(deployment)
    back = Deployment.objects.filter(undoes=deployment).first()
    if deployment.status == D.FAILED:
        return _exit_code_of_way_back(back) if back else 1
    codes = {D.SUCCEEDED: 0, D.WATCHING: 0, D.ROLLED_BACK: 4, D.WAITING: 3, D.PAUSED: 3, D.ABORTED: 1}
    code = codes.get(deployment.state, 6)
    if deployment.status == D.WATCHING and deployment.incidents.filter(status="open").exists():
        return 3
    return code


def _exit_code_of_way_back(back: Deployment) -> int:
    """4 when it is done, 3 while it waits for somebody to agree to its next step, 6 when it went wrong."""
    if back.status == D.SUCCEEDED:
        return 4
    if back.status == D.PAUSED:
        return 3
    asked = back.status == D.WAITING and back.items.filter(is_required=True, state="open").exists()
    return 3 if asked and not back.incidents.filter(status="open").exists() else 6


def summary(deployment: Deployment, code: int) -> dict[str, Any]:
    """What a program reads of a run."""
    return {
        "deployment": deployment.number,
        "service": deployment.release.service.name,
        "version": deployment.release.version,
        "environment": deployment.environment.name,
        "direction": deployment.direction,
        "status": deployment.status,
        "message": deployment.message,
        "plan_hash": deployment.plan_hash,
        "rollback_class": from_json(deployment.plan).rollback_class,
        "log": str(logbook.path_of(deployment)),
        "exit_code": code,
    }


def stay_when_terminal_closes() -> None:
    """A closed terminal does not end a deployment; TERM pauses it as Ctrl-C does.

    Only here, in the door of a foreground command: workers of any pool never touch signals.
    """
    # Not SIG_IGN, which every command we start would inherit.
    signal.signal(signal.SIGHUP, lambda number, frame: None)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
