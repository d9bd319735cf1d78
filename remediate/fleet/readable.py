"""What Ansible is about to read for us: refused where reading it would not end, since Ansible itself would wait."""

import os
from collections.abc import Iterator
from pathlib import Path

from remediate.bounded import why_not
from remediate.errors import RemediateError
from remediate.values.fleet import Inventory

# No inventory and no file of variables is so large.
_MOST = 256 * 2**20
_VARIABLES = ("group_vars", "host_vars")


def check_readable(inventory: Inventory) -> None:
    """RemediateError that names a device, a pipe or a far too large file among what the options and -i name."""
    for source in inventory.sources:
        if "," not in source:
            for path in _below(Path(source)):
                _check(path, f"inventory {str(path)!r}")
    for option in inventory.extra_vars:
        if option.startswith("@"):
            _check(Path(option[1:]), f"-e {option}")
    # Of these a pipe is what many use: the secret comes from another program.
    for label in inventory.vault_ids:
        _check(Path(label.rpartition("@")[2]), f"the vault's password file {label.rpartition('@')[2]}", pipes=True)
    if inventory.password_file is not None:
        _check(Path(inventory.password_file), "--connection-password-file", pipes=True)


def _below(source: Path) -> Iterator[Path]:
    """The file; or all of a folder that Ansible reads; and the variables beside it."""
    yield source
    tops = [source] if source.is_dir() else [source.parent / name for name in _VARIABLES]
    for top in tops:
        for here, _, names in os.walk(top):
            yield from (Path(here, name) for name in names)


def _check(path: Path, what: str, *, pipes: bool = False) -> None:
    try:
        reason = why_not(path, _MOST)
    except (OSError, ValueError):
        return  # what cannot be looked at is Ansible's to report
    if reason is not None and not (pipes and path.is_fifo()):
        raise RemediateError(f"{what}: {reason}; give another")
