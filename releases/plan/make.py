"""From a runbook's document and the facts of an environment to a plan; pure, so what is shown is what is run."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from releases.plan.model import (
    ATTENDED,
    ATTENDED_MINUTES,
    BEFORE,
    BY_HAND,
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
from releases.runbooks.document import (
    AUTO,
    CONFIRM,
    GUIDE,
    RUNNABLE,
    SKIP,
    Block,
    Document,
    Item,
    RollbackMethod,
    Step,
)
from releases.runbooks.filling import filled, left
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import first_command, is_by_hand, matters
from releases.runbooks.typed import direction_of
from releases.statuses import RollbackClass

FORWARD_ROLES = ("deployment_steps", "post_deployment")
BOX_ROLES = ("pre_deployment", "communications", "success_criteria", "signoff")
# A typed action touches the service; these only look.
LOOKING = ("sql", "http", "preflight", "backup", "logs", "ping", "inspect")
# These leave everything as it is, so nobody has to agree to them.
HARMLESS = ("sql", "logs", "ping", "inspect")
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
    hosts: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    is_protected: bool = False
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
        steps=tuple(steps),
        limits=limits,
        methods=methods,
        triggers=_triggers(document, limits),
        trigger_rule=document.trigger_rule,
        variables=dict(facts.variables),
        problems=tuple(_problems(document, facts, kind, methods)),
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
                    plan,
                    direction="back",
                    steps=method.steps,
                    limits=(),
                    methods=(),
                    triggers=(),
                    problems=(),
                    notes=(),
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
    shown = [s for s in steps if s.role in BOX_ROLES and document.items_of(s.order) and _applies(s)]
    return [_step(document, step, phase, runs=False) for step in shown]


def _first_order(document: Document) -> int:
    """The order of the first step of the deployment itself."""
    return min((step.order for step in document.steps if step.role == "deployment_steps"), default=0)


def release_items(document: Document) -> tuple[PlannedItem, ...]:
    """The boxes that are ticked once a release, whatever environment it goes to."""
    steps = [*_boxes_before(document), *_forward(document), *_boxes_at_end(document)]
    return tuple(item for step in steps for item in step.items if item.scope == "release")


def _forward(document: Document) -> list[PlannedStep]:
    steps = [step for step in document.steps if step.role in FORWARD_ROLES and _applies(step)]
    live = _go_live(document, steps)
    before = [_step(document, step, BEFORE) for step in steps if step.order <= live]
    after, offset = [], 0.0
    for step in steps:
        if step.order > live:
            offset = offset if step.offset_minutes is None else step.offset_minutes
            phase = ATTENDED if offset <= ATTENDED_MINUTES else WATCH
            after.append(replace(_step(document, step, phase), offset_minutes=max(offset, 0.0)))
    # By their times: a share opened after two days stands above the look after a quarter of an hour.
    after.sort(key=lambda step: step.offset_minutes or 0.0)
    return [step for step in (*before, *after) if step.actions or step.items]


def _applies(step: Step) -> bool:
    return step.automation != SKIP


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
    """A step as far as it is automated: its actions, or boxes for a person who does them by hand."""
    by_machine = runs and step.automation in (CONFIRM, AUTO)
    blocks = _runs(document, step) if by_machine else []
    actions = _actions(document, step, blocks, phase)
    by_hand = _by_hand(document, step) if runs and not actions else []
    asked = [_agreement(action, step) for action in actions if _needs_agreement(action, step)]
    boxes = [_item(item, has_actions=bool(blocks)) for item in document.items_of(step.order)]
    ways = _ways_by_hand(document, step) if runs else []
    return PlannedStep(
        key=f"step-{step.order}",
        title=step.heading,
        phase=phase,
        offset_minutes=step.offset_minutes,
        actions=actions,
        items=tuple(sorted([*asked, *by_hand, *ways, *boxes], key=lambda item: item.line)),
        automation=step.automation if runs else AUTO,
    )


def _runs(document: Document, step: Step) -> list[Block]:
    return [block for block in document.blocks_of(step.order) if block.kind in RUNNABLE]


def _actions(
    document: Document, step: Step, blocks: Iterable[Block], phase: str
) -> tuple[PlannedAction, ...]:
    """The step's commands in the order of their lines, those in boxes that a reviewer turned on among them."""
    inline = [_action_of_item(item, phase) for item in document.items_of(step.order) if item.runs]
    found = [*(_action(block, phase) for block in blocks), *inline]
    return tuple(sorted(found, key=lambda action: action.line))


def _action(block: Block, phase: str) -> PlannedAction:
    kind = block.kind if block.kind != "shell" else block.action or "shell"
    text = filled(block.script, block.holes, kind=block.kind)
    return PlannedAction(
        key=block.key,
        kind=kind,
        title=block.attributes.get("name") or first_command(block.script),
        text=text,
        line=block.line,
        changes=phase == BEFORE and kind not in LOOKING,
        expects=block.expects or "",
        options=_options(block, kind),
    )


def _options(block: Block, kind: str) -> dict[str, str]:
    options = dict(block.attributes)
    if kind == "maintenance":
        options["state"] = direction_of(block.script)
    if block.host:
        options["host"] = block.host
    if block.http and kind == "http":
        request = block.http
        options |= {
            "method": request.method,
            "url": filled(request.url, block.holes, kind="http"),
            "headers": json.dumps(
                [[name, filled(value, block.holes, kind="http")] for name, value in request.headers]
            ),
            "body": filled(request.body, block.holes, kind="http"),
        }
    return options


def _action_of_item(item: Item, phase: str) -> PlannedAction:
    kind = item.action or "shell"
    return PlannedAction(
        key=_inline_key(item),
        kind=kind,
        title=first_command(item.command),
        text=item.command,
        line=item.line,
        changes=phase == BEFORE and kind not in LOOKING,
        options={"state": direction_of(item.command)} if kind == "maintenance" else {},
    )


def _inline_key(item: Item) -> str:
    return f"{item.key}-run"


def _needs_agreement(action: PlannedAction, step: Step) -> bool:
    if action.options.get("confirm") == "true":
        return True
    is_read = action.kind == "http" and action.options.get("method", "GET") in ("GET", "HEAD")
    return step.automation != AUTO and action.kind not in HARMLESS and not is_read


def _agreement(action: PlannedAction, step: Step) -> PlannedItem:
    """The box that an action waits for: the command is shown, one key runs it."""
    return PlannedItem(
        key=f"{action.key}-ask",
        text=f"Run: {action.title}",
        by="confirm",
        heading=step.heading,
        line=action.line,
        before=action.key,
        command=action.text,
    )


def _by_hand(document: Document, step: Step) -> list[PlannedItem]:
    """A box for each command of a step that a person does, one for a deployment step that is told in words alone."""
    commands = [
        PlannedItem(
            key=f"{block.key}{BY_HAND}",
            text=f"Done by hand: {first_command(block.script)}",
            by="person",
            heading=step.heading,
            line=block.line,
            command=block.script,
        )
        for block in _runs(document, step)
    ]
    words_alone = step.role == "deployment_steps" and not document.items_of(step.order)
    if commands or not words_alone or _ways_by_hand(document, step):
        return commands
    told = f"Done by hand: {step.heading}"
    key = f"{step.key}{BY_HAND}"
    return [PlannedItem(key=key, text=told, by="person", heading=step.heading, line=step.line)]


def _ways_by_hand(document: Document, step: Step) -> list[PlannedItem]:
    """A box for each picked way that has no command of its own ("or in the provider's panel")."""
    found = []
    for choice in document.choices:
        option = next((each for each in choice.options if each.key == choice.picked), None)
        if option and _holder(document, choice.line) == step.order and is_by_hand(document, option):
            found.append(
                PlannedItem(
                    key=f"{choice.key}{BY_HAND}",
                    text=f"Done by hand: {option.label}",
                    by="person",
                    heading=step.heading,
                    line=option.line,
                )
            )
    return found


def _holder(document: Document, line: int) -> int:
    """The order of the step that a line stands in: the last that begins at or above it."""
    return max((step.order for step in document.steps if step.line <= line), default=0)


def _item(item: Item, *, has_actions: bool) -> PlannedItem:
    """A box that its step should tick needs a step that does something; else a person must."""
    by = "step" if item.runs else item.by
    return PlannedItem(
        key=item.key,
        text=item.text,
        by="person" if by == "step" and not (has_actions or item.runs) else by,
        by_name=_inline_key(item) if item.runs else item.by_name,
        scope="deployment" if item.runs else item.scope,
        required=item.required,
        claimed=item.checked,
        heading=item.heading,
        line=item.line,
        command=item.command,
        choice=item.choice,
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
    own = [step for step in document.steps if step.order in orders and _applies(step)]
    steps = [_step(document, step, BEFORE) for step in own]
    # Where boxes are all there is, they are the way back.
    if any(step.actions or any(item.is_by_hand for item in step.items) for step in steps):
        steps = [_boxes_do_not_stop(step) for step in steps]
    return PlannedMethod(
        title=method.title,
        covers=method.covers,
        promised_minutes=method.promised_minutes,
        steps=tuple(step for step in steps if step.actions or step.items),
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


def _problems(
    document: Document, facts: Facts, kind: RollbackClass, methods: tuple[PlannedMethod, ...]
) -> list[str]:
    found = [f"line {problem.line}: {problem.message}. {problem.hint}" for problem in document.errors]
    found += [f"line {matter.line}: nobody decided yet: {matter.text}" for matter in matters(document)]
    unreachable = (
        problem for problem in document.problems if problem.id == "no-contact" and facts.is_protected
    )
    found += [f"line {each.line}: {each.message}. {each.hint}" for each in unreachable]
    found += [problem for block in _run_by_machine(document) for problem in _lacks(block, facts)]
    if not any(_holds_something(document, step) for step in document.steps_of("deployment_steps")):
        found.append(
            "no deployment step of the runbook runs anything, so nothing would be deployed. "
            "Name the stage 'Deployment steps' and give it commands"
        )
    covered = {method.covers for method in methods if method.steps}
    needed = set(COVERS[COVERS.index(kind) :]) if kind in COVERS else set()
    if needed and not covered & needed:
        found.append(
            f"the way back takes {kind}, and no rollback method of the runbook covers it. "
            "Add a method with its commands below the rollback procedure"
        )
    return found


def _holds_something(document: Document, step: Step) -> bool:
    return _applies(step) and bool(_by_hand(document, step) or _ways_by_hand(document, step))


def _run_by_machine(document: Document) -> list[Block]:
    steps = [step for step in document.steps if step.role in (*FORWARD_ROLES, "rollback_procedure")]
    return [block for s in steps if s.automation in (CONFIRM, AUTO) for block in _runs(document, s)]


def _lacks(block: Block, facts: Facts) -> list[str]:
    """What the environment does not have and a command needs."""
    known = GIVEN | facts.variables.keys()
    found = [
        f"line {hole.line}: '{hole.words}' is filled by the variable {hole.variable}, which "
        f"{facts.environment} does not have"
        for hole in block.holes
        if hole.variable not in known
    ]
    unsafe = left(filled(block.script, block.holes, kind=block.kind), block.holes, kind=block.kind)
    found += [
        f"line {block.line}: '{words}' stands where a value could be run as code; write the variable into the runbook"
        for words in unsafe
    ]
    if block.host and block.host not in facts.hosts:
        found.append(
            f"line {block.line}: it runs on {block.host}, and {facts.environment} declares no such host"
        )
    probe = block.attributes.get("probe", "")
    if probe and probe not in facts.probes:
        found.append(f"line {block.line}: {facts.environment} has no probe '{probe}'")
    return found


def _notes(document: Document, facts: Facts) -> list[str]:
    found = [f"changes the schema: {path}" for path in facts.schema_changes]
    found += [
        f"line {step.line}: '{step.heading}' does not apply"
        for step in document.steps
        if step.automation == SKIP and step.role in (*FORWARD_ROLES, "rollback_procedure")
    ]
    asking = [
        s for s in document.steps if s.role == "rollback_procedure" and s.automation in (GUIDE, CONFIRM)
    ]
    if any(_runs(document, step) for step in asking):
        found.append("the way back waits for a person: steps of it are not raised to auto")
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
