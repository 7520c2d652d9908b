"""Sample, evaluate, decide: the watch over a live deployment, and the boxes that probes and thresholds tick."""

from datetime import datetime, timedelta

from django.utils import timezone

from checks.models import Metric, MetricSnapshot, Probe
from checks.sampling import ask_by_name, sample, take_due
from checks.secrets import mask
from checks.thresholds import Judgement, Limit, Sample, State, judge
from checks.variables import secrets_of
from checks.verdicts import Verdict
from releases.engine import turning
from releases.engine.lease import Run, scaled
from releases.engine.perform import items_of
from releases.lifecycle import answers, going_back
from releases.models import ChecklistItem, Deployment
from releases.plan.model import TRIGGER, PlannedItem, PlannedLimit, PlannedStep
from releases.recorder import Change, Move
from releases.statuses import DeploymentStatus, ItemState

STALE_AFTER = timedelta(seconds=60)


def watch(run: Run) -> bool:
    """Ask what is due, judge the rollback triggers, act; False when the watch of this deployment is over."""
    now = timezone.now()
    if _is_superseded(run.deployment):
        turning.supersede(run, now)
        return False
    sample(take_due(now, environment=run.deployment.environment), at=now)
    measured = judgements(run, now)
    firing = [(limit, judged) for limit, judged in measured if judged.state is State.FIRING]
    if run.plan.trigger_rule == "any":
        turning.pull(run, firing)
    elif len(firing) == len(measured):
        _pull_if_all(run, firing)
    return True


def _pull_if_all(run: Run, firing: list[tuple[PlannedLimit, Judgement]]) -> None:
    """Every measured trigger fires; those that a person pulls have to be pulled, too."""
    wanted = {trigger.key for trigger in run.plan.triggers if trigger.response == "roll_back"}
    boxes = [box for box in pulled(run) if box.key in wanted]
    if len(boxes) < len(wanted):
        return
    if firing:
        turning.pull(run, firing)
    elif boxes:
        turning.pull_by_hand(run, boxes[-1])


def heed_pulled(run: Run) -> None:
    """Act on what a person pulled since the last look; where all triggers have to hold the watch decides."""
    if run.plan.direction == "back" or not run.plan.triggers:
        return
    responses = {trigger.key: trigger.response for trigger in run.plan.triggers}
    for box in pulled(run):
        if turning.was_heeded(run.deployment, box) or run.plan.direction == "back":
            continue
        if responses[box.key] == "investigate":
            turning.investigate(run, box)
        elif run.plan.trigger_rule == "any":
            turning.pull_by_hand(run, box)


def pulled(run: Run) -> list[ChecklistItem]:
    """The triggers that a person pulled in this deployment."""
    return list(run.deployment.items.filter(ticked_by=TRIGGER, state=ItemState.TICKED).select_related("by"))


def judgements(run: Run, now: datetime) -> list[tuple[PlannedLimit, Judgement]]:
    """Every rollback trigger that a metric measures, judged on the samples since go-live."""
    limits = [limit for limit in run.plan.limits if limit.role == "rollback_trigger" and limit.metric]
    return [(limit, judgement(run, limit, now)) for limit in limits]


def judgement(run: Run, limit: PlannedLimit, now: datetime) -> Judgement:
    """One limit judged now, in this environment's time scale."""
    metric = Metric.objects.filter(environment=run.deployment.environment, name=limit.metric).first()
    sustained = _sustained(run, limit)
    since = max(run.deployment.live_at or now, now - 3 * sustained - STALE_AFTER)
    return judge(
        Limit(
            metric=limit.metric,
            op=limit.op,
            value=limit.value,
            unit=limit.unit,
            for_=sustained,
            text=limit.text,
        ),
        _samples(metric, since),
        now=now,
        unit=metric.unit if metric else "",
        max_age=STALE_AFTER,
    )


def _sustained(run: Run, limit: PlannedLimit) -> timedelta:
    """The limit's time on this clock, but never shorter than it takes to see it twice."""
    sustained = scaled(limit.for_minutes, run.plan)
    probes = Probe.objects.filter(environment=run.deployment.environment)
    every = [probe.every_seconds for probe in probes if limit.metric in probe.readings]
    return max(sustained, timedelta(seconds=2.5 * min(every))) if sustained and every else sustained


def _samples(metric: Metric | None, since: datetime) -> list[Sample]:
    rows = MetricSnapshot.objects.filter(metric=metric, at__gte=since).order_by("at") if metric else []
    return [Sample(at=row.at, value=row.value, in_maintenance=row.in_maintenance) for row in rows]


def _is_superseded(deployment: Deployment) -> bool:
    """By a newer deployment that has changed something; one that waits in line, or failed before it began, has not."""
    newer = Deployment.objects.filter(environment=deployment.environment, number__gt=deployment.number)
    begun = newer.exclude(status__in=[DeploymentStatus.PLANNED, DeploymentStatus.QUEUED])
    return any(map(going_back.took_over, begun))


# --- boxes that the machine ticks -------------------------------------------------------------------


def judge_items(run: Run, step: PlannedStep, items: tuple[PlannedItem, ...]) -> None:
    """Tick or fail the boxes bound to a probe or a threshold, each with what was seen as evidence."""
    now = timezone.now()
    rows = {row.key: row for row in items_of(run.deployment).filter(key__in=[item.key for item in items])}
    changes: list[Move | Change] = []
    for item in items:
        if item.by == "step":
            changes.append(_of_skipped(run, rows[item.key], step, item, now))
            continue
        verdict, seen = _verdict(run, item, now)
        changes.append(_closing(run, rows[item.key], item, verdict, seen, now))
    run.record(*changes, at=now)
    run.progress.ticked(items, step.title)


def _of_skipped(run: Run, row: ChecklistItem, step: PlannedStep, item: PlannedItem, now: datetime) -> Move:
    """A box of a step that nobody's success ticked: its action counts as done, or its failure was accepted."""
    key = item.by_name or step.actions[-1].key
    attempt = run.deployment.attempts.filter(action=key).latest("pk")
    state = ItemState.TICKED if attempt.reason.startswith(answers.DONE) else ItemState.WAIVED
    fields = {"at": now, "attempt": attempt, "evidence": {"said": attempt.reason, "by": attempt.by}}
    return Move(row, state, fields)


def _closing(
    run: Run, row: ChecklistItem, item: PlannedItem, verdict: Verdict, seen: str, now: datetime
) -> Move:
    state = ItemState.TICKED if verdict is Verdict.PASSED else ItemState.FAILED
    shown = mask(seen, secrets_of(run.deployment.environment))
    return Move(row, state, {"at": now, "evidence": {"seen": shown, "asked": item.by_name or item.by}})


def _verdict(run: Run, item: PlannedItem, now: datetime) -> tuple[Verdict, str]:
    if item.by == "probe":
        return ask_by_name(run.deployment.environment, item.by_name, at=now)
    limits = [limit for limit in run.plan.limits if limit.line == item.line and limit.metric]
    if not limits:
        return Verdict.INCONCLUSIVE, "no metric of this environment measures what the line says"
    judged = judgement(run, limits[0], now)
    holds = judged.verdict
    if limits[0].role != "rollback_trigger":
        holds = _as_criterion(judged)
    return holds, judged.message


def _as_criterion(judged: Judgement) -> Verdict:
    """A criterion says what should hold, a trigger what should not: breaching a criterion is passing it."""
    if judged.verdict not in (Verdict.PASSED, Verdict.FAILED):
        return judged.verdict
    return Verdict.PASSED if judged.state is State.FIRING else Verdict.FAILED
