"""The plan directory: whole or not at all, told apart from an edited one, and harmless whatever the names are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from remediate.audit.summary import assemble
from remediate.errors import RemediateError
from remediate.plan.planner import Choice, make_plan
from remediate.playbook.directory import check_digest, host_vars_text, read_plan, write_plan
from remediate.playbook.sums import SUMS
from remediate.values.plans import Plan
from tests.unit.values import host, pool

ROLE = "collections/ansible_collections/remediate/iis/roles/remediate"


def plan(*names: str) -> Plan:
    audit = assemble((host("web01", *(pool(name) for name in names or ("Shop",))),), "2026-01-01T00:00:00Z")
    return make_plan(audit, Choice(fix="idle-timeout"), "2026-01-01T00:00:00Z")


def test_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    written = write_plan(plan(), tmp_path / "plan")
    assert read_plan(tmp_path / "plan") == written
    check_digest(tmp_path / "plan", written)


def test_the_same_plan_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_plan(plan(), tmp_path / name)
    files = [sorted(p.relative_to(tmp_path / n) for p in (tmp_path / n).rglob("*")) for n in ("one", "two")]
    assert files[0] == files[1]
    for file in files[0]:
        if (tmp_path / "one" / file).is_file():
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(RemediateError, match="not empty"):
        write_plan(plan(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    """A disk that cannot take it: one error, and no folder."""
    blocked = tmp_path / "file"
    blocked.write_text("x")
    with pytest.raises(RemediateError, match="cannot be written"):
        write_plan(plan(), blocked / "plan")
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda d: (d / "host_vars/web01.yml").write_text("---\n"), "host_vars/web01.yml: was edited"),
        (lambda d: (d / ROLE / "tasks/main.yml").write_text("---\n"), "tasks/main.yml: was edited"),
        (lambda d: (d / ROLE / "meta/argument_specs.yml").unlink(), "argument_specs.yml: is missing"),
        (lambda d: (d / "host_vars/web01.yml").unlink(), "host_vars/web01.yml: is missing"),
        (lambda d: (d / "ansible.cfg").write_text(""), "ansible.cfg: is not part of the plan"),
        (lambda d: (d / "plan.json").write_bytes((d / "plan.json").read_bytes() + b"\n"), "plan.json: was edited"),
        (lambda d: (d / SUMS).unlink(), "SHA256SUMS: cannot be read"),
    ],
)
def test_an_edited_plan_is_refused_by_name(tmp_path: Path, spoil: Callable[[Path], object], named: str) -> None:
    folder = tmp_path / "plan"
    write_plan(plan(), folder)
    spoil(folder)
    with pytest.raises(RemediateError, match=named):
        check_digest(folder, read_plan(folder))


def test_runs_and_caches_do_not_count(tmp_path: Path) -> None:
    folder = tmp_path / "plan"
    written = write_plan(plan(), folder)
    caches = "callback_plugins/__pycache__"
    for name in ("runs/x/file", f"{caches}/x.cpython-311.pyc", f"{caches}/x.cpython-311.pyc.140123"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    check_digest(folder, written)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": "remediate.audit"}', '{"format": "remediate.plan", "format_version": 2}']
)
def test_what_is_no_plan_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(RemediateError) as refused:
        read_plan(tmp_path)
    assert "\n" not in str(refused.value)


class _Loader(yaml.SafeLoader):
    """As Ansible loads: what stands behind ``!unsafe`` is resolved once more, quoted or not."""


def _unsafe(loader: _Loader, node: yaml.ScalarNode) -> object:
    resolve: Any = loader.resolve  # it has no types
    tag = resolve(yaml.ScalarNode, node.value, (True, False))
    return ("unsafe", loader.construct_object(yaml.ScalarNode(tag, node.value)))


_Loader.add_constructor("!unsafe", _unsafe)


@given(st.one_of(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.from_regex(r"[0-9._:+x~-]{1,9}")))
@example("007")
@example("null")
@example("~")
@example("yes")
@example("2001-01-01")
@example("=")
@example("<<")
def test_every_name_stays_that_text(name: str) -> None:
    """Whatever a server calls its pool, Ansible gets that text, and sees no template in it."""
    change = msgspec.structs.replace(plan("Shop").changes[0], pool=name)
    loaded = yaml.load(host_vars_text([change]), Loader=_Loader)["remediate_changes"][0]["pool"]  # noqa: S506  # a SafeLoader
    assert loaded == ("unsafe", name) or (loaded == name and "{" not in name and "#" not in name)
