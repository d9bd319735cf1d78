"""Where a section stands, which names may stand in it, and how a new element is laid out."""

import pytest

from tests.lab.administration.driver import CONFIG, NEEDS_PWSH, MakeServer, Shell, pools

pytestmark = NEEDS_PWSH

BEGIN, END = "<system.applicationHost>", "</system.applicationHost>"
POOL = pools('<add name="P" startMode="AlwaysRunning" />')


@pytest.mark.parametrize(
    "config",
    [
        POOL.replace(BEGIN, f'<location path="">{BEGIN}').replace(END, f"{END}</location>"),
        POOL.replace(BEGIN, f'<location path=".">{BEGIN}').replace(END, f"{END}</location>"),
        POOL.replace(BEGIN, f"<location>{BEGIN}").replace(END, f"{END}</location>"),
        POOL.replace(BEGIN, f"{BEGIN}<sites />{END}{BEGIN}"),
    ],
)
def test_a_section_of_the_whole_server_is_found(shell: Shell, make_server: MakeServer, config: str) -> None:
    """In a location for all of it, and in the second of two groups."""
    code = '(Manager).ApplicationPools | ForEach-Object { "$($_.Name) $($_.StartMode)" }'
    assert shell(make_server(config), code) == "P AlwaysRunning"


@pytest.mark.parametrize(
    ("config", "line"),
    [
        (POOL.replace("<applicationPools>", '<applicationPools configSource="p.config">'), 3),
        (POOL.replace("<applicationPools>", "<applicationPools><EncryptedData />"), 3),
        (POOL.replace("<applicationPools>", "<applicationPools />\n<applicationPools>"), 4),
        (POOL.replace(BEGIN, f"{BEGIN}<applicationPools />{END}\n{BEGIN}"), 4),
        (POOL.replace(BEGIN, f'<location path="Main">\n{BEGIN}').replace(END, f"{END}</location>"), 4),
        (POOL.replace("applicationPools", "ApplicationPools"), 3),
        (POOL.replace("system.applicationHost", "System.ApplicationHost"), 2),
        (POOL.replace("configuration>", "Configuration>"), 1),
        (POOL.replace("<configuration>", '<configuration xmlns="urn:x">'), 1),
        (pools('<add name="P" startmode="AlwaysRunning" />'), 4),
        (pools('<add name="P"><processmodel /></add>'), 4),
        (pools('<add name="P"><processModel />', "<processModel /></add>"), 5),
        (pools('<add name="P" xmlns:t="urn:t" t:Transform="Insert" />'), 4),
        (pools('<add name="P" startMode="OnDemand " />'), 4),
        (pools('<add name="P" autoStart="true " />'), 4),
    ],
)  # fmt: skip
def test_what_is_not_read_makes_the_section_unreadable(
    shell: Shell, make_server: MakeServer, config: str, line: int
) -> None:
    found = shell(make_server(config), "Caught { Section 'applicationPools' }")
    assert f"Line number: {line}\r\n" in found["text"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe" + POOL.replace("<conf", '<?xml version="1.0" encoding="UTF-8"?><conf').encode("utf-16-le"),
        b"\xef\xbb\xbf" + POOL.replace("<conf", '<?xml version="1.0" encoding="ISO-8859-1"?><conf').encode(),
        POOL.replace("<conf", '<?xml version="1.0" encoding="UTF-16"?><conf').encode(),
        POOL.replace("<conf", '<?xml version="1.0" encoding="bogus"?><conf').encode(),
        POOL.replace("<conf", '<?xml version="1.1"?><conf').encode(),
    ],
)
def test_an_encoding_that_is_not_the_files_own_is_not_read(shell: Shell, make_server: MakeServer, data: bytes) -> None:
    found = shell(make_server(data), "Caught { Section 'applicationPools' }")
    assert "Configuration file is not well-formed XML" in found["text"]


def test_a_products_elements_are_passed_over_and_kept(shell: Shell, make_server: MakeServer) -> None:
    """Advanced Logging has some in each site, as its schema says; sections that nobody asks for may hold anything."""
    product = '<advancedLogging directory="D:\\logs"><x y="1" /></advancedLogging>'
    config = (
        CONFIG.replace("<bindings>", f"{product}<bindings>")
        .replace("<siteDefaults>", f"<siteDefaults>{product}")
        .replace("<system.webServer>", "<system.webServer><advancedLogging><server enabled='x' /></advancedLogging>")
    )
    server = make_server(config)
    assert shell(server, "(Manager).Sites.Count") == 2
    shell(server, "$m = Manager; $m.ApplicationPools['Own'].StartMode = 'AlwaysRunning'; $m.CommitChanges()")
    assert server.config.read_text() == config.replace('startMode="ondemand"', 'startMode="AlwaysRunning"')
    wrong = make_server(config.replace("<bindings>", "<Bindings /><bindings>"))
    assert "Unrecognized element 'Bindings'" in shell(wrong, "Caught { Section 'sites' }")["text"]


LAYOUTS = {
    "tabs": ("\n\t\t\t", "\n\t\t\t\t"), "two spaces": ("\n      ", "\n        "),
    "four spaces and CRLF": ("\r\n            ", "\r\n                "), "one line": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_a_new_element_follows_the_files_indentation(shell: Shell, make_server: MakeServer, layout: str) -> None:
    """As the engine in Python does, see tests/unit/test_edit.py."""
    here, deeper = LAYOUTS[layout]
    step = deeper.removeprefix(here)
    newline = here[: len(here) - 3 * len(step)]
    lines = ["<configuration>", f"{step}{BEGIN}", f"{step * 2}<applicationPools>", f'{step * 3}<add name="P" />',
             f"{step * 2}</applicationPools>", f"{step}{END}", "</configuration>"]  # fmt: skip
    config = newline.join(lines)
    server = make_server(config.encode())
    shell(
        server, "$m = Manager; $m.ApplicationPools['P'].ProcessModel.IdleTimeout = [TimeSpan]::Zero; $m.CommitChanges()"
    )
    made = f'<add name="P">{deeper}<processModel idleTimeout="00:00:00" />{here}</add>'
    assert server.config.read_bytes().decode() == config.replace('<add name="P" />', made)
