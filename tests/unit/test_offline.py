"""audit --config: the same rules on files at hand, with line numbers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import remediate

CONFIG = """<?xml version="1.0"?>
<configuration><system.applicationHost>
 <applicationPools>
  <add name="Old" />
  <add name="Shop"
       startMode="AlwaysRunning" />
  <applicationPoolDefaults managedRuntimeVersion="v4.0">
   <processModel idleTimeout="00:07:00" />
  </applicationPoolDefaults>
 </applicationPools>
 <sites><site name="S" id="1"><application path="/" applicationPool="shop" preloadEnabled="true" /></site></sites>
</system.applicationHost></configuration>
"""


def audit(*arguments: str | Path, expect: int) -> Any:
    return json.loads(remediate("audit", *arguments, "--format", "json", expect=expect).stdout)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_finding_has_its_lines(tmp_path: Path, encoding: str, newline: str) -> None:
    file = tmp_path / "web01.config"
    file.write_bytes(CONFIG.replace("\n", newline).encode(encoding))
    seen = audit("--config", file, expect=2)
    (finding,) = seen["findings"]
    assert (finding["host"], finding["pool"]) == (str(file), "Shop")
    assert finding["reasons"][0] == "AlwaysRunning (line 6) with an idle time-out of 00:07:00 (line 8)"
    (host,) = seen["hosts"]
    assert host["file"] == str(file)
    values = {pool["name"]: pool["attributes"] for pool in host["pools"]}
    assert values["Shop"]["startMode"] == {"value": "AlwaysRunning", "source": "pool", "line": 6}
    assert values["Old"]["processModel.idleTimeout"] == {"value": "00:07:00", "source": "defaults", "line": 8}
    assert values["Old"]["startMode"] == {"value": "OnDemand", "source": "schema", "line": None}


def test_a_folder_and_a_broken_file(tmp_path: Path) -> None:
    """Every file below it; broken XML is that file's failure, with line and column."""
    for name, text in (("a", CONFIG), ("b", CONFIG.replace("</sites>", "")), ("c", "")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "applicationHost.config").write_text(text)
    seen = audit("--config", tmp_path, expect=3)
    assert [host["status"] for host in seen["hosts"]] == ["inspected", "failed", "failed"]
    assert seen["hosts"][1]["detail"] == "line 12, column 3: mismatched tag"
    assert len(seen["findings"]) == 1


@pytest.mark.parametrize("text", ["<html/>", "<configuration><system.web /></configuration>"])
def test_another_file_is_no_all_clear(tmp_path: Path, text: str) -> None:
    """A web.config has no pools, and so no finding: that is no answer to the question."""
    file = tmp_path / "web.config"
    file.write_text(text)
    (host,) = audit("--config", file, expect=3)["hosts"]
    assert (host["status"], "check that it is an applicationHost.config" in host["detail"]) == ("failed", True)


def test_several_files_as_a_shell_gives_them(tmp_path: Path) -> None:
    """`audit --config backups/*.config` works: what follows the first file is files too."""
    files = [tmp_path / f"web{n}.config" for n in range(3)]
    for file in files:
        file.write_text(CONFIG)
    assert [f["host"] for f in audit("--config", *files, expect=2)["findings"]] == [str(file) for file in files]


def test_the_version_decides_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "x.config"
    file.write_text(CONFIG.replace(' managedRuntimeVersion="v4.0"', ""))
    for version, runtime, has_action in (
        ("7.5", "v2.0", False),
        ("8.0", "", False),
        ("8.5", "", True),
        ("10.0", "", True),
    ):
        (host,) = audit("--config", file, "--iis-version", version, expect=2)["hosts"]
        attributes = host["pools"][0]["attributes"]
        assert attributes["managedRuntimeVersion"]["value"] == runtime
        assert ("processModel.idleTimeoutAction" in attributes) is has_action


def test_a_file_cannot_be_planned(tmp_path: Path) -> None:
    """Nobody knows which machine it is of."""
    (tmp_path / "x.config").write_text(CONFIG)
    remediate("audit", "--config", tmp_path / "x.config", "--save", tmp_path / "audit.json", expect=2)
    plan = ("plan", "--from", tmp_path / "audit.json", "--fix", "on-demand", "--out", tmp_path / "plan")
    said = remediate(*plan, expect=0).stdout
    assert "undecided" in said and "read from a file" in said


def test_what_is_not_there(tmp_path: Path) -> None:
    assert remediate("audit", "--config", tmp_path / "x", expect=1).stderr.count("\n") == 1
    assert "no applicationHost.config" in remediate("audit", "--config", tmp_path, expect=1).stderr
    remediate("audit", "--config", tmp_path, "-i", tmp_path, expect=64)
