"""What can go wrong in `releases`, each with the exit code that a caller of the command line sees."""


class GantryError(Exception):
    """Base: one line that names the thing and the way out."""

    exit_code = 1


class WrongUsage(GantryError):
    """An unknown name, a missing file, a wrong value."""

    exit_code = 2


class WaitsForPerson(GantryError):
    """Somebody has to decide or to tick first."""

    exit_code = 3


class Held(GantryError):
    """Another deployment, a lock or an open incident holds the environment."""

    exit_code = 5


class NotAllowed(GantryError):
    """This user may not do that here, or did not prove who it is."""

    exit_code = 2


class LeaseLost(GantryError):
    """Another worker owns the deployment now; this one must not act any more."""

    exit_code = 5


class StaleState(GantryError):
    """The row was not in a status from which this change is allowed."""

    exit_code = 5


class LeftInTheMiddle(GantryError):
    """A run cannot be carried on for a reason that is not its own; nobody decided anything about it."""

    exit_code = 6
