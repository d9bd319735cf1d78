"""applicationHost.config files at hand -> reports, with no server and no network.

A folder stands for every file below it that is an applicationHost.config by its content, whatever its name. What is
passed over is said, and a file that could not be read is a failure: it might have been one.
"""

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from remediate.bounded import Unreadable, read_file
from remediate.errors import RemediateError
from remediate.iis.config import Config, redirection
from remediate.iis.inspection import one_line
from remediate.iis.schema import ConfigError, Version
from remediate.values.fleet import Failed, HostReport, Inspection

_NAME = "applicationhost.config"
_REDIRECTION = "redirection.config"
# They lie beside it on a server, and are no configuration of pools.
_OTHERS = ("administration.config", _REDIRECTION)
# Real ones have a few megabytes at most.
_MOST_BYTES = 64 * 1024 * 1024
_POOLS = re.compile(rb"<(?:system\.applicationHost|applicationPools)[\s>/]", re.IGNORECASE)
_SHOWN = 5

Note = Callable[[str], None]


def read_configs(paths: Iterable[Path], version: Version, note: Note) -> tuple[HostReport, ...]:
    """One report for each file, in the order of the paths and their names.

    A broken file is that file's failure. ``note`` is given a line for what a person should know: what was passed over,
    a file that IIS does not read. RemediateError for a path that is not there, or where no file is left to read.
    """
    files = dict.fromkeys(file for path in paths for file in _files(path, note))
    if not files:
        raise RemediateError("--config: no applicationHost.config is among these files")
    # Each folder is looked through once: it may hold thousands of backups.
    beside = cache(_redirection_in)
    return tuple(_report(file, version, note, beside) for file in files)


def _files(path: Path, note: Note) -> list[Path]:
    if not os.path.lexists(path):
        raise RemediateError(f"{path}: there is no such file or folder")
    if not path.is_dir():
        if path.name.lower() not in _OTHERS:
            return [path]
        note(f"{path}: passed over, it holds no application pools")
        return []
    found: list[Path] = []
    others: list[Path] = []
    for file in sorted(_below(path)):
        (found if _may_hold_pools(file) else others).append(file)
    if others:
        names = ", ".join(str(file.relative_to(path)) for file in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        note(f"{path}: passed over, not an applicationHost.config: {names}{more}")
    if not found:
        raise RemediateError(f"{path}: no applicationHost.config is in that folder or below it")
    return found


def _below(folder: Path) -> Iterator[Path]:
    """All files, the folders that cannot be opened, and links to folders: these may lead in a circle."""
    closed: list[Path] = []
    for root, folders, names in os.walk(folder, onerror=lambda error: closed.append(Path(error.filename))):
        yield from (Path(root, name) for name in names)
        yield from (path for name in folders if (path := Path(root, name)).is_symlink())
    yield from closed


def _may_hold_pools(file: Path) -> bool:
    """Whether it is an applicationHost.config by its name or its content, or could not be read and so might be."""
    if file.name.lower() in _OTHERS:
        return False
    try:
        if file.is_dir():
            return not file.is_symlink()
        if file.name.lower() == _NAME or not stat.S_ISREG(file.stat().st_mode):
            return file.name.lower() == _NAME
        with file.open("rb") as stream:
            if _letters(stream.read(256)).lstrip()[:1] != b"<":
                return False
            stream.seek(0)
            return _POOLS.search(_letters(stream.read(_MOST_BYTES))) is not None
    except OSError:
        return True


def _letters(data: bytes) -> bytes:
    """The ASCII of a text in UTF-8 or UTF-16, without a byte-order mark."""
    return re.sub(rb"\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)", b"", data).replace(b"\0", b"")


def _read(file: Path) -> bytes:
    """The whole file; Unreadable for what is no regular file or too large to be a configuration."""
    try:
        if file.is_dir():
            raise Unreadable("the folder cannot be opened")
        return read_file(file, _MOST_BYTES)
    except OSError as error:
        raise Unreadable(error.strerror or str(error)) from error


def _report(file: Path, version: Version, note: Note, beside: Callable[[Path], Path | None]) -> HostReport:
    name = str(file)
    try:
        config = Config(_read(file), version)
        if not config.has_pools:
            return Failed(
                name, "it has no system.applicationHost/applicationPools: check that it is an applicationHost.config"
            )
        shared = _redirected(beside(file.parent))
        report = Inspection(
            host=name,
            file=name,
            machine="",
            iis_version=f"{version[0]}.{version[1]}",
            appinit_module=config.preloads,
            shared_config=shared,
            defaults=config.defaults(),
            pools=tuple(config.pools()),
        )
    except (ConfigError, ValueError, Unreadable) as error:
        return Failed(name, one_line(str(error)))
    if shared is not None:
        note(f"{file}: IIS does not read this file: {_REDIRECTION} beside it names the configuration in {shared}")
    return report


def _redirection_in(folder: Path) -> Path | None:
    try:
        return min((file for file in folder.iterdir() if file.name.lower() == _REDIRECTION), default=None)
    except OSError:
        return None


def _redirected(beside: Path | None) -> str | None:
    """The folder that this redirection.config names, or None; ConfigError for a broken one."""
    try:
        return None if beside is None else redirection(_read(beside))
    except (ConfigError, Unreadable) as error:
        name = "" if beside is None else beside.name
        raise ConfigError(f"{name} beside it: {error}") from error
