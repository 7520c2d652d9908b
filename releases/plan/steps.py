"""One step of a document as one step of the plan: its actions, or the boxes of a person who does them by hand; pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from releases.plan.model import ASK, BEFORE, BY_HAND, PlannedAction, PlannedItem, PlannedStep
from releases.runbooks.document import AUTO, CONFIRM, RUNNABLE, SKIP, Block, Document, Item, Step
from releases.runbooks.filling import filled
from releases.runbooks.review import first_command, is_by_hand
from releases.runbooks.script import SHELLS
from releases.runbooks.steps import holder
from releases.runbooks.typed import direction_of

# Where a person does what Gantry cannot run.
DONE = ("deployment_steps", "rollback_procedure")
# A typed action touches the service; these only look.
LOOKING = ("sql", "preflight", "backup", "logs", "ping", "inspect")
WRITES = "sql-writes"  # queries run read-only, so what changes something is a person's
# These leave everything as it is, so nobody has to agree to them.
HARMLESS = ("sql", "logs", "ping", "inspect")


def step_of(document: Document, step: Step, phase: str, *, runs: bool = True) -> PlannedStep:
    """A step as far as it is automated: its actions, or boxes for a person who does them by hand."""
    by_machine = runs and step.automation in (CONFIRM, AUTO)
    blocks = [block for block in runs_of(document, step) if by_machine and WRITES not in block.dangers]
    actions = _actions(document, step, blocks, phase)
    by_hand = [*by_hand_of(document, step, besides=blocks), *ways_by_hand(document, step)] if runs else []
    asked = [_agreement(action, step) for action in actions if _needs_agreement(action, step)]
    boxes = [_item(item, has_actions=bool(blocks)) for item in document.items_of(step.order)]
    return PlannedStep(
        key=f"step-{step.order}",
        title=step.heading,
        phase=phase,
        offset_minutes=step.offset_minutes,
        actions=actions,
        items=tuple(sorted([*asked, *_in_their_place(by_hand, actions), *boxes], key=lambda item: item.line)),
        automation=step.automation if runs else AUTO,
    )


def _in_their_place(by_hand: Iterable[PlannedItem], actions: Iterable[PlannedAction]) -> list[PlannedItem]:
    """What a person does between two commands holds the later one."""
    places = [(action.line, action.key) for action in actions]
    return [
        replace(item, before=next((key for line, key in places if line > item.line), "")) for item in by_hand
    ]


def runs_of(document: Document, step: Step) -> list[Block]:
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
    options = _options(block, kind)
    return PlannedAction(
        key=block.key,
        kind=kind,
        title=block.attributes.get("name") or first_command(block.script),
        text=text,
        line=block.line,
        changes=phase == BEFORE and kind not in LOOKING and not _only_asks(kind, options),
        expects=block.expects or "",
        is_dangerous=bool(block.dangers),
        options=options,
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
    is_read = action.kind in HARMLESS or _only_asks(action.kind, action.options)
    return step.automation != AUTO and (action.is_dangerous or not is_read)


def _only_asks(kind: str, options: Mapping[str, str]) -> bool:
    """A request that by its method changes nothing."""
    return kind == "http" and options.get("method", "GET") in ("GET", "HEAD")


def _agreement(action: PlannedAction, step: Step) -> PlannedItem:
    """The box that an action waits for: the command is shown, one key runs it; `--yes` never meets a danger."""
    return PlannedItem(
        key=f"{action.key}{ASK}",
        text=f"Run: {action.title}",
        by="person" if action.is_dangerous else "confirm",
        heading=step.heading,
        line=action.line,
        before=action.key,
        command=action.text,
    )


def by_hand_of(document: Document, step: Step, *, besides: Sequence[Block] = ()) -> list[PlannedItem]:
    """A box for each command that a person runs, one for a deployment step that is told in words alone."""
    if _is_words_alone(document, step):
        key, told = f"{step.key}{BY_HAND}", f"Done by hand: {step.heading}"
        return [PlannedItem(key=key, text=told, by="person", heading=step.heading, line=step.line)]
    return [
        PlannedItem(
            key=f"{block.key}{BY_HAND}",
            text=f"Done by hand: {first_command(block.script)}",
            by="person",
            heading=step.heading,
            line=block.line,
            command=block.script,
        )
        for block in document.blocks_of(step.order)
        if is_done(block) and block not in besides
    ]


def is_done(block: Block) -> bool:
    """Is it for somebody to do: a command, or in a step a program that Gantry does not run?"""
    return block.kind in RUNNABLE or (block.role in DONE and is_program(block))


def is_program(block: Block) -> bool:
    """A fence in a language of which Gantry runs none: PowerShell, cmd, Python, mongo …"""
    is_told = bool(block.language) and block.language not in SHELLS
    return block.kind == "snippet" and is_told and bool(block.text.strip())


def _is_words_alone(document: Document, step: Step) -> bool:
    done = any(is_done(block) for block in document.blocks_of(step.order))
    has_content = document.items_of(step.order) or done or ways_by_hand(document, step)
    return step.role == "deployment_steps" and not has_content


def ways_by_hand(document: Document, step: Step) -> list[PlannedItem]:
    """A box for each picked way that has no command of its own ("or in the provider's panel")."""
    found = []
    for choice in document.choices:
        option = next((each for each in choice.options if each.key == choice.picked), None)
        if option and holder(document.steps, choice.line) == step.order and is_by_hand(document, option):
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


def applies(step: Step) -> bool:
    """Was the step not put aside at review?"""
    return step.automation != SKIP
