# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""Items of collections come and go: pools, sites, applications, schedules, modules."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.lab.administration.driver import (
    ADD_NEW,
    DEFAULTS,
    NEEDS_PWSH,
    MakeServer,
    Server,
    Shell,
    encoded,
    pools,
)

pytestmark = NEEDS_PWSH

REMOVE_NEW = "$m = Manager; $m.ApplicationPools.Remove($m.ApplicationPools['new']); $m.CommitChanges()"


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("encoding", "mark"), [("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("latin-1", b"")]
)
def test_a_pool_comes_behind_the_last_one_and_goes_with_its_line(
    shell: Shell, make_server: MakeServer, encoding: str, mark: bytes, newline: str
) -> None:
    """Not a byte else changes, whatever the encoding and the line ends; afterwards the file is what it was."""
    text, data = encoded(encoding, mark, newline)
    server = make_server(data)
    code = """
    $m = Manager
    $pool = $m.ApplicationPools.Add('Neü')
    $pool.StartMode = 'AlwaysRunning'
    $pool.ProcessModel.IdleTimeout = [TimeSpan]::Zero
    $null = $pool.Recycling.PeriodicRestart.Schedule.Add([TimeSpan]'04:00:00')
    $m.CommitChanges()
    @((Manager).ApplicationPools | ForEach-Object Name)
    """
    assert shell(server, code) == ["Bare", "Own", "Neü"]
    new = """
            <add name="Neü" startMode="AlwaysRunning">
                <processModel idleTimeout="00:00:00" />
                <recycling>
                    <periodicRestart>
                        <schedule>
                            <add value="04:00:00" />
                        </schedule>
                    </periodicRestart>
                </recycling>
            </add>""".replace("\n", newline)
    behind = f"</recycling>{newline}            </add>"
    assert text.count(behind) == 1
    assert server.config.read_bytes() == mark + text.replace(behind, behind + new).encode(encoding)
    shell(server, "$m = Manager; $m.ApplicationPools['NEÜ'].Delete(); $m.CommitChanges()")
    assert server.config.read_bytes() == mark + text.encode(encoding)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (['<add name="A" />', *DEFAULTS], ['<add name="A" />', '<add name="New" />', *DEFAULTS]),
        (DEFAULTS, ['<add name="New" />', *DEFAULTS]),
        (['<add name="A" /> <!-- of A -->', "<!-- of the defaults -->", *DEFAULTS],
         ['<add name="A" /> <!-- of A -->', '<add name="New" />', "<!-- of the defaults -->", *DEFAULTS]),
        (['<add name="A" />', "", "<!-- of B -->", '<add name="B" />', "", *DEFAULTS],
         ['<add name="A" />', "", "<!-- of B -->", '<add name="B" />', '<add name="New" />', "", *DEFAULTS]),
        (["<clear />", *DEFAULTS], ["<clear />", '<add name="New" />', *DEFAULTS]),
        (['<add name="A" />', '<remove name="A" />', *DEFAULTS],
         ['<add name="A" />', '<remove name="A" />', '<add name="New" />', *DEFAULTS]),
        ([*DEFAULTS, '<add name="A" />'], [*DEFAULTS, '<add name="A" />', '<add name="New" />']),
        (['<add name="A" />'], ['<add name="A" />', '<add name="New" />']),
    ],
)  # fmt: skip
def test_where_a_new_item_stands(shell: Shell, make_server: MakeServer, before: list[str], after: list[str]) -> None:
    """Behind the last of its kind and its remark, before the defaults; and taking it out gives the same bytes again."""
    server = make_server(pools(*before))
    shell(server, ADD_NEW)
    assert server.config.read_text() == pools(*after)
    shell(server, REMOVE_NEW)
    assert server.config.read_text() == pools(*before)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<applicationPools />", '<applicationPools>\n      <add name="New" />\n    </applicationPools>'),
        ("<applicationPools></applicationPools>", '<applicationPools>\n      <add name="New" />\n    </applicationPools>'),
        ('<applicationPools><add name="A"/></applicationPools>', '<applicationPools><add name="A"/><add name="New" /></applicationPools>'),
        ('<applicationPools><applicationPoolDefaults/></applicationPools>',
         '<applicationPools><add name="New" /><applicationPoolDefaults/></applicationPools>'),
    ],
)  # fmt: skip
def test_a_section_without_lines_of_its_own_takes_a_new_item(
    shell: Shell, make_server: MakeServer, before: str, after: str
) -> None:
    empty = pools().replace("<applicationPools>\n    </applicationPools>", "%s")
    server = make_server(empty % before)
    shell(server, ADD_NEW)
    assert server.config.read_text() == empty % after


def test_a_section_that_is_missing_is_made_for_its_first_item(shell: Shell, make_server: MakeServer) -> None:
    server = make_server("<configuration>\n  <system.webServer />\n</configuration>\n")
    shell(server, ADD_NEW)
    made = pools('<add name="New" />').replace("<configuration>\n", "<configuration>\n  <system.webServer />\n")
    assert server.config.read_text() == made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (['<add name="A" />', '<add name="New" />', '<add name="B" />'], ['<add name="A" />', '<add name="B" />']),
        (['<add name="A" />', "", '<add', "  name='New'", "/>", "", '<add name="B" />'],
         ['<add name="A" />', "", "", '<add name="B" />']),
        (["<!-- first -->", '<add name="New">', "  <!-- inside -->", "</add>", "<!-- then -->"],
         ["<!-- first -->", "<!-- then -->"]),
        (['<add name="New" /> <!-- remark -->'], [" <!-- remark -->"]),
        (['<add name="New" /><add name="B" />'], ['<add name="B" />']),
        (['<add name="A" /> <add name="New" />'], ['<add name="A" />']),
        (['<add name="A" /> <add name="New" /> <add name="B" />'], ['<add name="A" /> <add name="B" />']),
    ],
)  # fmt: skip
def test_a_removed_item_takes_its_own_line_and_no_more(
    shell: Shell, make_server: MakeServer, before: list[str], after: list[str]
) -> None:
    """Blank lines and comments outside of it stay, and so does what shares its line."""
    server = make_server(pools(*before))
    shell(server, REMOVE_NEW)
    assert server.config.read_text() == pools(*after)


NAMES = ["A", "B", "C", "D"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_comings_and_goings_leave_what_was_asked_for(shell: Shell, tmp_path: Path, data: st.DataObject) -> None:
    """In any layout: the pools in their order, the defaults and the comments outside of what was removed."""
    gap = st.sampled_from(
        ["", " ", "\n", "\r\n\t", "\n\n  ", "<!-- c -->", " <!-- <add name='x'/> -->\n", "\n<!-- d -->\n  "]
    )
    tag = st.sampled_from(
        ['<add name="%s"/>', '<add name="%s" ></add>', "<add\n name='%s'\n/>", '<add name="%s"><processModel/></add>']
    )
    names = data.draw(st.lists(st.sampled_from(NAMES), unique=True))
    gaps = [data.draw(gap) for _ in range(len(names) + 2)]
    tags = [data.draw(tag) % name for name in names]
    defaults = data.draw(st.sampled_from(["", "<applicationPoolDefaults autoStart='false'/>"]))
    body = gaps[0] + "".join(f"{one}{space}" for one, space in zip(tags, gaps[1:-1], strict=True)) + defaults + gaps[-1]
    frame = "<configuration><system.applicationHost>\n<applicationPools>%s</applicationPools>\n</system.applicationHost></configuration>"
    code, expected = "$m = Manager\n", list(names)
    for name in data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6)):
        if name in expected:
            expected.remove(name)
            code += f"$m.ApplicationPools['{name}'].Delete()\n"
        else:
            at = data.draw(st.integers(0, len(expected)))
            expected.insert(at, name)
            code += f"$new = $m.ApplicationPools.CreateElement(); $new['name'] = '{name}'; $null = $m.ApplicationPools.AddAt({at}, $new)\n"
    server = Server(tmp_path / "any")
    server.config.parent.mkdir(parents=True, exist_ok=True)
    server.config.write_bytes((frame % body).encode())
    code += "$memory = @($m.ApplicationPools | ForEach-Object Name)\n$m.CommitChanges()\n@{ memory = $memory; file = @((Manager).ApplicationPools | ForEach-Object Name) }"
    assert shell(server, code) == {"memory": expected, "file": expected}
    after = server.config.read_bytes().decode()
    section = ET.fromstring(after)[0][0]
    assert [pool.attrib["name"] for pool in section.findall("add")] == expected
    assert len(section.findall("applicationPoolDefaults")) == bool(defaults)
    assert re.findall("<!--.*?-->", after) == re.findall("<!--.*?-->", body)
