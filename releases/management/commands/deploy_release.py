"""`deploy_release SERVICE VERSION --environment E`"""

import sys
from argparse import ArgumentParser
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.utils import timezone

from checks.models import Environment
from releases.doorbell import ring
from releases.engine.run import carry_on
from releases.errors import Held, StaleState, WaitsForPerson, WrongUsage
from releases.lifecycle import answers, deployments, items, logbook, planning, preview, releases, starting
from releases.lifecycle.environments import find as find_environment
from releases.management.base import Command as Base
from releases.management.base import add_as, now, user_of
from releases.management.following import follow, wait_in_line
from releases.management.interrupts import LOOKS, QUEUES, RUNS, Interrupts
from releases.management.show import Terminal
from releases.models import Deployment, Release
from releases.permissions import demand
from releases.plan.clock import parse_at
from releases.plan.model import END, WATCH, from_json
from releases.plan.shown import plan_lines, shown_json
from releases.recorder import Change, Lease, Move, claim, is_abandoned, record, this_owner
from releases.statuses import OCCUPYING, PAUSE, STOP, DeploymentStatus, ItemState

D = DeploymentStatus
SHORTEST_HASH = 8
UNFINISHED = (*OCCUPYING, D.QUEUED, D.WATCHING)
ANSWERS = ("retry", "count_as_done", "skip")
STARTS = ("at", "queue")
NOT_TOGETHER = (
    (
        "dry_run",
        ("apply", "queue", "detach", "follow", "resume", "yes"),
        "--dry-run only shows the plan: say it without {}",
    ),
    ("follow", ("apply", *STARTS, "detach", "resume", "yes"), "--follow only looks: say it without {}"),
    ("resume", STARTS, "{} is for a deployment that begins; --resume goes on at once"),
)


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
            return self._follow(_to_follow(release, place), options)
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
        holds = starting.obstacles(release, place, plan, approved=bool(approval), at=at, zero=zero)
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
        zero = _zero(options, at)
        standing = deployments.planned(release, place)
        deployment = deployments.plan(release, place, user=user, at=at)
        _check_hash(deployment, options["apply"])
        if standing and standing.pk != deployment.pk:
            raise WaitsForPerson(
                f"the plan of {release} for {place} changed since it was approved (now {deployment.plan_hash[:12]}): "
                f"`approve_release {release.service} {release.version} --environment {place.name} --as USER` again"
            )
        if options["yes"]:
            own = items.boxes_of(release, None)
            items.confirm_all(own, user=user, evidence=options["evidence"], at=at)
        starting.queue(deployment, user=user, at=at, waits=options["queue"], starts_at=zero)
        return deployment

    def _taken_up(
        self, release: Release, place: Environment, user: User, at: datetime, options: dict[str, Any]
    ) -> Deployment:
        deployment = _running(release, place)
        _check_hash(deployment, options["apply"])
        if options["retry"]:
            answers.retry(deployment, user=user, at=at)
        if options["count_as_done"] is not None:
            answers.count_as_done(deployment, user=user, reason=options["count_as_done"], at=at)
        if options["skip"] is not None:
            _skip(deployment, user, options["skip"], at)
        answers.try_again(deployment, user=user, at=at)
        return deployment

    def _detach(self, deployment: Deployment, user: User, options: dict[str, Any]) -> int:
        """Leave it to a worker; the doorbell is rung when it may begin, and beat finds it in any case."""
        _hand_to_worker(deployment, user)
        if options["json"]:
            self.print_json(summary(deployment, 0))
            return 0
        waits = starting.waits_for(deployment, at=now()) if deployment.status == D.QUEUED else ""
        self.say(
            f"{deployment} is left to a worker{f', and waits: {waits}' if waits else ''}; "
            f"watch it with `{_follow_words(deployment)} --as {user.username}`"
        )
        return 0

    def _follow(self, deployment: Deployment, options: dict[str, Any]) -> int:
        terminal = Terminal(verbose=options["verbosity"] > 1)
        try:
            with aside(options), Interrupts(deployment, beside=LOOKS) as asked:
                deployment = follow(deployment, terminal, asked=asked)
        except KeyboardInterrupt:
            deployment.refresh_from_db()
        finally:
            terminal.close()
        return self.conclude(deployment, as_json=options["json"])

    def _carry_on(self, deployment: Deployment, user: User, options: dict[str, Any]) -> int:
        terminal = Terminal(verbose=options["verbosity"] > 1)
        waits = not options["resume"] and (options["queue"] or deployment.starts_at is not None)
        try:
            with aside(options), Interrupts(deployment, beside=QUEUES if waits else RUNS) as asked:
                lease = self._claim(deployment, user, terminal, options, asked)
                if lease:
                    asked.beside = RUNS
                    deployment = self._run(deployment, lease, user, terminal, asked)
        finally:
            terminal.close()
        if lease is None:
            return self._follow(deployment, options)
        return self.conclude(deployment, as_json=options["json"])

    def _run(
        self, deployment: Deployment, lease: Lease, user: User, terminal: Terminal, asked: Interrupts
    ) -> Deployment:
        plan = deployment.plan_hash[:12]
        terminal.note(f"{deployment}: {deployment.release} ({deployment.direction}), plan {plan}")
        return carry_on(deployment, lease, by=user.username, progress=terminal, asked=asked)

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
        if options["resume"]:
            _demand_turn(deployment)
            _forget_stop(deployment, user)
            return claim(deployment, owner=this_owner(), by=user.username, at=now())
        while deployment.status == D.QUEUED:
            if asked.beside == QUEUES and not wait_in_line(deployment, terminal, asked=asked):
                _leave_queue(deployment, user)
                raise Held(f"{deployment} left the queue; it is planned as before")
            try:
                if deployment.status == D.QUEUED:
                    return claim(deployment, owner=this_owner(), by=user.username, at=now())
            except Held:
                deployment.refresh_from_db()
                if deployment.status == D.QUEUED and asked.beside != QUEUES:
                    _leave_queue(deployment, user)
                    raise
        return None

    def conclude(self, deployment: Deployment, *, as_json: bool) -> int:
        """Say how it stands, where its log lies, and return the exit code."""
        code = exit_code(deployment)
        if as_json:
            self.print_json(summary(deployment, code))
            return code
        self.say(f"\n{deployment} {deployment.release.version}: {logbook.outcome(deployment)}")
        back = Deployment.objects.filter(undoes=deployment).first()
        failed = back if back and back.status != D.SUCCEEDED else deployment
        if deployment.status in (D.RUNNING, D.QUEUED):
            self.fail(f"{deployment} goes on without this terminal; `{_follow_words(deployment)}`", code)
        elif deployment.status == D.PLANNED:
            self.fail(f"{deployment} left the queue; it is planned as before", code)
        elif code not in (0, 4):
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
        help="run only the plan with this hash, as a dry run printed it",
    )


def _add_start(group: Any) -> None:
    group.add_argument(
        "--at", metavar="TIME",
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
        "--count-as-done", metavar="REASON",
        help="an interrupted action of which nobody knows how far it came is done; says why",
    )  # fmt: skip
    group.add_argument(
        "--skip", metavar="REASON",
        help="go on without the step that did not succeed; what changes the service needs a second person",
    )  # fmt: skip


def _check(options: dict[str, Any]) -> None:
    """Options that do not go together, or lack what they need; raises WrongUsage."""
    answered = [name for name in ANSWERS if _is_given(options, name)]
    if answered and not options["resume"]:
        raise WrongUsage("--retry, --count-as-done and --skip go with --resume")
    if len(answered) > 1:
        raise WrongUsage("say one of --retry, --count-as-done and --skip")
    for one, others, words in NOT_TOGETHER:
        wrong = [f"--{name.replace('_', '-')}" for name in others if _is_given(options, name)]
        if options[one] and wrong:
            raise WrongUsage(words.format(" and ".join(wrong)))
    if options["yes"] and not options["evidence"].strip():
        raise WrongUsage("--yes needs --evidence TEXT: what did you see?")
    if options["apply"] is not None and len(options["apply"].strip()) < SHORTEST_HASH:
        raise WrongUsage(
            f"--apply is '{options['apply']}': give at least {SHORTEST_HASH} characters of the hash of a --dry-run"
        )


def _is_given(options: dict[str, Any], name: str) -> bool:
    """An empty text is given too: a variable of a script that was never set must not mean "as you like"."""
    return options[name] is not None and options[name] is not False


def _check_hash(deployment: Deployment, wanted: str | None) -> None:
    """Raise WaitsForPerson when the plan is not the one that was looked at."""
    if wanted is not None and not deployment.plan_hash.startswith(wanted.strip().lower()):
        raise WaitsForPerson(
            f"the plan is {deployment.plan_hash[:12]} now, not {wanted.strip()}: look at it again with --dry-run"
        )


def aside(options: dict[str, Any]) -> AbstractContextManager[object]:
    """With --json standard output is the result's alone; what is told on the way goes to standard error."""
    return redirect_stdout(sys.stderr) if options["json"] else nullcontext()


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
    if options["at"] is None:
        return None
    return parse_at(options["at"], now=at, zone=timezone.get_default_timezone())


def _running(release: Release, place: Environment) -> Deployment:
    running = unfinished(release, place)
    if running is None:
        raise WrongUsage(
            f"no deployment of {release} in {place} waits or was interrupted; start one without --resume"
        )
    return running


def _to_follow(release: Release, place: Environment) -> Deployment:
    """What goes on, else what ended last: a run may be over before somebody looks."""
    begun = Deployment.objects.filter(release=release, environment=place, started_at__isnull=False)
    forward = begun.filter(undoes__isnull=True).select_related("release__service", "environment__service")
    found = unfinished(release, place) or forward.order_by("-number").first()
    if found is None:
        raise WrongUsage(f"{release} was never started in {place}: there is nothing to follow")
    return found


def _follow_words(deployment: Deployment) -> str:
    release, environment = deployment.release, deployment.environment
    return f"deploy_release {release.service} {release.version} --environment {environment.name} --follow"


def _hand_to_worker(deployment: Deployment, user: User) -> None:
    """Raise Held when somebody carries it on already: it needs no other."""
    if deployment.status in (D.WAITING, D.PAUSED):
        answers.resume(deployment, user=user, at=now())
    elif _is_carried_on(deployment):
        raise Held(
            f"{deployment} is {deployment.status}, and somebody carries it on: `{_follow_words(deployment)}`"
        )
    if deployment.status != D.QUEUED or starting.is_due(deployment, at=now()):
        ring("releases.deploy", deployment.pk, user.username)


def _is_carried_on(deployment: Deployment) -> bool:
    owned = Deployment.objects.filter(pk=deployment.pk, expires_at__gt=Now())
    return owned.exists() and not is_abandoned(deployment)


def _demand_turn(deployment: Deployment) -> None:
    """Raise Held for what stands in the queue and is not due."""
    waits = starting.waits_for(deployment, at=now()) if deployment.status == D.QUEUED else ""
    if waits:
        raise Held(
            f"{deployment} is in the queue: {waits}; `{_follow_words(deployment)}` shows when it begins"
        )


def _forget_stop(deployment: Deployment, user: User) -> None:
    """Who takes up a run that died wants it to go on, though a pause was asked of the process; an abort stands."""
    if (
        deployment.status == D.RUNNING
        and deployment.wants in (PAUSE, STOP)
        and not _is_carried_on(deployment)
    ):
        same = {"owner": deployment.owner, "epoch": deployment.epoch}
        asked = Change(deployment, {"wants": ""}, verb="resume asked", only_if=same)
        record(asked, by=user.username, at=now())


def _leave_queue(deployment: Deployment, user: User) -> None:
    """It is planned as before; raises Held when it began at the same moment."""
    fields = {"started_at": None, "starts_at": None, "message": ""}
    try:
        record(Move(deployment, D.PLANNED, fields), by=user.username, at=now())
    except StaleState:
        raise Held(
            f"{deployment} is {deployment.status}: somebody carries it on; `{_follow_words(deployment)}`"
        ) from None


def later_boxes(deployment: Deployment) -> set[str]:
    """Keys of the boxes of the long watch: nobody can have seen today what they ask in a day."""
    plan = from_json(deployment.plan)
    return {item.key for step in plan.steps if step.phase in (WATCH, END) for item in step.items}


def unfinished(release: Release, place: Environment) -> Deployment | None:
    """The deployment of a release that has not ended, or its way back that has not."""
    found = Deployment.objects.filter(release=release, environment=place, status__in=UNFINISHED)
    return found.select_related("release__service", "environment__service").order_by("-number").first()


CODES = {
    D.SUCCEEDED: 0,
    D.WATCHING: 0,
    D.ROLLED_BACK: 4,
    D.WAITING: 3,
    D.PAUSED: 3,
    D.ABORTED: 1,
    **dict.fromkeys((D.PLANNED, D.QUEUED, D.RUNNING), 5),
}


def exit_code(deployment: Deployment) -> int:
    """What a caller of the command line sees."""
    if deployment.direction == "back":
        return _exit_code_of_way_back(deployment)
    back = Deployment.objects.filter(undoes=deployment).first()
    if deployment.status == D.FAILED:
        return _exit_code_of_way_back(back) if back else 1
    if deployment.status == D.WAITING and deployment.due_at:
        return 5
    code = CODES.get(deployment.state, 6)
    if deployment.status == D.WATCHING and deployment.incidents.filter(status="open").exists():
        return 3
    return code


def _exit_code_of_way_back(back: Deployment) -> int:
    """4 when it is done, 5 while it goes on, 3 while somebody has to agree to its next step, 6 when it went wrong."""
    if back.status == D.SUCCEEDED:
        return 4
    if back.status in (D.QUEUED, D.RUNNING):
        return 5
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
