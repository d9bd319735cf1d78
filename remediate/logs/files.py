"""Which files a user means, in the order in which they were written: of each rotated set, the oldest first.

An argument is a file, `-` for standard input, a folder, or a pattern. Of a folder, and of those
below it, what looks like a log is read. ELMAH's `error-*.xml` in one folder are one log.
"""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import date
from glob import has_magic
from pathlib import Path

from msgspec import Struct

from remediate.bounded import why_not
from remediate.errors import RemediateError

_LOG_LIKE = re.compile(r"\.(log|txt|xml|json|jsonl|clef|ndjson|evtx)([._-]?\d[\d._-]*)?(\.gz)?$", re.I)
_ELMAH = re.compile(r"error-.*\.xml$", re.I)
_DATE = re.compile(r"[-_.]?(20\d\d)[-_.]?([01]\d)[-_.]?([0-3]\d)(?:[-_T]?(\d\d){1,3})?(?!\d)")
# app.log.2 is older than app.log.1, and app.log is the newest.
_BEHIND = re.compile(r"(\.[A-Za-z]+)[._-](\d{1,6})$")
# app_002.log is newer than app_001.log, and app.log is the oldest: it was full first.
_INSIDE = re.compile(r"[._-](\d{1,6})(\.[A-Za-z]+)$")
_STDIN = "-"
# Of one folder, with all that is below it.
_MOST = 20_000


class LogFile(Struct, frozen=True):
    """One log, of one file or of several parts; of standard input where there are no paths.

    ``named``: an argument names it; else a folder or a pattern holds it.
    """

    name: str
    paths: tuple[Path, ...]
    named: bool = True

    @property
    def once(self) -> bool:
        """Whether it can be read once only: it is a pipe."""
        return not self.paths or any(not path.is_file() for path in self.paths)


def find_files(arguments: Sequence[str]) -> tuple[LogFile, ...]:
    """The logs, each once however often it is named. RemediateError: an argument means no file."""
    found: list[Path] = []
    named: set[Path] = set()
    stdin = False
    for argument in arguments:
        if argument == _STDIN:
            stdin = True
        else:
            meant = _meant(argument)
            found += meant
            if meant == [Path(argument)]:
                named.add(meant[0])
    logs = [*_joined(_once(found), named)]
    return (*logs, LogFile("standard input", ())) if stdin else tuple(logs)


def _meant(argument: str) -> list[Path]:
    path = Path(argument)
    if not argument:
        raise RemediateError("an empty name is no log; give a file, a folder, a pattern or -")
    try:
        if path.is_dir():
            inside = _below(path)
            if not inside:
                raise RemediateError(f"{argument}: no log in this folder; name the files")
            return sorted(inside, key=_age)
        if path.exists():
            reason = why_not(path)
            if reason is not None:
                raise RemediateError(f"{argument}: {reason}; give a file, a folder, a pattern or -")
            return [path]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a file"
        raise RemediateError(f"{argument}: cannot be read: {why}") from error
    if not has_magic(argument):
        raise RemediateError(f"{argument}: no such file")
    try:
        matches = [match for match in Path(path.anchor).glob(str(path.relative_to(path.anchor))) if match.is_file()]
    except ValueError as error:
        raise RemediateError(f"{argument}: no pattern: ** stands alone between two slashes") from error
    if not matches:
        raise RemediateError(f"{argument}: no file matches this pattern")
    return sorted(matches, key=_age)


def _below(folder: Path) -> list[Path]:
    """What looks like a log in a folder and in those below it; links to folders are not followed."""

    def refuse(error: OSError) -> None:
        raise RemediateError(f"{error.filename}: cannot be read: {error.strerror}") from error

    found: list[Path] = []
    for here, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [path for name in names if _looks_like_a_log(path := Path(here, name))]
        if len(found) > _MOST:
            raise RemediateError(f"{folder}: more than {_MOST:,} logs in this folder; name fewer, or a pattern")
    return found


def _looks_like_a_log(path: Path) -> bool:
    return not path.name.startswith(".") and _LOG_LIKE.search(path.name) is not None and path.is_file()


def _age(path: Path) -> tuple[str, str, date, int, int, str]:
    """What sorts the files of a set from the oldest to the newest."""
    name = re.sub(r"\.gz$", "", path.name, flags=re.I)
    day = date.max
    if match := _DATE.search(name):
        try:
            day = date(int(match[1]), int(match[2]), int(match[3]))
            name = name[: match.start()] + name[match.end() :]
        except ValueError:
            pass
    behind, inside = _BEHIND.search(name), _INSIDE.search(name)
    if behind:
        name = name[: behind.end(1)]
    elif inside:
        name = name[: inside.start()] + inside[2]
    number = int(inside[1]) if inside and not behind else 0
    return str(path.parent), name.casefold(), day, -int(behind[2]) if behind else 0, number, path.name


def _once(paths: Iterable[Path]) -> list[Path]:
    """Without those that are another name of a file before them."""
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError as error:
            raise RemediateError(f"{path}: cannot be read: {error.strerror}") from error
        seen.setdefault((status.st_dev, status.st_ino), path)
    return list(seen.values())


def _joined(paths: list[Path], named: set[Path]) -> Iterable[LogFile]:
    """Files of ELMAH that lie together are one log, where the first of them was."""
    together: dict[Path, list[Path]] = {}
    for path in paths:
        together.setdefault(path.parent if _ELMAH.match(path.name) else path, []).append(path)
    for place, parts in together.items():
        if len(parts) == 1:
            yield LogFile(str(parts[0]), (parts[0],), parts[0] in named)
        else:
            yield LogFile(str(place / "error-*.xml"), tuple(parts), not named.isdisjoint(parts))
