"""A script of the author's: the exit code is the answer."""

from releases.actions.base import Action


class Shell(Action):
    """Runs the block as it stands; also the kinds that need no look afterwards (migrate, drain, cache)."""
