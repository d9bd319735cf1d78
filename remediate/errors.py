"""The error that ends a command with one line."""


class RemediateError(Exception):
    """Our own trouble, or the user's: one line that says what, where, and what to do. Exit 1."""
