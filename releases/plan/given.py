"""The variables that a plan itself gives to its commands; pure."""

from datetime import datetime

from releases.plan.model import Plan


def of_release(plan: Plan, begun: datetime | None = None) -> dict[str, str]:
    """What is to come, what ran before and, once it has begun, when; a way back carries the date of what it undoes."""
    dates = {
        "DEPLOYMENT_DATE": begun.strftime("%Y%m%d"),
        "DEPLOYMENT_TIME": begun.strftime("%Y%m%d_%H%M%S"),
    } if begun else {}  # fmt: skip
    return {
        "RELEASE_VERSION": plan.version,
        "RELEASE_COMMIT": plan.commit,
        "PREVIOUS_VERSION": plan.previous_version,
        "PREVIOUS_COMMIT": plan.previous_commit,
        **dates,
    }
