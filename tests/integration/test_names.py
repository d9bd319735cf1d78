"""Whatever pools are called, and however the file is written: both engines see the same, and change just that."""

import json
import re
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest

from tests.conftest import Site, on_pwsh, remediate

# Legal for IIS's configuration API, and a trap for a template engine, a shell, YAML or a log.
NASTY = (
    "{{ inventory_hostname }}", "{% raw %}", "$(calc)", "a'b`n", "%PATH%", "Ünï", "yes", "007", "- x", "#x",
    "!unsafe x", "${jndi}", "a  b", "名前", "null", "~", "{}",
)  # fmt: skip


def configuration(pools: str, defaults: str = "") -> str:
    applications = "".join(f'<application path="/{n}" applicationPool={quoteattr(p)} />' for n, p in enumerate(NASTY))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<configuration><system.applicationHost>\n<applicationPools>\n'
        f"{pools}\n{defaults}</applicationPools>\n"
        f'<sites><site name="S" id="1">{applications}</site></sites>\n'
        "</system.applicationHost>\n<system.webServer><globalModules /></system.webServer></configuration>\n"
    )


DEFAULTS = '<applicationPoolDefaults managedRuntimeVersion="v4.0" />\n'


@on_pwsh
@pytest.mark.parametrize("auth", ["ntlm"])
def test_nasty_names_go_all_the_way(site: Site) -> None:
    """Found, planned, tried, written and undone, in the same spelling everywhere; every other byte stays."""
    before = configuration("\n".join(f'<add name={quoteattr(n)} startMode="AlwaysRunning" />' for n in NASTY), DEFAULTS)
    site.config.write_text(before, encoding="utf-8")
    folder = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    planned = json.loads(remediate("show", folder, "--format", "json", expect=0).stdout)["changes"]
    assert sorted(change["pool"] for change in planned) == sorted(NASTY)
    shown = remediate("show", folder, expect=0).stdout.splitlines()
    assert [name for name in NASTY if f"  {name}" not in shown] == []

    dry = remediate("apply", folder, "-i", site.inventory, "--check", expect=2).stdout.splitlines()
    assert [name for name in NASTY if f"  {name}: startMode: AlwaysRunning -> OnDemand" not in dry] == []
    assert site.config.read_text(encoding="utf-8") == before

    remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    assert site.config.read_text(encoding="utf-8") == before.replace("AlwaysRunning", "OnDemand")
    (run,) = (folder / "runs").iterdir()
    changes = json.loads(remediate("show", run, "--format", "json", expect=0).stdout)["hosts"][0]["changes"]
    assert {change["pool"] for change in changes if change["verified"]} == set(NASTY)


CONFIGURATIONS = {
    "nothing set": configuration('<add name="a" />'),
    "defaults": configuration(
        '<add name="a" />\n<add name="B" startMode="ONDEMAND" />',
        '<applicationPoolDefaults startMode="alwaysrunning" managedPipelineMode="Classic">'
        '<processModel idleTimeout="1.05:00:00" idleTimeoutAction="suspend" />'
        '<recycling logEventOnRecycle="Memory, Time"><periodicRestart time="29:00:00" /></recycling>'
        "</applicationPoolDefaults>",
    ),
    "one pool, all of its own": configuration(
        '<add name="a" autoStart="false" managedRuntimeVersion="" startMode="AlwaysRunning">'
        '<processModel idleTimeout="00:00:00" logEventOnProcessModel="" identityType="NetworkService" />'
        '<recycling disallowRotationOnConfigChange="true" disallowOverlappingRotation="true" />'
        "</add>"
    ),
    "no pool at all": configuration(""),
}
ENCODINGS = {"utf-8": ("utf-8", "\n"), "BOM and CRLF": ("utf-8-sig", "\r\n"), "UTF-16": ("utf-16", "\r\n")}


def seen(site: Site) -> Any:
    audit = json.loads(remediate("audit", "-i", site.inventory, "--format", "json").stdout)
    (host,) = audit["hosts"]
    return {
        key: host.get(key) for key in ("status", "iis_version", "appinit_module", "shared_config", "defaults", "pools")
    }


@pytest.mark.pwsh
@pytest.mark.usefixtures("pwsh_path")
@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_both_engines_see_the_same(take: Callable[[str, str], Site], encoding: str) -> None:
    emulated, real = take("emulated", "ntlm"), take("pwsh", "ntlm")
    codec, newline = ENCODINGS[encoding]
    for name, text in CONFIGURATIONS.items():
        for site in (emulated, real):
            declared = text.replace('encoding="UTF-8"', 'encoding="UTF-16"') if codec == "utf-16" else text
            site.config.write_bytes(declared.replace("\n", newline).encode(codec))
        assert seen(real)["status"] == "inspected", name
        assert seen(emulated) == seen(real), name


@pytest.mark.parametrize("auth", ["ntlm"])
def test_a_broken_file_is_that_hosts_failure(site: Site) -> None:
    """Not a server without pools: PowerShell turns a property's exception into nothing."""
    for text in ("", "<configuration>", configuration('<add name="a" startMode="Sometimes" />')):
        site.config.write_text(text)
        audit = json.loads(remediate("audit", "-i", site.inventory, "--format", "json", expect=3).stdout)
        (host,) = audit["hosts"]
        assert host["status"] == "failed", text
        assert len(host["detail"]) > 20


ELSEWHERE = {
    "elsewhere": configuration("").replace("<applicationPools>", '<applicationPools configSource="pools.config">'),
    "sites, encrypted": configuration("").replace("<sites>", '<sites configProtectionProvider="P"><EncryptedData/>'),
    "a name twice": configuration('<add name="a" />\n<add name="A" />'),
    "a name of another case": configuration('<add name="a" startmode="AlwaysRunning" />'),
}


@pytest.mark.pwsh
@pytest.mark.usefixtures("pwsh_path")
def test_what_iis_does_not_read_fails_over_the_wire(take: Callable[[str, str], Site]) -> None:
    """On both engines, with the line: never a server without pools."""
    for engine in ("emulated", "pwsh"):
        site = take(engine, "ntlm")
        for name, text in ELSEWHERE.items():
            site.config.write_text(text, encoding="utf-8")
            (host,) = json.loads(remediate("audit", "-i", site.inventory, "--format", "json", expect=3).stdout)["hosts"]
            assert host["status"] == "failed", (engine, name)
            assert re.search(r"line (number: )?[0-9]", host["detail"], re.IGNORECASE), (engine, name)
