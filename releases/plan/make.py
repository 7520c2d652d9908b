"""From a runbook's document and the facts of an environment to a plan; pure, so what is shown is what is run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

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
)
from releases.runbooks.commands import direction_of
from releases.runbooks.document import Block, Document, Item, RollbackMethod, Step
from releases.statuses import RollbackClass

FORWARD_ROLES = ("deployment_steps", "post_deployment")
BOX_ROLES = ("pre_deployment", "communications", "success_criteria", "signoff")
# A typed action touches the service; these only look.
LOOKING = ("sql", "preflight", "backup")
CHANGING = ("cache", "code", "drain", "features", "maintenance", "migrate", "restart", "restore")
COPY_UNDER_FENCE = "copy-under-fence"
COVERS = (RollbackClass.FLAGS, RollbackClass.CODE, RollbackClass.RESTORE)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the planner must know of the world: who runs where now, and what changes between the two commits."""

    service: str
    environment: str
    version: str
    commit: str
    previous_version: str
    previous_commit: str
    revision: str
    schema_changes: tuple[str, ...] = ()
    databases: tuple[str, ...] = ()
    metrics: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    time_scale: int = 1


def make_plan(document: Document, facts: Facts) -> Plan:
    """The forward plan: pre-flight, the document's steps, a copy under the fence where the schema changes."""
    steps = [
        _preflight(),
        *_boxes_before(document),
        *_looks_first(_forward(document)),
        *_boxes_at_end(document),
    ]
    kind = rollback_class(facts)
    if kind == RollbackClass.RESTORE:
        steps = _with_copy_under_fence(steps)
    methods = tuple(_method(document, method) for method in document.rollback_methods)
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
        steps=tuple(steps),
        limits=_limits(document, facts.metrics),
        methods=methods,
        variables=dict(facts.variables),
        problems=tuple(_problems(document, kind, methods)),
        notes=tuple(_notes(document, facts)),
    )


def rollback_class(facts: Facts) -> RollbackClass:
    """What going back will take: flags when the code stays, code when the schema stays, else the copy."""
    if facts.commit == facts.previous_commit:
        return RollbackClass.FLAGS
    if not facts.schema_changes:
        return RollbackClass.CODE
    return RollbackClass.RESTORE if facts.databases else RollbackClass.FORWARD_ONLY


def make_way_back(plan: Plan, *, covers: str) -> Plan | None:
    """The plan that takes `plan` back: its smallest method that covers the class; None when there is none."""
    needed = COVERS[COVERS.index(RollbackClass(covers)) :] if covers in COVERS else ()
    for kind in needed:
        for method in plan.methods:
            if method.covers == kind:
                return replace(
                    plan, direction="back", steps=method.steps, limits=(), methods=(), problems=(), notes=()
                )
    return None


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
    shown = [step for step in steps if step.role in BOX_ROLES and document.items_of(step.order)]
    return [_step(document, step, phase, runs=False) for step in shown]


def _first_order(document: Document) -> int:
    """The order of the first step of the deployment itself."""
    return min((step.order for step in document.steps if step.role == "deployment_steps"), default=0)


def release_items(document: Document) -> tuple[PlannedItem, ...]:
    """The boxes that are ticked once a release, whatever environment it goes to."""
    steps = [*_boxes_before(document), *_forward(document), *_boxes_at_end(document)]
    return tuple(item for step in steps for item in step.items if item.scope == "release")


def _forward(document: Document) -> list[PlannedStep]:
    steps = [step for step in document.steps if step.role in FORWARD_ROLES]
    live = _go_live(document, steps)
    planned, offset = [], 0.0
    for step in steps:
        if step.order <= live:
            planned.append(_step(document, step, BEFORE))
            continue
        offset = max(offset, step.offset_minutes or 0.0)
        phase = ATTENDED if offset <= ATTENDED_MINUTES else WATCH
        planned.append(replace(_step(document, step, phase), offset_minutes=offset))
    return [step for step in planned if step.actions or step.items]


def _looks_first(steps: list[PlannedStep]) -> list[PlannedStep]:
    """Scripts before the first action that is known to change the service are checks: their failure undoes nothing."""
    kinds = [action.kind for step in steps for action in step.actions]
    looks = next((number for number, kind in enumerate(kinds) if kind in CHANGING), 0)
    found, seen = [], 0
    for step in steps:
        actions = []
        for action in step.actions:
            actions.append(replace(action, changes=False) if seen < looks else action)
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
            for block in _runs(document, step)
        )
    ]
    plain = [s.order for s in steps if s.role == "deployment_steps" and (s.offset_minutes or 0) <= 0]
    return max(fence_ends or plain or [0])


def _step(document: Document, step: Step, phase: str, *, runs: bool = True) -> PlannedStep:
    actions = tuple(_action(block, phase) for block in _runs(document, step)) if runs else ()
    return PlannedStep(
        key=f"step-{step.order}",
        title=step.heading,
        phase=phase,
        offset_minutes=step.offset_minutes,
        actions=actions,
        items=tuple(_item(item, has_actions=bool(actions)) for item in document.items_of(step.order)),
    )


def _runs(document: Document, step: Step) -> list[Block]:
    return [block for block in document.blocks_of(step.order) if block.kind in ("shell", "sql")]


def _action(block: Block, phase: str) -> PlannedAction:
    kind = "sql" if block.kind == "sql" else block.action or "shell"
    options = dict(block.attributes)
    if kind == "maintenance":
        options["state"] = direction_of(block.script)
    return PlannedAction(
        key=block.key,
        kind=kind,
        title=block.attributes.get("name") or _first_line(block.script),
        text=block.script,
        line=block.line,
        changes=phase == BEFORE and kind not in LOOKING,
        expects=block.expects or "",
        options=options,
    )


def _first_line(script: str) -> str:
    lines = [line.strip() for line in script.splitlines() if line.strip()]
    commands = [line for line in lines if not line.startswith(("#", "--"))]
    return (commands or lines or [""])[0][:80]


def _item(item: Item, *, has_actions: bool) -> PlannedItem:
    """A box that its step should tick needs a step that does something; else a person must."""
    return PlannedItem(
        key=item.key,
        text=item.text,
        by="person" if item.by == "step" and not has_actions else item.by,
        by_name=item.by_name,
        scope=item.scope,
        required=item.required,
        claimed=item.checked,
        heading=item.heading,
        line=item.line,
    )


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


def _method(document: Document, method: RollbackMethod) -> PlannedMethod:
    orders = set(method.steps)
    steps = tuple(
        replace(step, items=tuple(replace(item, required=item.by == "step") for item in step.items))
        for step in (_step(document, each, BEFORE) for each in document.steps if each.order in orders)
    )
    return PlannedMethod(
        title=method.title,
        covers=method.covers,
        promised_minutes=method.promised_minutes,
        steps=tuple(step for step in steps if step.actions or step.items),
    )


def _limits(document: Document, metrics: Mapping[str, str]) -> tuple[PlannedLimit, ...]:
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
    )


def _problems(document: Document, kind: RollbackClass, methods: tuple[PlannedMethod, ...]) -> list[str]:
    found = [f"line {problem.line}: {problem.message}. {problem.hint}" for problem in document.errors]
    if not any(_runs(document, step) for step in document.steps_of("deployment_steps")):
        found.append(
            "no deployment step of the runbook runs anything, so nothing would be deployed. "
            "Name the stage 'Deployment steps' and give it commands"
        )
    covered = {method.covers for method in methods if any(step.actions for step in method.steps)}
    needed = set(COVERS[COVERS.index(kind) :]) if kind in COVERS else set()
    if needed and not covered & needed:
        found.append(
            f"the way back takes {kind}, and no rollback method of the runbook covers it. "
            "Add a method with its commands below the rollback procedure"
        )
    return found


def _notes(document: Document, facts: Facts) -> list[str]:
    found = [f"changes the schema: {path}" for path in facts.schema_changes]
    for threshold in document.thresholds:
        if threshold.role != "rollback_trigger":
            continue
        if threshold.relative_to_baseline:
            found.append(
                f"line {threshold.line}: a person watches '{threshold.text}': it compares with a baseline"
            )
        elif threshold.metric not in facts.metrics:
            found.append(
                f"line {threshold.line}: a person watches '{threshold.text}': no probe reads {threshold.metric}"
            )
    return found
