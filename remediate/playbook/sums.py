"""The sums of a plan directory: what may stand in it, and what was changed since it was written.

Against accident, not malice: who can edit the plan can edit the sums. What Ansible would load counts, whether we wrote
it or not; the rest, such as a colleague's note or a `.git`, is only reported.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Set
from pathlib import Path

from remediate.bounded import Unreadable, open_file, read_file
from remediate.errors import RemediateError

SUMS = "SHA256SUMS"
ATTRIBUTES = ".gitattributes"
# Of the plan's own folder alone: below it Ansible may load what is called so (group_vars/runs/).
_NOT_SUMMED = frozenset({"runs", "__pycache__", SUMS})
# What Python leaves beside the plugins that it loads, and Ansible never takes for a plugin or a file of variables.
_CACHED = re.compile(r".*\.pyc(\.[0-9]+)?")
# What Ansible takes from a playbook's folder (ansible/plugins/loader.py: add_all_plugin_dirs; plugins/vars/
# host_group_vars.py; playbook/role/definition.py; utils/collection_loader), or from the current one (ansible.cfg).
_LOADED = frozenset({
    "action_plugins", "ansible.cfg", "become_plugins", "cache_plugins", "callback_plugins", "cliconf_plugins",
    "collections", "connection_plugins", "doc_fragments", "filter_plugins", "group_vars", "host_vars",
    "httpapi_plugins", "inventory_plugins", "library", "lookup_plugins", "module_utils", "netconf_plugins", "roles",
    "shell_plugins", "strategy_plugins", "terminal_plugins", "test_plugins", "vars_plugins",
})  # fmt: skip
# Of a file that is read whole.
_MOST = 1 << 30
_PLAN = frozenset({"plan.json", "playbook.yml"})


def write_sums(folder: Path) -> None:
    """Sum every file of the folder, into ``SHA256SUMS``."""
    lines = "".join(f"{digest}  {path}\n" for path, digest in _hashes(folder, _everything(folder)).items())
    (folder / SUMS).write_text(lines, encoding="utf-8")


def digest_of(folder: Path) -> str:
    """The digest of all files of the folder but plan.json, which carries it."""
    return _digest(_hashes(folder, _everything(folder)))


def check_sums(folder: Path, digest: str) -> tuple[str, ...]:
    """The names of what else stands in the folder, which Ansible does not load. ``digest`` is plan.json's.

    RemediateError that names the file which was edited or taken away, or added where Ansible would load it.
    """
    try:
        listed = _listed(folder)
        names = _LOADED | _PLAN | {path.partition("/")[0] for path in listed}
        there = _hashes(folder, {name for name in _everything(folder) if name in names or name.casefold() in _LOADED})
        foreign = {path for path in there.keys() - listed.keys() if _is_passed_over(path)}
        # A copy by `*` leaves it behind; it is git's, and no part of what runs.
        listed_there = listed if ATTRIBUTES in there else {p: h for p, h in listed.items() if p != ATTRIBUTES}
        for path in sorted((listed_there.keys() | there.keys()) - foreign):
            if listed.get(path) != there.get(path):
                raise RemediateError(f"{folder / path}: {_difference(folder / path, listed.get(path))}")
    except OSError as error:
        name = error.filename or folder / SUMS
        raise RemediateError(f"{name}: cannot be read: {error.strerror}; make the plan again") from error
    except UnicodeDecodeError as error:
        raise RemediateError(f"{folder / SUMS}: is not text in UTF-8; make the plan again") from error
    except Unreadable as error:
        raise RemediateError(f"{folder / SUMS}: {error}; make the plan again") from error
    if digest != _digest(listed):
        raise RemediateError(f"{folder / 'plan.json'}: is not the plan of this folder; make the plan again")
    return tuple(sorted(foreign | {name for name in _everything(folder) if name not in names and name not in there}))


def _listed(folder: Path) -> dict[str, str]:
    lines = (line.partition("  ") for line in read_file(folder / SUMS, _MOST).decode().splitlines())
    return {path: digest for digest, _, path in lines}


def _is_passed_over(path: str) -> bool:
    """Whether Ansible passes over a file in the folders that it loads: hidden ones, and an editor's backups."""
    name = path.rpartition("/")[2]
    return "/" in path and (name.startswith(".") or name.endswith("~"))


def _difference(path: Path, listed: str | None) -> str:
    """What is wrong with a file whose sum is not ``listed``, and what to do."""
    if listed is None:
        return "is not part of the plan, and Ansible would load it: remove it, or make the plan again"
    if not path.exists():
        return "is missing since the plan was made; make the plan again"
    if not path.is_symlink():
        plain = read_file(path, _MOST).replace(b"\r\n", b"\n")
        if listed in (_sha256(plain), _sha256(plain.replace(b"\n", b"\r\n"))):
            return (
                "differs only in its line ends, as git leaves it with core.autocrlf: check it out again "
                "(git config core.autocrlf false), or make the plan again"
            )
    return "was edited after the plan was made; make the plan again"


def _everything(folder: Path) -> set[str]:
    return {entry.name for entry in folder.iterdir()} - _NOT_SUMMED


def _files(folder: Path, names: Set[str]) -> Iterator[Path]:
    """The files that these names of the folder stand for, and those below."""
    for root, folders, files in os.walk(folder):
        if Path(root) == folder:
            folders[:], files = [f for f in folders if f in names], [f for f in files if f in names]
        folders.sort()
        if Path(root).name == "__pycache__":
            files = [f for f in files if not _CACHED.fullmatch(f)]
        # A link to a folder would be read by Ansible, and is no folder of the plan's: it counts as a file.
        links = [name for name in folders if Path(root, name).is_symlink()]
        yield from (Path(root, name) for name in sorted([*files, *links]))


def _hashes(folder: Path, names: Set[str]) -> dict[str, str]:
    """Relative path -> SHA-256, sorted, of the files under these names."""
    found = {path.relative_to(folder).as_posix(): _hash(path) for path in _files(folder, names)}
    return dict(sorted(found.items()))


def _hash(path: Path) -> str:
    if path.is_symlink():
        return _sha256(str(path.readlink()).encode())
    try:
        with open_file(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except Unreadable as error:
        raise RemediateError(f"{path}: {error}; remove it") from error


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(hashes: dict[str, str]) -> str:
    """SHA-256 over the sorted paths and hashes of every file but plan.json."""
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(hashes.items()) if path != "plan.json")
    return _sha256(lines.encode())
