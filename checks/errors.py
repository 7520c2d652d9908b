"""What can go wrong in checks, a sentence each."""


class ChecksError(Exception):
    """Base of all errors of this app; its text is one line for a person."""


class ConditionError(ChecksError):
    """A condition or look-up that cannot be read."""


class MissingField(ChecksError):
    """A look-up that finds nothing in the facts."""


class UnitError(ChecksError):
    """Two units that cannot be converted into each other, or an unknown one."""


class Unreachable(ChecksError):
    """A source that did not answer, or not in bounds; names it and the cause."""


class QueryError(ChecksError):
    """A database that answered, but refused the statement."""


class UnknownKind(ChecksError):
    """A kind of probe that is not in the table."""


class UnknownVariable(ChecksError):
    """A `$NAME` that the environment does not set."""
