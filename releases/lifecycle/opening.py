"""The hours in which an environment may be deployed to."""

from datetime import datetime

from checks import windows
from checks.models import Environment
from releases.errors import GantryError, Held


def obstacle(environment: Environment, at: datetime) -> GantryError | None:
    """What is said when a deployment would begin outside the environment's window; None when it may, or has none."""
    if not environment.window:
        return None
    window = windows.parse(environment.window)
    if window.allows(at):
        return None
    opens = window.next(at)
    return Held(
        f"{environment} is open for deployments {environment.window}, and not at "
        f"{at.astimezone(opens.tzinfo):%a %d %b %H:%M %Z}; it opens {opens:%a %d %b %Y %H:%M %Z}: start it then"
    )
