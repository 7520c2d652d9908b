"""From a runbook's document and the facts of an environment to a plan; pure, so what is shown is what is run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from releases.plan.facts import Facts
from releases.plan.gaps import FORWARD_ROLES, notes, problems
from releases.plan.hosts import expanded
from releases.plan.model import (
    ATTENDED,
    ATTENDED_MINUTES,
    BEFORE,
    END,
    WATCH,
    Plan,
    PlannedAction,
    PlannedItem,
    PlannedLimit,
    PlannedMethod,
    PlannedStep,
    PlannedTrigger,
)
from releases.plan.places import let_in
from releases.plan.steps import applies, runs_of, step_of
from releases.plan.ways import COPY_UNDER_FENCE
from releases.runbooks.document import Document, RollbackMethod, Step
from releases.runbooks.typed import direction_of
from releases.statuses import RollbackClass

BOX_ROLES = ("pre_deployment", "communications", "success_criteria", "signoff")
CHANGING = (
    "cache",
    "code",
    "dependencies",
    "drain",
    "features",
    "maintenance",
    "migrate",
    "restart",
    "restore",
    "revert",
    "trigger",
)


def make_plan(document: Document, facts: Facts) -> Plan:
    """The forward plan: pre-flight, the document's steps, a copy under the fence where the schema changes."""
    steps = [
        _preflight(),
        *(let_in(step, facts.environment) for step in _boxes_before(document)),
        *_looks_first(_forward(document)),
        *_boxes_at_end(document),
    ]
    kind = rollback_class(facts)
    if kind == RollbackClass.RESTORE:
        steps = _with_copy_under_fence(steps)
    methods = tuple(_method(document, method, facts.hosts) for method in document.rollback_methods)
    limits = _limits(document, facts.metrics)
    return Plan(
        service=facts.service,
        environment=facts.environment,
        direction="forward",
        version=facts.version,
        commit=facts.commit,
        previous_version=facts.previous_version,
        previous_commit=facts.previous_commit,
        revision=facts.revision,
        rollback_class=kind,
        time_scale=facts.time_scale,
        steps=expanded(steps, facts.hosts),
        limits=limits,
        methods=methods,
        triggers=_triggers(document, limits),
        trigger_rule=document.trigger_rule,
        variables=dict(facts.variables),
        problems=tuple(problems(document, facts, kind, methods)),
        notes=tuple(notes(document, facts)),
    )


def rollback_class(facts: Facts) -> RollbackClass:
    """What going back will take: flags when the code stays, code when the schema stays, else the copy."""
    if facts.commit == facts.previous_commit:
        return RollbackClass.FLAGS
    if not facts.schema_changes:
        return RollbackClass.CODE
    return RollbackClass.RESTORE if facts.databases else RollbackClass.FORWARD_ONLY


# --- steps -----------------------------------------------------------------------------------------


def _preflight() -> PlannedStep:
    action = PlannedAction(key="preflight", kind="preflight", title="Pre-flight", changes=False)
    return PlannedStep(key="preflight", title="Pre-flight by Gantry", phase=BEFORE, actions=(action,))


def _boxes_before(document: Document) -> list[PlannedStep]:
    """What people settle before the start; the commands shown there are their preparation, not the run."""
    first = _first_order(document)
    steps = [step for step in document.steps if step.role == "pre_deployment" or step.order < first]
    return _boxes(document, steps, BEFORE)


def _boxes_at_end(document: Document) -> list[PlannedStep]:
    """What is judged when everything else is done: success criteria, and sign-offs that stand after the steps."""
    first = _first_order(document)
    steps = [step for step in document.steps if step.role != "pre_deployment" and step.order > first]
    return _boxes(document, steps, END)


def _boxes(document: Document, steps: Iterable[Step], phase: str) -> list[PlannedStep]:
    shown = [s for s in steps if s.role in BOX_ROLES and document.items_of(s.order) and applies(s)]
    return [step_of(document, step, phase, runs=False) for step in shown]


def _first_order(document: Document) -> int:
    """The order of the first step of the deployment itself."""
    return min((step.order for step in document.steps if step.role == "deployment_steps"), default=0)


def release_items(document: Document) -> tuple[PlannedItem, ...]:
    """The boxes that are ticked once a release, whatever environment it goes to."""
    steps = [*_boxes_before(document), *_forward(document), *_boxes_at_end(document)]
    return tuple(item for step in steps for item in step.items if item.scope == "release")


def _forward(document: Document) -> list[PlannedStep]:
    steps = [step for step in document.steps if step.role in FORWARD_ROLES and applies(step)]
    live = _go_live(document, steps)
    before = [step_of(document, step, BEFORE) for step in steps if step.order <= live]
    after, offset = [], 0.0
    for step in steps:
        if step.order > live:
            offset = offset if step.offset_minutes is None else step.offset_minutes
            phase = ATTENDED if offset <= ATTENDED_MINUTES else WATCH
            after.append(replace(step_of(document, step, phase), offset_minutes=max(offset, 0.0)))
    # By their times: a share opened after two days stands above the look after a quarter of an hour.
    after.sort(key=lambda step: step.offset_minutes or 0.0)
    return [step for step in (*before, *after) if step.actions or step.items]


def _looks_first(steps: list[PlannedStep]) -> list[PlannedStep]:
    """Scripts before the first action that is known to change the service are checks: their failure undoes nothing."""
    kinds = [action.kind for step in steps for action in step.actions]
    looks = next((number for number, kind in enumerate(kinds) if kind in CHANGING), 0)
    found, seen = [], 0
    for step in steps:
        actions = []
        for action in step.actions:
            is_look = seen < looks and action.kind != "http"
            actions.append(replace(action, changes=False) if is_look else action)
            seen += 1
        found.append(replace(step, actions=tuple(actions)))
    return found


def _go_live(document: Document, steps: Iterable[Step]) -> int:
    """The order of the last step before users meet the new version: the fence's end, else the last of T-0."""
    fence_ends = [
        step.order
        for step in steps
        if step.role == "deployment_steps"
        and any(
            block.action == "maintenance" and direction_of(block.script) == "off"
            for block in runs_of(document, step)
        )
    ]
    plain = [s.order for s in steps if s.role == "deployment_steps" and (s.offset_minutes or 0) <= 0]
    return max(fence_ends or plain or [0])


def _with_copy_under_fence(steps: list[PlannedStep]) -> list[PlannedStep]:
    """Put a backup right before the first migration (else right after the code): nothing written since is lost."""
    copy = PlannedAction(
        key=COPY_UNDER_FENCE, kind="backup", title="Copy of the databases under the fence", changes=False
    )
    place = _place_of(steps, "migrate", after=False) or _place_of(steps, "code", after=True)
    if place is None:
        return steps
    index, position = place
    actions = steps[index].actions
    steps[index] = replace(steps[index], actions=(*actions[:position], copy, *actions[position:]))
    return steps


def _place_of(steps: list[PlannedStep], kind: str, *, after: bool) -> tuple[int, int] | None:
    places = [
        (i, j) for i, step in enumerate(steps) for j, each in enumerate(step.actions) if each.kind == kind
    ]
    if not places:
        return None
    index, position = places[0]
    return index, position + int(after)


# --- the rest of the plan ------------------------------------------------------------------------------


def _method(document: Document, method: RollbackMethod, hosts: Sequence[str]) -> PlannedMethod:
    orders = set(method.steps)
    own = [step for step in document.steps if step.order in orders and applies(step)]
    steps = [step_of(document, step, BEFORE) for step in own]
    # Where boxes are all there is, they are the way back.
    if any(step.actions or any(item.is_by_hand for item in step.items) for step in steps):
        steps = [_boxes_do_not_stop(step) for step in steps]
    return PlannedMethod(
        title=method.title,
        covers=method.covers,
        promised_minutes=method.promised_minutes,
        steps=expanded((step for step in steps if step.actions or step.items), hosts),
    )


def _boxes_do_not_stop(step: PlannedStep) -> PlannedStep:
    """On the way back only what is done or agreed to is waited for: a box to look at must not keep users waiting."""
    stops = [item.by == "step" or bool(item.before) or item.is_by_hand for item in step.items]
    return replace(step, items=tuple(replace(i, required=s) for i, s in zip(step.items, stops, strict=True)))


def _triggers(document: Document, limits: Iterable[PlannedLimit]) -> tuple[PlannedTrigger, ...]:
    """The reasons to go back or to look that nothing here measures: a person watches them, and pulls."""
    watched = {limit.line for limit in limits if not limit.metric}
    return tuple(
        PlannedTrigger(key=trigger.key, text=trigger.text, response=trigger.response, line=trigger.line)
        for trigger in document.triggers
        if not trigger.measured or trigger.line in watched
    )


def _limits(document: Document, metrics: Mapping[str, str]) -> tuple[PlannedLimit, ...]:
    """What is judged; the limits of a trigger that a person pulls are not."""
    by_hand = {trigger.line for trigger in document.triggers if not trigger.measured}
    return tuple(
        PlannedLimit(
            text=threshold.text,
            metric=threshold.metric
            if threshold.metric in metrics and not threshold.relative_to_baseline
            else "",
            op=threshold.op,
            value=threshold.value,
            unit=threshold.unit,
            for_minutes=threshold.for_minutes or 0.0,
            role=threshold.role,
            line=threshold.line,
        )
        for threshold in document.thresholds
        if not (threshold.role == "rollback_trigger" and threshold.line in by_hand)
    )
