"""What is named is read or refused; what a folder or a pattern holds beside it is passed over, with a note."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from remediate.errors import RemediateError
from remediate.logs.files import LogFile

T = TypeVar("T")


class OtherLog(RemediateError):
    """A file that is something else than what it was given for: ``what`` it is, and what to do."""

    def __init__(self, name: str, what: str, advice: str) -> None:
        super().__init__(f"{name}: {what}{advice}")
        self.name, self.what = name, what


class Passed(Struct, frozen=True):
    """A file of a folder or a pattern that was not read, and what it is."""

    name: str
    what: str


def read_given(files: Sequence[LogFile], read: Callable[[LogFile], T], passed: list[Passed]) -> list[T]:
    """What ``read`` makes of each file. OtherLog: a file that was named is refused."""
    found: list[T] = []
    for file in files:
        try:
            found.append(read(file))
        except OtherLog as error:
            if file.named:
                raise
            passed.append(Passed(file.name, error.what))
    return found


def notes(passed: Iterable[Passed]) -> list[str]:
    """One line for each folder and kind of file."""
    together: dict[tuple[Path, str], list[str]] = defaultdict(list)
    for one in passed:
        together[Path(one.name).parent, one.what].append(one.name)
    return [
        f"{names[0]}: passed over: {what}" if len(names) == 1 else f"{folder}: passed over {len(names)} files: {what}"
        for (folder, what), names in together.items()
    ]
