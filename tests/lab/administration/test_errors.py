# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""What IIS does not take, each error by its type, its code and its text."""

import re
import shutil

import pytest

from tests.lab.administration.driver import COM, CONFIG, NEEDS_PWSH, MakeServer, Shell, pools

pytestmark = NEEDS_PWSH


@pytest.mark.parametrize(
    ("config", "line", "error"),
    [
        (pools('<add name="P">'), 5, "Configuration file is not well-formed XML"),
        ("", 0, "Configuration file is not well-formed XML"),
        ("\ufeff<configuration>\ud7ff</configuration", 1, "Configuration file is not well-formed XML"),
        (pools('<add name="P" bogus="1" />'), 4, "Unrecognized attribute 'bogus'"),
        (pools('<add name="P"><bogus /></add>'), 4, "Unrecognized element 'bogus'"),
        (pools("<add />"), 4, "Missing required attribute 'name'"),
        (pools('<add name="P" />', '<add name="p" />'), 5, "Cannot add duplicate collection entry of type 'add' with unique key attribute 'name' set to 'p'"),
        (pools('<add name="P" startMode="Never" />'), 4, "The 'startMode' attribute is invalid.  Enum must be one of OnDemand, AlwaysRunning\r\n"),
        (pools('<add name="P"><processModel idleTimeout="00:00:30" /></add>'), 4, "The 'idleTimeout' attribute is invalid.  Timespan value must be between 00:00:00 and 30.00:00:00 seconds inclusive, with a granularity of 60 seconds\r\n"),
        (pools('<add name="a/b" />'), 4, "The 'name' attribute is invalid.  Invalid application pool name\r\n"),
    ],
)  # fmt: skip
def test_a_file_that_iis_cannot_take_is_an_error_with_its_line(
    shell: Shell, make_server: MakeServer, config: str, line: int, error: str
) -> None:
    """Nothing of a broken section can be read."""
    server = make_server(config)
    found = shell(server, "Caught { Section 'applicationPools' }")
    place = f"Line number: {line}\r\n" if line else ""
    assert found["text"] == f"Filename: \\\\?\\{server.config}\r\n{place}Error: {error}\r\n\r\n"
    assert (found["type"], found["code"]) == (COM, "0x800700B7" if "duplicate" in error else "0x8007000D")


def test_a_missing_file_or_folder_is_an_error_of_its_type(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG)
    server.config.unlink()
    code = "Caught { Section 'sites' }"
    text = f"Filename: \\\\?\\{server.config}\r\nError: Cannot read configuration file\r\n\r\n"
    found = shell(server, code)
    assert found == {"type": "System.IO.FileNotFoundException", "code": "0x80070002", "text": text}
    shutil.rmtree(server.config.parent)
    found = shell(server, code)
    assert found == {"type": "System.IO.DirectoryNotFoundException", "code": "0x80070003", "text": text}


def test_values_that_iis_does_not_take_are_refused_and_nothing_is_written(
    shell: Shell, make_server: MakeServer
) -> None:
    """Range, step, type and name are checked when a value is set."""
    server = make_server(CONFIG)
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Bare']
    $pm = $pool.ProcessModel
    [ordered]@{
        step = Caught { $pm.IdleTimeout = [TimeSpan]::FromSeconds(90) }
        range = Caught { $pm['idleTimeout'] = [TimeSpan]::FromDays(31) }
        negative = Caught { $pm.SetAttributeValue('idleTimeout', [TimeSpan]::FromMinutes(-1)) }
        text = Caught { $pm.SetAttributeValue('idleTimeout', '00:01:00') }
        null = Caught { $pm.SetAttributeValue('idleTimeout', $null) }
        enum = Caught { $pool.SetAttributeValue('startMode', 'Sometimes') }
        number = Caught { $pool.SetAttributeValue('startMode', 2) }
        flags = Caught { $pool.Recycling.SetAttributeValue('logEventOnRecycle', 'Time, Never') }
        uint = Caught { $pool.SetAttributeValue('queueLength', '500') }
        queue = Caught { $pool.QueueLength = 5 }
        unknown = Caught { $pool.GetAttribute('nonsense') }
        child = Caught { $pool.GetChildElement('nonsense') }
        left = @("$($pm.IdleTimeout)", "$($pool.StartMode)")
    }
    $m.CommitChanges()
    """
    found = shell(server, code)
    span = "Timespan value must be between 00:00:00 and 30.00:00:00 seconds inclusive, with a granularity of 60 seconds\r\n"
    for name in ("step", "range", "negative"):
        assert found[name] == {"type": COM, "code": "0x8007000D", "text": span}
    assert found["enum"]["text"] == found["number"]["text"] == "Enum must be one of OnDemand, AlwaysRunning\r\n"
    assert found["flags"]["text"].startswith("Flags must be some combination of Time, Requests")
    assert found["queue"]["text"] == "Integer value must be between 10 and 65535 inclusive\r\n"
    assert found["text"]["type"] == found["uint"]["type"] == "System.InvalidCastException"
    assert found["null"]["type"] == "System.ArgumentNullException"
    assert found["unknown"]["code"] == found["child"]["code"] == "0x80070585"
    assert found["left"] == ["00:05:00", "AlwaysRunning"]
    assert server.config.read_text() == CONFIG


def test_members_that_the_lab_does_not_play_say_so(shell: Shell, make_server: MakeServer) -> None:
    """No invented answers."""
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Own']
    @(
        Caught { $m.ApplicationPools.Clear() }
        Caught { $m.Sites.Add('x', 'http,https', '*:80:', 'C:\\x') }
        Caught { $m.get_WorkerProcesses() }
        Caught { $m.Sites['Main'].get_Bindings() }
        Caught { $pool.GetChildElement('failure') }
        Caught { $pool.get_Cpu() }
        Caught { $m.GetApplicationHostConfiguration().GetSection('system.webServer/asp') }
    ) | ForEach-Object { "$($_.type) $($_.text)" }
    """
    for text in shell(make_server(CONFIG), code):
        assert re.match(r"System.NotSupportedException .* does not offer \S+", text)
