"""The deployment log in Markdown, written from the rows after every run."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from checks.models import MetricSnapshot
from releases.models import Attempt, Deployment
from releases.plan.model import TRIGGER, Plan, PlannedStep, from_json
from releases.statuses import DeploymentStatus, ItemState

D = DeploymentStatus
OUTCOMES = {
    D.SUCCEEDED: "successful",
    D.ROLLED_BACK: "failed and rolled back",
    D.FAILED: "failed",
    D.WATCHING: "live, being watched",
}


def path_of(deployment: Deployment) -> Path:
    """Where the log of a deployment lies."""
    environment = deployment.environment
    folder = Path(settings.VAR_DIR) / "logs" / environment.service.name / environment.name
    return folder / f"{deployment.number:04d}-{deployment.release.version}-{deployment.direction}.md"


def write(deployment: Deployment) -> Path:
    """Write (or write anew) the log of a deployment; returns its path."""
    deployment.refresh_from_db()
    path = path_of(deployment)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(deployment), encoding="utf-8")
    return path


def render(deployment: Deployment) -> str:
    """The log as Markdown: outcome, times by T-offset, what was run, measurements, issues, sign-offs."""
    plan = from_json(deployment.plan)
    parts = [
        _head(deployment, plan),
        _sign_offs(deployment),
        _timeline(deployment, plan),
        _boxes(deployment),
        _measurements(deployment),
        _issues(deployment),
        _outputs(deployment, plan),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def outcome(deployment: Deployment) -> str:
    """How it ended, in the words of a deployment log."""
    if deployment.status == D.SUCCEEDED and deployment.message:
        return deployment.message
    return OUTCOMES.get(deployment.state, deployment.status)


def _head(deployment: Deployment, plan: Plan) -> str:
    way = (
        f"{plan.previous_version} → {plan.version}"
        if plan.direction == "forward"
        else f"{plan.version} → {plan.previous_version}"
    )
    rows = [
        ("Outcome", f"**{outcome(deployment)}**"),
        ("Versions", f"{way} (commit {plan.target_commit[:10]})"),
        ("Environment", f"{plan.environment}{_scale(plan)}"),
        ("Start", _clock(deployment.started_at)),
        ("Live", _clock(deployment.live_at)),
        ("End", _clock(deployment.ended_at)),
        ("Duration", _duration(deployment)),
        ("Requested by", deployment.requested_by.username),
        ("Confirmed in bulk", _in_bulk(deployment)),
        ("Rollback class", plan.rollback_class),
        ("Plan", f"`{deployment.plan_hash[:12]}` of runbook revision `{plan.revision[:12]}`"),
        ("Reason", deployment.reason),
        ("Message", deployment.message),
    ]
    title = (
        f"# Deployment log: {deployment.release.service.title} {plan.target_version}, #{deployment.number}"
    )
    table = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows if value)
    return f"{title}\n\n| | |\n|---|---|\n{table}"


def _in_bulk(deployment: Deployment) -> str:
    count = deployment.items.filter(evidence__in_bulk=True).count()
    return f"{count} boxes" if count else ""


def _scale(plan: Plan) -> str:
    return (
        f" (demo clock: {plan.time_scale} × faster, 1 h = {3600 / plan.time_scale:g} s)"
        if plan.time_scale != 1
        else ""
    )


def _sign_offs(deployment: Deployment) -> str:
    rows = [
        f"- {approval.role}: **{approval.by.username}** at {_clock(approval.at)} for plan `{approval.plan_hash[:12]}`"
        + (" (withdrawn)" if approval.withdrawn_at else "")
        for approval in deployment.approvals.select_related("by")
    ]
    return "## Sign-offs\n\n" + "\n".join(rows or ["none: a way back needs no second signature"])


def _timeline(deployment: Deployment, plan: Plan) -> str:
    tries = list(deployment.attempts.all())
    rows = [row for step in plan.steps for row in _step_rows(deployment, plan, step, tries)]
    head = _table_head("T-offset", "clock", "T measured", "step", "action", "outcome", "seconds")
    return "\n".join(["## Timeline\n", head, *rows])


def _step_rows(deployment: Deployment, plan: Plan, step: PlannedStep, tries: list[Attempt]) -> list[str]:
    names = {action.key: action.title for action in step.actions}
    return [
        f"| {_offset(step.offset_minutes)} | {_time(attempt.opened_at)} | {_measured(deployment, plan, attempt)} "
        f"| {_cell(step.title)} | {_cell(names[attempt.action])} | {attempt.outcome or 'open'} | {_seconds(attempt)} |"
        for attempt in tries
        if attempt.action in names
    ]


def _measured(deployment: Deployment, plan: Plan, attempt: Attempt) -> str:
    if not deployment.live_at:
        return ""
    return _offset((attempt.opened_at - deployment.live_at).total_seconds() / 60 * plan.time_scale, digits=1)


def _boxes(deployment: Deployment) -> str:
    boxes = list(
        deployment.items.exclude(ticked_by=TRIGGER, state=ItemState.OPEN).select_related("by", "attempt")
    )
    if deployment.direction == "forward":
        boxes = [*deployment.release.items.filter(deployment__isnull=True).select_related("by"), *boxes]
    marks = {ItemState.TICKED: "x", ItemState.WAIVED: "-", ItemState.FAILED: "!"}
    rows = [
        f"- [{marks.get(ItemState(box.state), ' ')}] {box.text}"
        + (f" ({box.by or box.ticked_by}, {_clock(box.at)}: {_evidence(box.evidence)})" if box.at else "")
        for box in boxes
    ]
    return "## Checklist\n\n" + "\n".join(rows) if rows else ""


def _evidence(evidence: dict[str, object]) -> str:
    for key in ("said", "seen"):
        if key in evidence:
            return str(evidence[key])
    tried = evidence.get("attempts")
    return "; ".join(str(each) for each in tried) if isinstance(tried, list) else str(evidence)


def _measurements(deployment: Deployment) -> str:
    if not deployment.live_at:
        return ""
    shots = MetricSnapshot.objects.filter(metric__environment=deployment.environment, in_maintenance=False)
    until = deployment.ended_at or timezone.now()
    before = shots.filter(at__lt=deployment.started_at or deployment.live_at)
    after = shots.filter(at__gte=deployment.live_at, at__lte=until)
    rows = []
    for metric in deployment.environment.metrics.all():
        old = [float(each.value) for each in before.filter(metric=metric)[:20]]
        new = [float(each.value) for each in after.filter(metric=metric)[:1000]]
        if new:
            rows.append(
                f"| {metric.name} | {metric.unit} | {_mean(old)} | {_mean(new)} | {max(new):.1f} | {len(new)} |"
            )
    head = _table_head("metric", "unit", "before (mean)", "after (mean)", "after (max)", "samples")
    return "\n".join(["## Measurements\n", head, *rows]) if rows else ""


def _issues(deployment: Deployment) -> str:
    rows = [
        f"- **{incident.severity}** {incident.cause} ({': '.join(filter(None, [incident.status, incident.decision]))})"
        for incident in deployment.incidents.all()
    ]
    back = Deployment.objects.filter(undoes=deployment).first()
    if back:
        rows.append(
            f"- taken back by deployment #{back.number}: {back.status}, {_duration(back)}, log `{path_of(back).name}`"
        )
    return "## Issues and rollback\n\n" + "\n".join(rows or ["none"])


def _outputs(deployment: Deployment, plan: Plan) -> str:
    names = {action.key: action.title for action in plan.actions}
    parts = [
        f"### {names.get(attempt.action, attempt.action)}, try {attempt.number}: {attempt.outcome or 'open'}\n\n"
        f"{attempt.result.get('message', '')}\n\n"
        f"```console\n{_prompted(attempt.command)}{_fenced(attempt.tail)}\n```"
        for attempt in deployment.attempts.all()
    ]
    return "## What was run\n\n" + "\n\n".join(parts) if parts else ""


def _prompted(command: str) -> str:
    return "".join(f"$ {line}\n" for line in command.splitlines() if line.strip())


def _fenced(text: str) -> str:
    """Output may hold a fence of its own, which must not end ours."""
    return text.replace("```", "'''").rstrip()


def _table_head(*names: str) -> str:
    return f"| {' | '.join(names)} |\n|{'---|' * len(names)}"


def _duration(deployment: Deployment) -> str:
    if not deployment.started_at or not deployment.ended_at:
        return ""
    return f"{(deployment.ended_at - deployment.started_at).total_seconds():.1f} s"


def _offset(minutes: float | None, digits: int = 0) -> str:
    return "" if minutes is None else f"T{minutes:+.{digits}f}"


def _clock(at: datetime | None) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S %Z") if at else ""


def _time(at: datetime) -> str:
    return timezone.localtime(at).strftime("%H:%M:%S")


def _seconds(attempt: Attempt) -> str:
    return "" if attempt.seconds is None else f"{attempt.seconds:.1f}"


def _mean(values: list[float]) -> str:
    return f"{sum(values) / len(values):.1f}" if values else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
