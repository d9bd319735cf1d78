"""What a file has lost: it is said beside what could be read of it."""


class Damaged(Exception):
    """A part of the stream is missing, as the words say; it is raised at the end, after all that is good."""
