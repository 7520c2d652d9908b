"""What holds a plan, and what people should know before they approve it; pure."""

from collections.abc import Iterator

from releases.plan import hosts
from releases.plan.facts import Facts
from releases.plan.model import PlannedMethod
from releases.plan.steps import applies, by_hand_of, runs_of, ways_by_hand
from releases.plan.ways import COVERS
from releases.runbooks.document import AUTO, CONFIRM, GUIDE, SKIP, Block, Document, Step
from releases.runbooks.filling import filled, left
from releases.runbooks.placeholders import GIVEN
from releases.runbooks.review import matters
from releases.statuses import RollbackClass

FORWARD_ROLES = ("deployment_steps", "post_deployment")
# Kinds whose block does not run where it says: Gantry does the work itself, or asks a database.
DONE_HERE = ("backup", "http", "restore", "sql")


def problems(
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
    return applies(step) and bool(by_hand_of(document, step) or ways_by_hand(document, step))


def _run_by_machine(document: Document) -> list[Block]:
    steps = [step for step in document.steps if step.role in (*FORWARD_ROLES, "rollback_procedure")]
    return [block for s in steps if s.automation in (CONFIRM, AUTO) for block in runs_of(document, s)]


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
    asked = (block.attributes.get(name, "") for name in ("probe", hosts.HEALTH))
    found += [
        f"line {block.line}: {facts.environment} has no probe '{probe}'"
        for probe in asked
        if probe and probe not in facts.probes
    ]
    return found + [f"line {block.line}: {fault}" for fault in _out_of_place(block, facts)]


def _out_of_place(block: Block, facts: Facts) -> Iterator[str]:
    """What keeps a block from the hosts that it names."""
    words = block.attributes.get(hosts.HOSTS, "")
    one = block.host or block.attributes.get(hosts.HOST, "")
    names, missing = hosts.named(words, facts.hosts)
    unknown = missing if words else [one] if one and one not in facts.hosts else []
    there = ", ".join(facts.hosts) or "none"
    for word in unknown:
        yield f"it runs on {word}, and {facts.environment} declares no such host (it has: {there})"
    kind = block.kind if block.kind != "shell" else block.action or "shell"
    if (words or block.attributes.get(hosts.HOST)) and kind in DONE_HERE:
        yield f"it names a host, and what is '{kind}' is done by Gantry from here"
    is_rolling = hosts.is_rolling(block.attributes.get(hosts.BATCH, ""), len(names))
    if is_rolling and not (facts.has_health or block.attributes.get(hosts.HEALTH)):
        yield (
            f"nobody could tell between two batches whether {facts.service} is well: "
            "give it ready = '/PATH' below [service.health], or the fence health=PROBE"
        )


def notes(document: Document, facts: Facts) -> list[str]:
    found = [f"changes the schema: {path}" for path in facts.schema_changes]
    found += [
        f"line {step.line}: '{step.heading}' does not apply"
        for step in document.steps
        if step.automation == SKIP and step.role in (*FORWARD_ROLES, "rollback_procedure")
    ]
    asking = [
        s for s in document.steps if s.role == "rollback_procedure" and s.automation in (GUIDE, CONFIRM)
    ]
    if any(runs_of(document, step) for step in asking):
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
