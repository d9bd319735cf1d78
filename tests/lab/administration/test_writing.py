# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""A commit changes what was asked for, in the manner of the file, and not a byte else."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.administration.driver import CONFIG, NEEDS_PWSH, MakeServer, Server, Shell, encoded, pools

pytestmark = NEEDS_PWSH


FULL_CHANGE = """
$m = Manager
$bare = $m.ApplicationPools['Bare']
$bare.ProcessModel.IdleTimeout = [TimeSpan]::Zero
$bare.AutoStart = $false
$own = $m.ApplicationPools['Own']
$own.StartMode = 'AlwaysRunning'
$own.ProcessModel.IdleTimeoutAction = 'Terminate'
$own.Recycling.LogEventOnRecycle = 'Time, ConfigChange'
$m.ApplicationPoolDefaults.StartMode = 'OnDemand'
$m.ApplicationPoolDefaults.ProcessModel.GetAttribute('idleTimeout').Value = [TimeSpan]::FromMinutes(90)
$m.Sites['Main'].Applications['/'].SetAttributeValue('preloadEnabled', $false)
$m.CommitChanges()
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""), ("latin-1", b""),
    ],
)  # fmt: skip
def test_a_commit_changes_the_attributes_and_not_a_byte_else(
    shell: Shell, make_server: MakeServer, encoding: str, mark: bytes, newline: str
) -> None:
    """Encoding, mark, line ends, comments, quotes and order stay, and an element that was missing fits in."""
    text, data = encoded(encoding, mark, newline)
    server = make_server(data)
    server.config.chmod(0o640)
    shell(server, FULL_CHANGE)
    bare = '<add name="Bare" autoStart="false">\n                <processModel idleTimeout="00:00:00" />\n            </add>'
    for old, new in [
        ('<add name="Bare" />', bare.replace("\n", newline)),
        ('startMode="ondemand"', 'startMode="AlwaysRunning"'),
        ("'SUSPEND'", "'Terminate'"),
        ('"time, ONDEMAND"', '"Time, ConfigChange"'),
        ('v4.0" startMode="AlwaysRunning"', 'v4.0" startMode="OnDemand"'),
        ('"00:05:00"', '"01:30:00"'),
        ('"Own" preloadEnabled="true"', '"Own" preloadEnabled="false"'),
    ]:
        assert text.count(old) == 1
        text = text.replace(old, new)
    assert server.config.read_bytes() == mark + text.encode(encoding)
    assert server.config.stat().st_mode & 0o777 == 0o640
    kept = {"applicationHost.config", "applicationHost.config.lock", "redirection.config"}
    assert {file.name for file in server.config.parent.iterdir()} == kept


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (['<add name="P"/>'], ['<add name="P">', '  <processModel idleTimeout="00:00:00" />', "</add>"]),
        (["<add name='P'></add>"], ["<add name='P'>", '  <processModel idleTimeout="00:00:00" />', "</add>"]),
        (
            ['<add name="P"><recycling/></add>'],
            ['<add name="P"><recycling/><processModel idleTimeout="00:00:00" /></add>'],
        ),
        (
            ['<add name="P">', "    <!-- a note -->", "</add>"],
            ['<add name="P">', "    <!-- a note -->", '  <processModel idleTimeout="00:00:00" />', "</add>"],
        ),
        (
            ['<add name="P">', "\t<recycling />", "</add>"],
            ['<add name="P">', "\t<recycling />", '      \t<processModel idleTimeout="00:00:00" />', "</add>"],
        ),
        (
            ['<add name="P">', "  <processModel", "     userName='a'", "     />", "</add>"],
            ['<add name="P">', "  <processModel", "     userName='a'", '           idleTimeout="00:00:00"', "     />", "</add>"],
        ),
        (['<add name="P"><processModel /></add>'], ['<add name="P"><processModel idleTimeout="00:00:00" /></add>']),
    ],
)  # fmt: skip
def test_what_is_missing_is_put_in_as_the_file_is_laid_out(
    shell: Shell, make_server: MakeServer, before: list[str], after: list[str]
) -> None:
    """A new element or attribute takes the indentation and the manner of its neighbours."""
    server = make_server(pools(*before))
    shell(
        server, "$m = Manager; $m.ApplicationPools['P'].ProcessModel.IdleTimeout = [TimeSpan]::Zero; $m.CommitChanges()"
    )
    expected = pools(*after).replace("            \t<", "      \t<").replace("                 idle", "           idle")
    assert server.config.read_text() == expected


def test_missing_defaults_and_a_missing_section_are_made(shell: Shell, make_server: MakeServer) -> None:
    """A file may lack applicationPoolDefaults, or the whole section; both read as the schema and can be written."""
    server = make_server("<configuration>\n\t<system.webServer />\n</configuration>")
    code = """
    $m = Manager
    $before = "$($m.ApplicationPools.Count) $($m.ApplicationPoolDefaults.StartMode) $($m.ApplicationPoolDefaults.IsLocallyStored)"
    $m.ApplicationPoolDefaults.Recycling.PeriodicRestart.Time = [TimeSpan]::FromHours(29)
    $m.CommitChanges()
    $before
    """
    assert shell(server, code) == "0 OnDemand False"
    lines = [
        "<configuration>", "\t<system.webServer />", "\t<system.applicationHost>", "\t\t<applicationPools>",
        "\t\t\t<applicationPoolDefaults>", "\t\t\t\t<recycling>", '\t\t\t\t\t<periodicRestart time="1.05:00:00" />',
        "\t\t\t\t</recycling>", "\t\t\t</applicationPoolDefaults>", "\t\t</applicationPools>",
        "\t</system.applicationHost>", "</configuration>",
    ]  # fmt: skip
    assert server.config.read_text() == "\n".join(lines)


@pytest.mark.parametrize(
    ("switch", "after"),
    [
        ("delete_leaves=nothing", ['<add name="P">', "</add>", '<add name="Q">', "  <processModel><!-- keep --></processModel>", "</add>"]),
        ("delete_leaves=empty_element", ['<add name="P">', "  <processModel />", "</add>", '<add name="Q">', "  <processModel><!-- keep --></processModel>", "</add>"]),
    ],
)  # fmt: skip
def test_delete_takes_an_attribute_out_again(
    shell: Shell, make_server: MakeServer, switch: str, after: list[str]
) -> None:
    """The value is inherited again; what an emptied element leaves is a switch, and no comment is ever lost."""
    before = ['<add name="P" autoStart="false">', '  <processModel idleTimeout="00:01:00" />', "</add>",
              '<add name="Q">', '  <processModel idleTimeout="00:02:00"><!-- keep --></processModel>', "</add>"]  # fmt: skip
    server = make_server(pools(*before, '<applicationPoolDefaults autoStart="false" />'), switch)
    code = """
    $m = Manager
    foreach ($pool in $m.ApplicationPools) {
        $pool.ProcessModel.GetAttribute('idleTimeout').Delete()
        $pool.GetAttribute('autoStart').Delete()
        $pool.GetAttribute('startMode').Delete()
        "$($pool.ProcessModel.IdleTimeout) $($pool.AutoStart)"
    }
    $m.CommitChanges()
    """
    assert shell(server, code) == ["00:20:00 False"] * 2
    assert server.config.read_text() == pools(*after, '<applicationPoolDefaults autoStart="false" />')


def test_what_is_set_and_deleted_before_the_commit_leaves_no_trace(shell: Shell, make_server: MakeServer) -> None:
    """Only the end state counts; an element can be deleted whole."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $bare = $m.ApplicationPools['Bare']
    $bare.ProcessModel.IdleTimeout = [TimeSpan]::Zero
    $bare.ProcessModel.GetAttribute('idleTimeout').Delete()
    $bare.Recycling.PeriodicRestart.Requests = 5
    $bare.Recycling.Delete()
    $m.ApplicationPools['Own'].StartMode = 'OnDemand'
    $m.CommitChanges()
    """
    shell(server, code)
    assert server.config.read_text() == CONFIG
    shell(server, "$m = Manager; $m.ApplicationPools['Own'].ProcessModel.Delete(); $m.CommitChanges()")
    assert server.config.read_text() == re.sub(r"<processModel identity.*/>", "<processModel />", CONFIG)


def test_values_are_escaped_for_the_quotes_and_the_encoding_of_the_file(shell: Shell, make_server: MakeServer) -> None:
    """What the encoding cannot hold becomes a character reference, and reads back the same."""
    config = '<?xml version="1.0" encoding="us-ascii"?>\n' + pools("<add name='P'><processModel userName='x' /></add>")
    server = make_server(config)
    value = "a<b>&\"c\"'d'\tü\N{MATHEMATICAL FRAKTUR CAPITAL U}"
    code = f"""
    $m = Manager
    $m.ApplicationPools['P'].ProcessModel.UserName = '{value.replace("'", "''")}'
    $m.CommitChanges()
    (Manager).ApplicationPools['P'].ProcessModel.UserName
    """
    assert shell(server, code) == value
    stored = """'a&lt;b&gt;&amp;"c"&apos;d&apos;&#x9;&#xFC;&#x1D518;'"""
    assert server.config.read_bytes() == config.replace("'x'", stored).encode("ascii")


def model(config: str) -> list[tuple[dict[str, str], dict[str, str]]]:
    """What another XML parser sees: the attributes of each pool and of its processModel."""
    section = ET.fromstring(config)[0][0]
    return [(dict(pool.attrib), dict(pool[0].attrib) if len(pool) else {}) for pool in section]


ATTRIBUTES = {"startMode": ["OnDemand", "AlwaysRunning"], "autoStart": ["true", "false"]}
CHILD = {"idleTimeout": ["00:00:00", "00:10:00"], "idleTimeoutAction": ["Terminate", "Suspend"]}
Edit = tuple[int, bool, str, str | None]


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[str], list[Edit]]:
    """Pools laid out in any manner, and edits to them: (pool, on its processModel, attribute, value or delete)."""
    space = st.sampled_from([" ", "  ", "\r\n\t", "\n"])
    filler = st.sampled_from(["", "\n   ", "\r\n\t", "<!-- <add name='x'> -->", "\n  <!-- > -->\n", " "])

    def attributes(table: dict[str, list[str]]) -> str:
        chosen = draw(st.lists(st.sampled_from(sorted(table)), unique=True))
        quote = draw(st.sampled_from("\"'"))
        return "".join(f"{draw(space)}{name} = {quote}{draw(st.sampled_from(table[name]))}{quote}" for name in chosen)

    found = []
    for number in range(draw(st.integers(1, 3))):
        head = f'<add{draw(space)}name="P{number}"{attributes(ATTRIBUTES)}'
        child = draw(st.sampled_from(["", "<processModel%s/>", "<processModel%s></processModel>"]))
        body = draw(filler) + (child % attributes(CHILD) if child else "") + draw(filler)
        found.append(head + draw(st.sampled_from(["", " "])) + (f">{body}</add>" if body else "/>"))
    edit = st.one_of(
        *(
            st.tuples(
                st.integers(0, len(found) - 1), st.just(on_child), st.just(name), st.sampled_from([*values, None])
            )
            for on_child, table in ((False, ATTRIBUTES), (True, CHILD))
            for name, values in table.items()
        )
    )
    return found, draw(st.lists(edit, min_size=1, max_size=6))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layouts())
def test_any_edits_of_any_layout_give_what_was_asked_and_keep_the_rest(
    shell: Shell, tmp_path: Path, case: tuple[list[str], list[Edit]]
) -> None:
    """After a commit the file holds exactly the asked attributes; comments and untouched pools stand as they were.

    Edits that end where they began leave the same bytes.
    """
    texts, edits = case
    server = Server(tmp_path / "any")
    server.config.parent.mkdir(parents=True, exist_ok=True)
    before = f"<configuration><system.applicationHost>\n<applicationPools>{''.join(texts)}</applicationPools></system.applicationHost></configuration>"
    server.config.write_bytes(before.encode())
    code = "$m = Manager\n"
    expected = model(before)
    for number, on_child, name, value in edits:
        target = f"$m.ApplicationPools['P{number}']{'.ProcessModel' if on_child else ''}.GetAttribute('{name}')"
        if value is None:
            code += target + ".Delete()\n"
            expected[number][on_child].pop(name, None)
        else:
            wanted = (
                f"[TimeSpan]'{value}'" if ":" in value else f"${value}" if value in ("true", "false") else f"'{value}'"
            )
            code += f"{target}.Value = {wanted}\n"
            expected[number][on_child][name] = value
    shell(server, code + "$m.CommitChanges()")
    after = server.config.read_bytes().decode()
    assert model(after) == expected
    assert re.findall("<!--.*?-->", after) == re.findall("<!--.*?-->", before)
    touched = {number for number, *_ in edits}
    assert all(text in after for number, text in enumerate(texts) if number not in touched)
    if expected == model(before):
        assert after == before
