"""Plan -> plan directory: what plain ansible-playbook runs, and the digest that guards it against accident."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from remediate.model import Change, Plan, RemediateError, encode
from remediate.plan.planner import plannable
from remediate.playbook.shipped import playbooks
from remediate.saved import load

SUMS = "SHA256SUMS"
_TEMPLATE = Path(__file__).with_name("plan_playbook.yml")
# Runs are added to a plan; and Python leaves its caches beside the plugins that it loads.
_NOT_SUMMED = frozenset({"runs", "__pycache__", SUMS})


class _Unsafe(str):
    """Text from a server or a person: Ansible must not see a template in it."""


class _Dumper(yaml.SafeDumper):
    """Indents lists as ansible-lint wants them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002  # PyYAML's signature
        return super().increase_indent(flow, indentless=False)


def _represent(dumper: yaml.SafeDumper, text: _Unsafe) -> yaml.ScalarNode:
    """Tagged, but for texts that YAML would read as something else than text, like ``007`` or ``null``.

    Ansible resolves what it finds behind ``!unsafe`` once more, quoted or not (ansible-core 2.19 to 2.22), and would
    look for the pool 7. Such a text is quoted only; a number, a date, a truth value or null is no template.
    """
    resolve: Any = dumper.resolve  # it has no types
    read_as = resolve(yaml.ScalarNode, str(text), (True, False))
    tag = "!unsafe" if read_as == yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG else "tag:yaml.org,2002:str"
    return dumper.represent_scalar(tag, str(text), style='"')


_Dumper.add_representer(_Unsafe, _represent)


def write_plan(plan: Plan, out: Path) -> Plan:
    """Write the directory, whole or not at all; returns the plan with its digest.

    Refuses a folder that is there and not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RemediateError(f"{out}: is there already and not empty; name a new folder with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {error.strerror or error}") from error
    try:
        _fill(plan, building)
        digest = _digest(building)
        plan = msgspec.structs.replace(plan, digest=digest)
        (building / "plan.json").write_bytes(encode(plan))
        (building / SUMS).write_text("".join(f"{h}  {p}\n" for p, h in _hashes(building).items()), encoding="utf-8")
        building.chmod(0o755)
        building.rename(out)
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {error.strerror or error}") from error
    except UnicodeError as error:
        raise RemediateError(f"{out}: a name in the plan cannot be written as UTF-8: {error}") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return plan


def read_plan(folder: Path) -> Plan:
    """The plan of a plan directory or plan.json, its digest unchecked; RemediateError for what is not one."""
    return load(folder / "plan.json" if folder.is_dir() else folder, Plan)


def check_digest(folder: Path, plan: Plan) -> None:
    """RemediateError that names the file which was edited, added or taken away. Against accident, not malice."""
    try:
        listed = {}
        for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
            digest, _, path = line.partition("  ")
            listed[path] = digest
        there = _hashes(folder)
    except (OSError, UnicodeDecodeError) as error:
        raise RemediateError(f"{folder}: {SUMS} cannot be read ({error}); make the plan again") from error
    for path in sorted(listed.keys() | there.keys()):
        if listed.get(path) != there.get(path):
            what = "is missing" if path not in there else "was added" if path not in listed else "was edited"
            raise RemediateError(f"{folder / path}: {what} after the plan was made; make the plan again")
    if plan.digest != _digest(folder):
        raise RemediateError(f"{folder / 'plan.json'}: is not the plan of this folder; make the plan again")


def _fill(plan: Plan, folder: Path) -> None:
    hosts = sorted({change.host for change in plan.changes})
    for host in hosts:
        if not plannable(host):
            raise RemediateError(
                f"{host!r} cannot be the name of a planned host; was the file that it came from edited?"
            )
    source = playbooks()
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(source / "collections", folder / "collections", ignore=caches)
    shutil.copytree(source / "callback_plugins", folder / "callback_plugins", ignore=caches)
    names = "[" + ", ".join(f"'{host}'" for host in hosts) + "]"
    # A plan without changes is a playbook that runs and does nothing; Ansible refuses an empty list of hosts.
    text = _TEMPLATE.read_text(encoding="utf-8").replace("@HOSTS@", names)
    text = text.replace("@PATTERN@", names if hosts else "all:!all")
    (folder / "playbook.yml").write_text(text, encoding="utf-8")
    (folder / "host_vars").mkdir()
    for host in hosts:
        text = host_vars_text([change for change in plan.changes if change.host == host])
        (folder / "host_vars" / f"{host}.yml").write_text(text, encoding="utf-8")


def host_vars_text(changes: list[Change]) -> str:
    """One host's changes as YAML for Ansible."""
    data = _host_vars(changes)
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000, explicit_start=True)


def _host_vars(changes: list[Change]) -> dict[str, Any]:
    """The module's arguments. Scalars alone are tagged: a tagged list of mappings would load as ``[{}]``."""
    return {
        "remediate_machine": _Unsafe(changes[0].machine),
        "remediate_changes": [
            {
                **({"scope": "defaults"} if change.scope == "defaults" else {"pool": _Unsafe(change.pool)}),
                "attribute": change.attribute,
                "expect": _Unsafe(change.expect),
                **({"given": {name: _Unsafe(value) for name, value in change.given.items()}} if change.given else {}),
                **({"clear": True} if change.set is None else {"set": _Unsafe(change.set)}),
                **({} if change.inherits is None else {"inherits": _Unsafe(change.inherits)}),
            }
            for change in changes
        ],
    }


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - _NOT_SUMMED)
        # A link to a folder would be read by Ansible, and is no folder of the plan's: it counts as a file.
        links = [name for name in folders if Path(root, name).is_symlink()]
        yield from (Path(root, name) for name in sorted([*files, *links]) if name not in _NOT_SUMMED)


def _hashes(folder: Path) -> dict[str, str]:
    """Relative path -> SHA-256, sorted, of every file but runs/ and the sums themselves."""
    found = {path.relative_to(folder).as_posix(): _hash(path) for path in _files(folder)}
    return dict(sorted(found.items()))


def _hash(path: Path) -> str:
    data = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
    return hashlib.sha256(data).hexdigest()


def _digest(folder: Path) -> str:
    """SHA-256 over the sorted paths and hashes of every file but runs/, the sums, and plan.json that carries it."""
    lines = "".join(f"{digest}  {path}\n" for path, digest in _hashes(folder).items() if path != "plan.json")
    return hashlib.sha256(lines.encode()).hexdigest()
