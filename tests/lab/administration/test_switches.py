# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""Where the real answer is not known both are played; what runs; and the build."""

import subprocess
from pathlib import Path

import pytest

from tests.lab.administration.driver import CONFIG, NEEDS_PWSH, PWSH, SOURCES, MakeServer, Shell, pools

pytestmark = NEEDS_PWSH


def test_the_switches_play_the_other_answer(shell: Shell, make_server: MakeServer) -> None:
    code = """
    $m = Manager
    $pool = $m.ApplicationPools['Bare']
    $idle = $pool.ProcessModel.GetAttribute('idleTimeout')
    $found = [ordered]@{
        inherited = @($pool.GetAttribute('startMode').IsInheritedFromDefaultValue; $pool.GetAttribute('queueLength').IsInheritedFromDefaultValue)
        default = $idle.Schema.DefaultValue.GetType().Name
    }
    $pool.StartMode = 'OnDemand'
    $m.CommitChanges()
    $found
    """
    server = make_server(CONFIG)
    assert shell(server, code) == {"inherited": [False, True], "default": "UInt64"}
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()
    server = make_server(
        CONFIG, "# a comment", "inherited_from_defaults=true", "keep_schema_default=false", "timespan_default=timespan"
    )
    assert shell(server, code) == {"inherited": [True, True], "default": "TimeSpan"}
    assert server.config.read_text() == CONFIG
    server = make_server(pools('<add name="a/b" />'), "illegal_names=read")
    assert shell(server, "(Manager).ApplicationPools['A/B'].Name") == "a/b"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("delete_leaves=all", "delete_leaves is nothing or empty_element"),
        ("fail_commit=perhaps", "fail_commit=perhaps"),
        ("nonsense", "not key=value: nonsense"),
    ],
)
def test_a_switch_with_a_value_that_it_has_not_is_an_error(
    shell: Shell, make_server: MakeServer, line: str, says: str
) -> None:
    """A misspelt fault must not look like a fault survived. Other parts of the lab have keys of their own."""
    server = make_server(CONFIG, "computer=WEB01", line)
    code = "Caught { $m = Manager; $m.ApplicationPools['Own'].ProcessModel.Delete(); $m.CommitChanges() }"
    assert says in shell(server, code)["text"]


def test_pools_have_a_state_and_recycles_are_noted(shell: Shell, make_server: MakeServer) -> None:
    server = make_server(CONFIG, "stopped=bare")
    code = """
    $m = Manager
    $bare = $m.ApplicationPools['Bare']; $own = $m.ApplicationPools['Own']
    $refused = Caught { $bare.Recycle() }
    @("$($bare.State) $($own.State) $($refused.code) $($own.Recycle()) $($bare.Start()) $($bare.State) $($bare.Recycle()) $($own.Stop()) $($own.State)")
    """
    assert shell(server, code) == "Stopped Started 0x80070426 Started Started Started Started Stopped Stopped"
    assert server.log("recycles.log") == ["Own", "Bare"]


def test_the_build_refuses_a_version_that_the_schema_does_not_know(tmp_path: Path) -> None:
    assert PWSH is not None
    command = [str(PWSH), "-NoProfile", "-File", str(SOURCES / "build.ps1"), "-OutputPath", str(tmp_path / "X.dll")]
    result = subprocess.run([*command, "-FileVersion", "6.1.0.0"], capture_output=True, text=True, timeout=60)
    assert result.returncode != 0
    assert "FileVersion" in result.stderr
    assert not (tmp_path / "X.dll").exists()
