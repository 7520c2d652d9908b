"""`deploy_release SERVICE VERSION --environment E`"""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from checks.models import Environment
from releases.doorbell import ring
from releases.engine.run import carry_on
from releases.errors import Held, WaitsForPerson, WrongUsage
from releases.lifecycle import answers, deployments, items, logbook, planning, preview, releases
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.following import follow, wait_in_line
from releases.management.interrupts import Interrupts
from releases.management.show import Terminal
from releases.models import Deployment, Release
from releases.permissions import demand
from releases.plan.clock import parse_at
from releases.plan.model import END, WATCH, from_json
from releases.plan.shown import plan_lines, shown_json
from releases.recorder import Lease, Move, claim, record, this_owner
from releases.statuses import OCCUPYING, DeploymentStatus, ItemState

D = DeploymentStatus
SHORTEST_HASH = 8
UNFINISHED = (*OCCUPYING, D.QUEUED, D.WATCHING)


class Command(Base):
    """Deploy a release: the approved plan, step by step, with evidence; it takes itself back when it must."""

    help = (
        "Deploy an approved release. Stays beside it until the last check at or before T+60; "
        "the later watch goes on by Celery beat."
    )
    examples = (
        "  manage.py deploy_release shop v1.1 --environment production --dry-run --as olga\n"
        "  manage.py deploy_release shop v1.1 --environment production --apply 3f2a9c01b7de --as olga\n"
        "  manage.py deploy_release shop v1.1 --environment production --at '18:00 Europe/Berlin' --queue --as olga\n"
        "  manage.py deploy_release shop v1.1 --environment production --resume --retry --as olga"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which, where, when, how to go on, who."""
        parser.add_argument("service", metavar="SERVICE")
        parser.add_argument("version", metavar="VERSION")
        parser.add_argument("--environment", required=True)
        parser.add_argument("--json", action="store_true", help="print the result as JSON at the end")
        _add_planning(parser.add_argument_group("the plan"))
        _add_start(parser.add_argument_group("when and where it runs"))
        _add_resume(parser.add_argument_group("going on with one that waits, was paused or died"))
        boxes = parser.add_argument_group("boxes")
        boxes.add_argument(
            "--yes", action="store_true", help="tick the boxes marked 'confirm'; needs --evidence"
        )
        boxes.add_argument("--evidence", metavar="TEXT", default="", help="what was seen, for --yes")
        add_as(parser)

    def run(self, *, service: str, version: str, environment: str, **options: Any) -> int:
        """Plan or take up, claim, carry on, and say how it stands."""
        at = now()
        _check(options)
        user = user_of(options, at=at)
        release = releases.find(service, version)
        place = find_environment(f"{service}/{environment}")
        if options["dry_run"]:
            return self._dry_run(release, place, at, options)
        if options["follow"]:
            return self._follow(_running(release, place), options)
        demand(user, "deploy", place)
        deployment = (self._taken_up if options["resume"] else self._new)(release, place, user, at, options)
        if options["yes"]:
            boxes = [box for box in items.boxes_of(release, place) if box.key not in later_boxes(deployment)]
            items.confirm_all(boxes, user=user, evidence=options["evidence"], at=now())
        if options["detach"]:
            return self._detach(deployment, user, options)
        return self._carry_on(deployment, user, options)

    def _dry_run(self, release: Release, place: Environment, at: datetime, options: dict[str, Any]) -> int:
        plan, zero = planning.make(release, place), _zero(options, at)
        digest, standing = deployments.plan_hash(plan), deployments.planned(release, place)
        is_same = standing is not None and standing.plan_hash == digest
        approval = deployments.approval_of(standing) if standing and is_same else None
        holds = deployments.obstacles(release, place, plan, approved=bool(approval), at=at, zero=zero)
        beside = preview.beside(release, place, plan, approval=approval, holds=holds, zero=zero)
        if options["json"]:
            self.print_json(shown_json(plan, digest, beside))
            return 0
        for line in plan_lines(plan, digest, beside):
            self.say(line)
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
        _check_hash(deployment, options["apply"])
        if standing and standing.pk != deployment.pk:
            raise WaitsForPerson(
                f"the plan of {release} for {place} changed since it was approved (now {deployment.plan_hash[:12]}): "
                f"`approve_release {release.service} {release.version} --environment {place.name} --as USER` again"
            )
        deployments.queue(deployment, user=user, at=at, waits=options["queue"], starts_at=_zero(options, at))
        return deployment

    def _taken_up(
        self, release: Release, place: Environment, user: User, at: datetime, options: dict[str, Any]
    ) -> Deployment:
        deployment = _running(release, place)
        _check_hash(deployment, options["apply"])
        if options["retry"]:
            answers.retry(deployment, user=user, at=at)
        if options["count_as_done"]:
            answers.count_as_done(deployment, user=user, reason=options["count_as_done"], at=at)
        if options["skip"]:
            _skip(deployment, user, options["skip"], at)
        answers.try_again(deployment, user=user, at=at)
        return deployment

    def _detach(self, deployment: Deployment, user: User, options: dict[str, Any]) -> int:
        """Leave it to a worker; the doorbell is rung, and beat finds it in any case."""
        if deployment.status != D.QUEUED:
            answers.resume(deployment, user=user, at=now())
        ring("releases.deploy", deployment.pk, user.username)
        words = f"deploy_release {deployment.release.service} {deployment.release.version}"
        where = f"--environment {deployment.environment.name}"
        if options["json"]:
            self.print_json(summary(deployment, 0))
        else:
            self.say(
                f"{deployment} is left to a worker; watch it with `{words} {where} --follow --as {user.username}`"
            )
        return 0

    def _follow(self, deployment: Deployment, options: dict[str, Any]) -> int:
        terminal = Terminal(verbose=options["verbosity"] > 1)
        try:
            with Interrupts(deployment) as asked:
                deployment = follow(deployment, terminal, asked=asked)
        finally:
            terminal.close()
        return self.conclude(deployment, as_json=options["json"])

    def _carry_on(self, deployment: Deployment, user: User, options: dict[str, Any]) -> int:
        terminal = Terminal(verbose=options["verbosity"] > 1)
        try:
            with Interrupts(deployment) as asked:
                lease = self._claim(deployment, user, terminal, options, asked)
                if lease:
                    deployment = self._run(deployment, lease, user, terminal, options, asked)
        except KeyboardInterrupt:
            return self.fail(f"{deployment} was left in the middle; --resume takes it up as it is", 3)
        finally:
            terminal.close()
        if lease is None:
            return self._follow(deployment, options)
        return self.conclude(deployment, as_json=options["json"])

    def _run(
        self,
        deployment: Deployment,
        lease: Lease,
        user: User,
        terminal: Terminal,
        options: dict[str, Any],
        asked: Interrupts,
    ) -> Deployment:
        plan = deployment.plan_hash[:12]
        self.say(f"{deployment}: {deployment.release} ({deployment.direction}), plan {plan}")
        return carry_on(
            deployment,
            lease,
            by=user.username,
            progress=terminal,
            asked=asked,
        )

    def _claim(
        self,
        deployment: Deployment,
        user: User,
        terminal: Terminal,
        options: dict[str, Any],
        asked: Interrupts,
    ) -> Lease | None:
        """The lease; None when a worker was quicker while this one stood in the queue.

        Held now means not at all: a deployment that nobody waits for must not be started later by a worker.
        """
        waits = options["queue"] or deployment.starts_at is not None
        if waits and not wait_in_line(deployment, terminal, asked=asked):
            _leave_queue(deployment, user)
            raise Held(f"{deployment} left the queue; it is planned as before")
        try:
            return claim(deployment, owner=this_owner(), by=user.username, at=now())
        except Held:
            if waits and deployment.status != D.QUEUED:
                return None
            if deployment.status == D.QUEUED:
                _leave_queue(deployment, user)
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


def _add_planning(group: Any) -> None:
    group.add_argument(
        "--dry-run", action="store_true", help="print the plan and what holds it; touch nothing"
    )
    group.add_argument(
        "--apply",
        metavar="HASH",
        default="",
        help="run only the plan with this hash, as a dry run printed it",
    )


def _add_start(group: Any) -> None:
    group.add_argument(
        "--at", metavar="TIME", default="",
        help="T-0 on the clock ('18:00 Europe/Berlin', '2026-11-30T18:00+01:00'): no step starts before its time",
    )  # fmt: skip
    group.add_argument(
        "--queue",
        action="store_true",
        help="wait in order for what holds the environment, instead of ending with 5",
    )
    group.add_argument("--detach", action="store_true", help="leave it to a worker and return at once")
    group.add_argument("--follow", action="store_true", help="show the one that a worker carries on")


def _add_resume(group: Any) -> None:
    group.add_argument(
        "--resume", action="store_true", help="go on with the deployment that waits, was paused or died"
    )
    group.add_argument("--retry", action="store_true", help="try again what went wrong")
    group.add_argument(
        "--count-as-done", metavar="REASON", default="",
        help="an interrupted action of which nobody knows how far it came is done; says why",
    )  # fmt: skip
    group.add_argument(
        "--skip", metavar="REASON", default="",
        help="go on without the step that did not succeed; what changes the service needs a second person",
    )  # fmt: skip


def _check(options: dict[str, Any]) -> None:
    """Options that do not go together; raises WrongUsage."""
    answers = [name for name in ("retry", "count_as_done", "skip") if options[name]]
    if answers and not options["resume"]:
        raise WrongUsage("--retry, --count-as-done and --skip go with --resume")
    if len(answers) > 1:
        raise WrongUsage("say one of --retry, --count-as-done and --skip")
    if options["yes"] and not options["evidence"].strip():
        raise WrongUsage("--yes needs --evidence TEXT: what did you see?")
    if options["resume"] and (options["at"] or options["queue"]):
        raise WrongUsage("--at and --queue are for a deployment that begins; --resume goes on at once")
    if options["follow"] and (options["resume"] or options["detach"]):
        raise WrongUsage("--follow only looks: say it without --resume and --detach")


def _check_hash(deployment: Deployment, wanted: str) -> None:
    """Raise WaitsForPerson when the plan is not the one that was looked at."""
    if wanted and (len(wanted) < SHORTEST_HASH or not deployment.plan_hash.startswith(wanted)):
        raise WaitsForPerson(
            f"the plan is {deployment.plan_hash[:12]} now, not {wanted}: look at it again with --dry-run"
        )


def _skip(deployment: Deployment, user: User, reason: str, at: datetime) -> None:
    """Raise WaitsForPerson, saying who has to do what, where a second person has to agree."""
    box = answers.skip(deployment, user=user, reason=reason, at=at)
    if box and box.state != ItemState.TICKED:
        release = deployment.release
        raise WaitsForPerson(
            f"a second person has to agree: `tick_item {release.service} {release.version} --environment "
            f"{deployment.environment.name} '{box.key}' --evidence TEXT --as SECOND`, then --resume"
        )


def _zero(options: dict[str, Any], at: datetime) -> datetime | None:
    if not options["at"]:
        return None
    try:
        return parse_at(options["at"], now=at, zone=timezone.get_default_timezone())
    except ValueError as wrong:
        raise WrongUsage(f"--at: {wrong}") from None


def _running(release: Release, place: Environment) -> Deployment:
    running = unfinished(release, place)
    if running is None:
        raise WrongUsage(
            f"no deployment of {release} in {place} waits or was interrupted; start one without --resume"
        )
    return running


def _leave_queue(deployment: Deployment, user: User) -> None:
    record(Move(deployment, D.PLANNED, {"started_at": None}), by=user.username, at=now())


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
    if deployment.status == D.WAITING and deployment.due_at:
        return 5
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
