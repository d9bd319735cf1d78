"""The error that ends a command with one line."""


class RemediateError(Exception):
    """Our own trouble, or the user's: one line that says what, where, and what to do. Exit 1."""


class IncompleteError(RemediateError):
    """Hosts that were asked for are not known here, or cannot be reached; nothing was done. Exit 3."""


class StaleError(RemediateError):
    """All hosts that were asked for changed since the plan; nothing was done. Exit 4."""
