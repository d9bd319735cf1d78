"""The collection's modules by hand, as a playbook of somebody else would use them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Site, remediate, run

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.parametrize("auth", ["ntlm"])


def module(site: Site, name: str, arguments: dict[str, Any], *options: str) -> Any:
    """The module's result, by plain `ansible`, with its word whether it failed."""
    ansible = Path(sys.prefix) / "bin" / "ansible"
    given = ("-a", json.dumps(arguments)) if arguments else ()
    done = run(
        ansible, "-i", site.inventory, "all", "-m", f"remediate.iis.{name}", *given, *options,
        ANSIBLE_COLLECTIONS_PATH=str(ROOT / "playbooks" / "collections"),
    )  # fmt: skip
    word, _, result = done.stdout.partition(" => ")
    return json.loads(result) | {"failed": "FAILED" in word}


def change(**others: Any) -> dict[str, Any]:
    return {"pool": "Contoso Shop", "attribute": "processModel.idleTimeout", "expect": "00:20:00"} | others


def test_info_reads_what_an_audit_reads(site: Site) -> None:
    info = module(site, "app_pool_info", {}, "--check")["inspection"]
    (host,) = json.loads(remediate("audit", "-i", site.inventory, "--format", "json").stdout)["hosts"]
    assert info["machine"] == host["machine"] == f"{site.name.upper()}.lab.example"
    assert [pool["name"] for pool in info["pools"]] == [pool["name"] for pool in host["pools"]]
    for mine, theirs in zip(info["pools"], host["pools"], strict=True):
        for name, value in mine["attributes"].items():
            assert value == {key: theirs["attributes"][name][key] for key in ("value", "source")}


def test_what_means_nothing_is_refused(site: Site) -> None:
    """A bare 20 would be 20 days for .NET; a change says what it sets, or that it clears."""
    before = site.config.read_bytes()
    for wrong, said in (
        (change(set="20"), "write [d.]hh:mm:ss"),
        (change(set="00:00:00", expect="20m"), "write [d.]hh:mm:ss"),
        (change(), "either 'set' or 'clear: true'"),
        (change(set="00:00:00", clear=True), "either 'set' or 'clear: true'"),
        (change(set="00:00:00", given={"startMode": "Sometimes"}), "'Sometimes' is not a value of startMode"),
    ):
        result = module(site, "app_pool_settings", {"changes": [wrong]})
        assert result["failed"], wrong
        assert said in result["msg"]
    assert site.config.read_bytes() == before


def test_one_stale_change_and_nothing_is_written(site: Site) -> None:
    before = site.config.read_bytes()
    good, bad = change(set="00:00:00"), change(set="00:00:00", pool="Nobody")
    result = module(site, "app_pool_settings", {"changes": [good, bad]})
    assert (result["stale"], result["changed"]) == (True, False)
    assert [c["state"] for c in result["changes"]] == ["pending", "stale"]
    assert site.config.read_bytes() == before


def test_clearing_twice_is_safe(site: Site) -> None:
    """Whatever the API says of inheritance: what does not stand in the file is cleared already."""
    site.knobs(inherited_from_defaults="false")
    site.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="00:07:00" />')
    defaults = site.config.read_bytes()
    module(site, "app_pool_settings", {"changes": [change(expect="00:07:00", set="00:00:00")]})
    clear = change(expect="00:00:00", clear=True, inherits="00:07:00")
    assert module(site, "app_pool_settings", {"changes": [clear]})["changed"] is True
    assert site.config.read_bytes() == defaults
    assert module(site, "app_pool_settings", {"changes": [clear]})["changed"] is False
    wrong = module(site, "app_pool_settings", {"changes": [change(expect="00:07:00", set="00:00:00")]})
    assert wrong["changed"] is True
    stale = module(site, "app_pool_settings", {"changes": [clear | {"inherits": "00:30:00"}]})
    assert (stale["stale"], stale["changes"][0]["detail"]) == (True, "clearing it would give 00:07:00, not 00:30:00")


def test_five_backups_are_kept(site: Site) -> None:
    """The oldest go, but only those that a run of ours made."""
    root = site.windows / "System32/inetsrv/backup"
    for name in ("remediate-golden", "mine"):
        (root / name).mkdir(parents=True)
    for number in range(7):
        wanted, expected = ("00:00:00", "00:20:00") if number % 2 == 0 else ("00:20:00", "00:00:00")
        arguments = {"changes": [change(set=wanted, expect=expected)], "backup": f"remediate-20260101T00000{number}Z"}
        assert module(site, "app_pool_settings", arguments)["backup"] == arguments["backup"]
    kept = sorted(path.name for path in root.iterdir())
    assert kept == ["mine", *(f"remediate-20260101T00000{number}Z" for number in range(2, 7)), "remediate-golden"]
