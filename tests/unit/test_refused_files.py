"""audit --config: what IIS would not read, or would read elsewhere, is that file's failure, with its line.

Never "0 pools, 0 findings": that would be an all-clear for a file that nobody has read.
"""

import json
from pathlib import Path

import pytest

from tests.conftest import remediate

POOL = '<add name="Shop" startMode="AlwaysRunning" />'


def whole(pools: str = POOL, sites: str = "", root: str = "<configuration>") -> str:
    """A file with these lines in its applicationPools, which begin in line 4, and in its sites."""
    return (
        f"<?xml version='1.0'?>\n{root}<system.applicationHost>\n<applicationPools>\n{pools}\n</applicationPools>\n"
        f"<sites>\n{sites}\n</sites>\n</system.applicationHost>\n</configuration>\n"
    )


def group(inside: str) -> str:
    return f"<configuration>\n<system.applicationHost>\n{inside}\n</system.applicationHost>\n</configuration>"


SITE = '<site name="S" id="1">'
# What is wrong -> the file, and where it is reported with which word.
REFUSED = {
    "pools elsewhere": (group('<applicationPools configSource="pools.config"/>'), 3, "configSource='pools.config'"),
    "sites elsewhere": (group('<applicationPools/><sites\nconfigSource="s.config"/>'), 4, "section sites"),
    "encrypted pools": (
        group('<applicationPools configProtectionProvider="P"><EncryptedData/></applicationPools>'), 3, "encrypted",
    ),
    "encrypted sites": (group("<applicationPools/><sites><EncryptedData/></sites>"), 3, "encrypted"),
    "two groups": (
        group("<applicationPools/>\n</system.applicationHost><system.applicationHost>\n<applicationPools/>"),
        5, "second",
    ),
    "two sections": (group(f"<applicationPools/>\n<applicationPools>{POOL}</applicationPools>"), 4, "second"),
    "a section in a location and outside": (
        f"<configuration>\n<location path='.'>{group('<applicationPools/>')[15:-16]}</location>\n"
        f"<system.applicationHost>\n<applicationPools/></system.applicationHost></configuration>", 8, "second",
    ),
    "pools of one site": (
        f"<configuration>\n<location path='S'>{group('<applicationPools/>')[15:-16]}</location></configuration>",
        4, "location path='S'",
    ),
    "an attribute's case": (whole('<add name="A"\nstartmode="AlwaysRunning" />'), 5, "startMode"),
    "an element's case": (whole('<add name="A">\n<ProcessModel idleTimeout="00:00:00" /></add>'), 5, "processModel"),
    "an item's case": (whole(f"\n{POOL.replace('add', 'Add')}"), 5, "'add'"),
    "a section's case": (group(f"<ApplicationPools>{POOL}</ApplicationPools>"), 3, "applicationPools"),
    "a group's case": ("<configuration>\n<System.applicationHost /></configuration>", 2, "system.applicationHost"),
    "an unknown element among the pools": (whole('<pool name="A" startMode="AlwaysRunning" />'), 4, "'pool'"),
    "a name twice": (whole('<add name="Shop" />\n<add\n name="SHOP" />'), 6, "'SHOP'"),
    "no name": (whole(f"{POOL}\n<add />"), 5, "no name"),
    "an illegal name": (whole('<add name="a/b" />'), 4, "'a/b'"),
    "an empty name": (whole('<add name="" />'), 4, "name"),
    "two process models": (whole('<add name="A"><processModel />\n<processModel /></add>'), 5, "second processModel"),
    "two defaults": (whole("<applicationPoolDefaults />\n<applicationPoolDefaults />"), 5, "second"),
    "a transform": (
        whole('<add name="A" xmlns:xdt="http://schemas.microsoft.com/XML-Document-Transform" xdt:Locator="x" />'),
        4, "xdt:Locator",
    ),
    "another root": ("\n<Configuration />", 2, "'Configuration'"),
    "a namespace": (whole(root='<configuration\nxmlns="urn:other">'), 3, "urn:other"),
    "space around an enum": (
        whole('<add name="A"><processModel idleTimeoutAction="Suspend " /></add>'), 4, "'Suspend '",
    ),
    "space around a bool": (whole('<add name="A" autoStart=" true" />'), 4, "' true'"),
    "a site twice": (whole(sites=f'{SITE}</site>\n<site name="s" id="2" />'), 8, "'s'"),
    "a site's number twice": (whole(sites=f'{SITE}</site>\n<site name="T" id="1" />'), 8, "id '1'"),
    "a site without a number": (whole(sites='<site name="S" />'), 7, "no id"),
    "an application twice": (
        whole(sites=f'{SITE}<application path="/a" />\n<application path="/A" /></site>'), 8, "'/A'",
    ),
    "an application without a path": (whole(sites=f"{SITE}<application /></site>"), 7, "no path"),
    "preloadEnabled for all sites": (whole(sites='<applicationDefaults preloadEnabled="true" />'), 7, "preloadEnabled"),
}  # fmt: skip


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All of them in one audit: what is wrong -> the failure's text."""
    folder = tmp_path_factory.mktemp("refused")
    files = {folder / f"{number:02}.config": name for number, name in enumerate(REFUSED)}
    for file, name in files.items():
        file.write_text(REFUSED[name][0], encoding="utf-8")
    seen = remediate("audit", "--config", *files, "--format", "json", expect=3)
    hosts = json.loads(seen.stdout)["hosts"]
    assert {host["status"] for host in hosts} == {"failed"}, [h["host"] for h in hosts if h["status"] != "failed"]
    shown = {files[Path(host["host"])]: host["detail"] for host in hosts}
    for host in hosts:
        assert f"{host['host']}: failed: {host['detail']}" in seen.stderr.splitlines()
    return shown


@pytest.mark.parametrize("name", list(REFUSED))
def test_each_is_that_files_failure_with_its_line(failures: dict[str, str], name: str) -> None:
    """On standard error too, where a person of a pipeline looks."""
    _, line, word = REFUSED[name]
    assert failures[name].startswith(f"line {line}: ")
    assert word in failures[name]


READ = {
    "no location": group("<applicationPools>%s</applicationPools>"),
    "a location of the server": "<configuration><location path='.'><system.applicationHost><applicationPools>%s"
    "</applicationPools></system.applicationHost></location></configuration>",
    "a location with no path in it": "<configuration><location path=''><system.applicationHost><applicationPools>%s"
    "</applicationPools></system.applicationHost></location></configuration>",
    "a location without a path": "<configuration><location overrideMode='Deny'><system.applicationHost>"
    "<applicationPools>%s</applicationPools></system.applicationHost></location></configuration>",
    "two groups": group(
        "<sites/></system.applicationHost><system.applicationHost><applicationPools>%s</applicationPools>"
    ),
    "what a newer IIS may know": group(
        "<applicationPools lockItem='true'>%s</applicationPools>"
        "<sites><site name='S' id='1'><advancedLogging/></site></sites>"
    ),
}


def test_what_stands_there_is_read(tmp_path: Path) -> None:
    """In every place where a section of the whole server may stand; and names that only some languages hold equal."""
    for number, text in enumerate(READ.values()):
        (tmp_path / f"{number}.config").write_text(text % (POOL + '<add name="Straße" /><add name="STRASSE" />'))
    seen = json.loads(remediate("audit", "--config", *tmp_path.iterdir(), "--format", "json", expect=2).stdout)
    assert [finding["pool"] for finding in seen["findings"]] == ["Shop"] * len(READ)
    for host in seen["hosts"]:
        assert [pool["name"] for pool in host["pools"]] == ["Shop", "Straße", "STRASSE"]


def test_applications_belong_to_the_pool_of_their_name(tmp_path: Path) -> None:
    """`straße` names the pool `Straße`, not `STRASSE`."""
    pools = '<add name="Straße" startMode="AlwaysRunning" /><add name="STRASSE" startMode="AlwaysRunning" />'
    file = tmp_path / "x.config"
    file.write_text(whole(pools, f'{SITE}<application path="/" applicationPool="straße" /></site>'), encoding="utf-8")
    (host,) = json.loads(remediate("audit", "--config", file, "--format", "json", expect=2).stdout)["hosts"]
    served = {pool["name"]: [app["path"] for app in pool["applications"]] for pool in host["pools"]}
    assert served == {"Straße": ["S/"], "STRASSE": []}


def test_any_other_character_is_legal_in_a_name(tmp_path: Path) -> None:
    """An ideographic space, a no-break space, a soft hyphen: not "refused by the API", and no doubt about the pool."""
    names = ["a\u3000b", "a\u00a0b", "a\u00adb"]
    file = tmp_path / "x.config"
    file.write_text(
        whole(
            "".join(f'<add name="{name}" startMode="AlwaysRunning" managedRuntimeVersion="v4.0" />' for name in names)
        ),
        encoding="utf-8",
    )
    findings = json.loads(remediate("audit", "--config", file, "--format", "json", expect=2).stdout)["findings"]
    assert sorted(finding["pool"] for finding in findings) == sorted(names)
    assert {doubt["kind"] for finding in findings for doubt in finding["doubts"]} == {"unused"}


def test_the_defaults_have_their_lines(tmp_path: Path) -> None:
    """RM004 says where AlwaysRunning stands, and the time-out."""
    file = tmp_path / "x.config"
    file.write_text(
        whole(
            '<applicationPoolDefaults\nstartMode="AlwaysRunning">\n'
            '<processModel idleTimeout="00:05:00" />\n</applicationPoolDefaults>'
        )
    )
    seen = json.loads(remediate("audit", "--config", file, "--rules", "RM004", "--format", "json", expect=2).stdout)
    (finding,) = seen["findings"]
    assert finding["reasons"] == [
        "every new pool would be AlwaysRunning (line 5) with an idle time-out of 00:05:00 (line 6)"
    ]
