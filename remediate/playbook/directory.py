"""Plan -> plan directory: what plain ansible-playbook runs, and the digest that guards it against accident."""

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import yaml

from remediate.collection import playbooks
from remediate.errors import RemediateError
from remediate.plan.groups import plannable
from remediate.playbook.sums import ATTRIBUTES, check_sums, digest_of, write_sums
from remediate.saved import encode, load
from remediate.values.plans import Change, Plan

# See glob in Python's library.
_PATTERN = re.compile(r"[\[*?]")
_TEMPLATE = Path(__file__).with_name("plan_playbook.yml")


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


def check_path(folder: Path) -> None:
    """RemediateError where ansible-playbook cannot run a plan at that path, whatever stands there."""
    for path in map(str, (folder.absolute(), folder.resolve())):
        found = _PATTERN.search(path)
        if found is not None:
            what = f"Ansible looks for plugins by patterns, and {found[0]} in a folder's name is part of one"
            raise RemediateError(f"{folder}: {what}; use another folder for the plan")
        if os.path.expandvars(path) != path:
            what = "Ansible reads a $NAME in it as an environment variable"
            raise RemediateError(f"{folder}: {what}; use another folder for the plan")


def check_free(out: Path) -> None:
    """RemediateError where no plan can be written at ``out``: it is in use, or nothing can be made or run there."""
    check_path(out)
    try:
        if out.exists() and not out.is_dir():
            raise RemediateError(f"{out}: is not a folder; name a new folder with --out")
        if out.exists() and any(out.iterdir()):
            raise RemediateError(f"{out}: exists already and is not empty; name a new folder with --out")
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {_why(error)}") from error
    above = next(parent for parent in (*out.absolute().parents,) if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK | os.X_OK):
        what = "is not writable" if above.is_dir() else "is not a folder"
        raise RemediateError(f"{out}: cannot be written: {above} {what}; name another folder with --out")


def _why(error: OSError) -> str:
    """In a few words: shutil has a list of files, each with the text of its error."""
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        found = re.search(r"\[Errno (\d+)\]", str(error.args[0][0]))
        return os.strerror(int(found[1])) if found else "its files cannot be copied"
    return error.strerror or "it cannot be reached"


def write_plan(plan: Plan, out: Path) -> Plan:
    """Write the directory, whole or not at all; returns the plan with its digest.

    Refuses a folder that is there and not empty.
    """
    check_free(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {_why(error)}") from error
    try:
        msgspec.json.encode(plan)  # a name that cannot be written is not spelled in another way: it would be another
        _fill(plan, building)
        plan = msgspec.structs.replace(plan, digest=digest_of(building))
        (building / "plan.json").write_bytes(encode(plan))
        write_sums(building)
        building.chmod(0o755)
        building.rename(out)
    except OSError as error:
        raise RemediateError(f"{out}: cannot be written: {_why(error)}") from error
    except UnicodeError as error:
        raise RemediateError(f"{out}: a name in the plan cannot be written as UTF-8; was the audit edited?") from error
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return plan


def read_plan(folder: Path) -> Plan:
    """The plan of a plan directory or plan.json, its digest unchecked; RemediateError for what is not one."""
    return load(folder / "plan.json" if folder.is_dir() else folder, Plan)


def open_plan(folder: Path) -> tuple[Plan, tuple[str, ...]]:
    """A plan to be run, and the names of what else stands in its folder, which Ansible does not load.

    RemediateError where it is not a whole plan directory, was edited, or ansible-playbook cannot run it there.
    """
    if not folder.is_dir():
        raise RemediateError(f"{folder}: is not a folder; give the one that `remediate plan --out` wrote")
    check_path(folder)
    plan = read_plan(folder)
    return plan, check_digest(folder, plan)


def check_digest(folder: Path, plan: Plan) -> tuple[str, ...]:
    """The names of what else stands in the folder, which Ansible does not load; see sums.py."""
    return check_sums(folder, plan.digest)


def _fill(plan: Plan, folder: Path) -> None:
    hosts = sorted({change.host for change in plan.changes})
    for host in hosts:
        if not plannable(host):
            raise RemediateError(
                f"{host!r} cannot be the name of a planned host; was the file that it came from edited?"
            )
    # The sums hold byte by byte: git must not convert line ends, whatever core.autocrlf says.
    (folder / ATTRIBUTES).write_text("* -text\n", encoding="utf-8")
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
        text = host_vars_text([change for change in plan.changes if change.host == host], plan.undoes)
        (folder / "host_vars" / f"{host}.yml").write_text(text, encoding="utf-8")


def host_vars_text(changes: list[Change], undoes: str | None = None) -> str:
    """One host's changes as YAML for Ansible."""
    data = _host_vars(changes) | ({} if undoes is None else {"remediate_undoes": _Unsafe(undoes)})
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
