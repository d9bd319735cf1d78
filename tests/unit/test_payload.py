"""Ansible's module payload, taken apart: one captured from each release, and any junk."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.collection import collection
from remediate_lab.emulated.payload import NotAPayload, decode

CASES = sorted((Path(__file__).parents[1] / "cases" / "payloads").glob("*.bin"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_each_release(case: Path) -> None:
    payload = decode(case.read_bytes())
    assert payload.module == "ansible.legacy.t1.ps1"
    assert b"[Ansible.Basic.AnsibleModule]::Create" in payload.scripts[payload.module]
    assert payload.arguments["n"] == "{{ 1+1 }} Ünï"
    assert payload.arguments["l"] == [{"pool": "{{x}}", "given": {"a.b": "1"}}]
    assert (payload.arguments["_ansible_check_mode"], payload.arguments["_ansible_diff"]) == (True, True)


def test_there_is_a_case_of_each() -> None:
    assert len(CASES) == 3


@given(st.binary(max_size=300), st.sampled_from(CASES), st.integers(0, 3000))
def test_junk_is_refused(junk: bytes, case: Path, cut: int) -> None:
    """Cut and spoiled anywhere: a payload, or NotAPayload, and nothing else."""
    whole = case.read_bytes()
    for data in (junk, whole[:cut], whole[:cut] + junk + whole[cut + len(junk) :]):
        try:
            decode(data)
        except NotAPayload:
            continue


def test_the_modules_ask_for_every_utility_that_is_shipped() -> None:
    """Ansible sends the files that a module names, and no others: app_pool_settings has a function of each but one."""
    plugins = collection() / "plugins"
    asked = {
        module: set(
            re.findall(
                r"(?m)^#AnsibleRequires -PowerShell \.\.module_utils\.(\w+)$",
                (plugins / "modules" / f"{module}.ps1").read_text(),
            )
        )
        for module in ("app_pool_info", "app_pool_settings")
    }
    shipped = {path.stem for path in plugins.glob("module_utils/*.psm1")}
    assert asked == {"app_pool_info": {"IisRead", "IisEvents"}, "app_pool_settings": shipped - {"IisEvents"}}
