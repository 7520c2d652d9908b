"""The ways back of a plan; pure."""

from dataclasses import replace

from releases.plan.model import Plan
from releases.statuses import RollbackClass

COVERS = (RollbackClass.FLAGS, RollbackClass.CODE, RollbackClass.RESTORE)
COPY_UNDER_FENCE = (
    "copy-under-fence"  # the key of the action that makes a copy right before the first migration
)


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
