"""applicationHost.config files at hand -> reports, with no server and no network."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from remediate.iis.config import APPINIT, Config
from remediate.iis.inspection import one_line
from remediate.iis.schema import ConfigError, Version
from remediate.model import Failed, HostReport, Inspection, RemediateError

NAME = "applicationhost.config"


def read_configs(paths: Iterable[Path], version: Version) -> tuple[HostReport, ...]:
    """One report for each file, in the order of their names; a folder stands for the files of that name below it.

    A broken file is that file's failure. RemediateError for a path that is not there, or a folder that holds none.
    """
    return tuple(_report(file, version) for path in paths for file in _files(path))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise RemediateError(f"{path}: there is no such file or folder")
    if not path.is_dir():
        return [path]
    found = sorted(_below(path))
    if not found:
        raise RemediateError(f"{path}: no applicationHost.config is in that folder or below it")
    return found


def _below(folder: Path) -> Iterator[Path]:
    for root, _, names in os.walk(folder):
        yield from (Path(root, name) for name in names if name.lower() == NAME)


def _report(file: Path, version: Version) -> HostReport:
    name = str(file)
    try:
        config = Config(file.read_bytes(), version)
        if not config.has_pools:
            return Failed(name, "it has no system.applicationHost/applicationPools: is that an applicationHost.config?")
        return Inspection(
            host=name,
            file=name,
            machine="",
            iis_version=f"{version[0]}.{version[1]}",
            appinit_module=APPINIT in config.modules(),
            defaults=config.defaults(),
            pools=tuple(config.pools()),
        )
    except (ConfigError, ValueError) as error:
        return Failed(name, one_line(str(error)))
    except OSError as error:
        return Failed(name, error.strerror or str(error))
