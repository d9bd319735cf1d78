"""Hosts that cannot be inspected, all at once: each is one line of the report, and the others are done."""

import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Site, Up, remediate


@pytest.mark.parametrize("engine", ["emulated", pytest.param("pwsh", marks=pytest.mark.pwsh)])
def test_each_trouble_is_a_line(request: pytest.FixtureRequest, take: Callable[[str, str], Site], engine: str) -> None:
    if engine == "pwsh":
        request.getfixturevalue("pwsh_path")
    sites = {
        name: take(engine, "ntlm")
        for name in ("well", "password", "port", "no-iis", "no-api", "constrained", "broken", "silent", "nameless")
    }
    hosts = {
        name: json.loads((site.folder / f"{site.name}.json").read_text())[site.name] for name, site in sites.items()
    }
    variables = yaml.safe_load(sites["well"].inventory.read_text())["iis"]["vars"]
    hosts["password"]["ansible_password"] = "canary-wrong"
    hosts["port"]["ansible_port"] = 1
    hosts["nameless"]["ansible_user"] = "{{ nobody_said_who }}"
    sites["no-iis"].knobs(iis_version="none")
    sites["no-api"].knobs(management_tools="absent")
    for name in ("no-iis", "no-api"):
        (sites[name].windows / "System32/inetsrv/Microsoft.Web.Administration.dll").unlink(missing_ok=True)
    sites["constrained"].knobs(language_mode="ConstrainedLanguage")
    sites["broken"].config.write_text("<configuration>\n<system.applicationHost>")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hosts["silent"] |= {"ansible_host": "127.0.0.1", "ansible_port": silent.getsockname()[1]}
        inventory = sites["well"].folder / "troubles.yml"
        inventory.write_text(yaml.safe_dump({"iis": {"vars": variables, "hosts": hosts}}))
        done = remediate("audit", "-i", inventory, "--timeout", "20", "--format", "json", expect=3)
    reports = {host["host"]: (host["status"], host["detail"]) for host in json.loads(done.stdout)["hosts"]}
    assert {name: status for name, (status, _) in reports.items()} == {
        "well": "inspected", "password": "unreachable", "port": "unreachable", "no-iis": "inspected",
        "no-api": "failed", "constrained": "failed", "broken": "failed", "silent": "unreachable", "nameless": "failed",
    }  # fmt: skip
    for name, said in (
        ("password", "was refused: wrong user or password"),
        ("port", "refused the connection"),
        ("no-iis", "IIS is not installed"),
        ("no-api", "Install the Windows feature Web-Scripting-Tools."),
        ("constrained", "PowerShell runs there in ConstrainedLanguage mode"),
        ("silent", "did not answer in time"),
        ("nameless", "nobody_said_who"),
    ):
        assert said in reports[name][1]
    lines = done.stderr.splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(reports), "one line each"
    assert "canary-wrong" not in done.stdout + done.stderr
    table = remediate("show", save(sites["well"], done.stdout), expect=0).stdout
    assert [name for name in reports if name not in ("well", "no-iis") and name not in table] == []


def save(site: Site, text: str) -> str:
    path = site.folder / "audit.json"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize(("off", "said"), [(-600, "10 min behind ours"), (30, None), (7200, "2 h ahead of ours")])
def test_a_clock_that_is_off_is_a_warning(up: Up, tmp_path: Path, off: int, said: str | None) -> None:
    """Shown with the host's line, where its Windows is too, and kept; not what an inspection's own time explains."""
    state = up("--from-configs", PLAIN, "--servers", "1", "--auth", "basic")
    inventory = state / "inventory" / "hosts.yml"
    clock = datetime.now(UTC) + timedelta(seconds=off)
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({
        "format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0",
        "windows_version": "10.0.20348", "clock": clock.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }))  # fmt: skip
    (name,) = yaml.safe_load(inventory.read_text())["iis"]["hosts"]
    write_knobs(state / "servers" / name / "Windows", answer=str(answer))
    done = remediate("audit", "-i", inventory, "--format", "json", expect=0)
    warning = json.loads(done.stdout)["hosts"][0]["warning"]
    assert f"{name}: inspected, 0 pools, Windows 10.0.20348" in done.stderr
    if said is None:
        assert warning is None and "clock" not in done.stderr
    else:
        assert f"its clock is {said}" in warning and warning in done.stderr
