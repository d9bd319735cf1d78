# ruff: noqa: E501 - scripts and XML stand in the lines that they are sent in
"""Commits and their failures: other editors, locks, rights, late writes."""

import fcntl
import subprocess
from pathlib import Path

import pytest

from tests.lab.administration.driver import (
    CONFIG,
    LOAD,
    NEEDS_PWSH,
    SET_BARE,
    MakeServer,
    Shell,
    answer,
    changed,
    pools,
    until,
)

pytestmark = NEEDS_PWSH


def test_a_manager_keeps_its_picture_and_refuses_to_write_over_another_edit(
    shell: Shell, make_server: MakeServer
) -> None:
    """The stale object fails each time; a fresh one reads the other's edit and succeeds."""
    server = make_server(CONFIG)
    code = """
    $stale = Manager
    $pool = $stale.ApplicationPools['Bare']
    $other = Manager
    $other.ApplicationPools['Own'].AutoStart = $true
    $other.CommitChanges()
    $seen = $stale.ApplicationPools['Own'].AutoStart
    $pool.AutoStart = $false
    $errors = @(Caught { $stale.CommitChanges() }; Caught { $stale.CommitChanges() })
    $fresh = Manager
    $fresh.ApplicationPools['Bare'].AutoStart = $false
    $fresh.CommitChanges()
    [ordered]@{ seen = $seen; errors = $errors; pools = @((Manager).ApplicationPools | ForEach-Object AutoStart) }
    """
    assert shell(server, code) == {"seen": False, "errors": [changed(server)] * 2, "pools": [False, True]}


def test_after_a_commit_old_references_are_read_only_and_new_ones_are_fresh(
    shell: Shell, make_server: MakeServer
) -> None:
    """The real one says so in as many words; the manager itself goes on."""
    code = """
    $m = Manager
    $old = $m.ApplicationPools['Bare']
    $old.AutoStart = $false
    $m.CommitChanges()
    $refused = Caught { $old.AutoStart = $true }
    $m.ApplicationPools['Bare'].StartMode = 'OnDemand'
    $m.CommitChanges()
    $m.CommitChanges()
    $m.Dispose()
    [ordered]@{ refused = $refused; old = "$($old.AutoStart) $($old.StartMode)"; new = "$((Manager).ApplicationPools['Bare'].StartMode)"; disposed = Caught { $m.get_Sites() } }
    """
    found = shell(make_server(CONFIG), code)
    assert found["refused"]["type"] == "System.InvalidOperationException"
    assert found["refused"]["text"].startswith("The configuration object is read only, because it has been committed")
    assert (found["old"], found["new"]) == ("False AlwaysRunning", "OnDemand")
    assert found["disposed"]["type"] == "System.ObjectDisposedException"


def test_a_file_that_someone_holds_is_in_use(shell: Shell, make_server: MakeServer) -> None:
    """Held by a reader it cannot be written, held by a writer not even read."""
    server = make_server(CONFIG)
    for lock, verb, code in [(fcntl.LOCK_SH, "write", SET_BARE), (fcntl.LOCK_EX, "read", "Section 'sites'")]:
        with server.config.open("rb") as held:
            fcntl.flock(held, lock)
            found = shell(server, f"Caught {{ {code} }}")
        text = f"Filename: \\\\?\\{server.config}\r\nError: Cannot {verb} configuration file\r\n\r\n"
        assert found == {"type": LOAD, "code": "0x80070020", "text": text}
    assert server.config.read_text() == CONFIG
    shell(server, SET_BARE)
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()


def test_two_commits_at_once_lose_neither(shell: Shell, make_server: MakeServer) -> None:
    """Of two processes that read the same file, one fails and finds the other's edit when it reads again."""
    server = make_server(pools(*(f'<add name="P{number}" />' for number in range(4))))
    code = """
    $null = New-Item -Path "$env:windir/ready%d"
    while (-not (Test-Path "$env:windir/go")) { Start-Sleep -Milliseconds 5 }
    $failures = 0
    foreach ($round in 1..15) {
        while ($true) {
            $m = Manager
            $pool = $m.ApplicationPools['P%d']
            $pool.QueueLength = 1000 + $round
            try { $m.CommitChanges(); break } catch { if ((Innermost $_.Exception).type -ne 'System.IO.FileLoadException') { throw }; $failures++ }
        }
    }
    $failures
    """
    processes = [shell.alone(server, code % (number, number)) for number in range(4)]
    until(lambda: len(list(server.windows.glob("ready*"))) == 4)
    (server.windows / "go").touch()
    failures = [answer(process.communicate(timeout=600)[0]) for process in processes]
    expected = pools(*(f'<add name="P{number}" queueLength="1015" />' for number in range(4)))
    assert server.config.read_text() == expected
    assert sum(failures) > 0, "the processes never met: this run showed nothing"


@pytest.mark.parametrize("fault", ["changed", "in_use"])
def test_the_first_commits_can_be_made_to_fail_across_processes(
    shell: Shell, make_server: MakeServer, fault: str
) -> None:
    """fail_commit counts for the server, not for the process."""
    server = make_server(CONFIG, f"fail_commit={fault}:2", "changed_hresult=0x800703EE")
    code = f"Caught {{ {SET_BARE} }}"
    first = answer(shell.alone(server, code).communicate(timeout=600)[0])
    assert first["type"] == LOAD
    assert first["code"] == {"changed": "0x800703EE", "in_use": "0x80070020"}[fault]
    assert shell(server, code) == first
    assert server.config.read_text() == CONFIG
    assert shell(server, code) == "nothing"
    assert server.config.read_text() != CONFIG


def test_rights_that_are_missing_name_the_file(shell: Shell, make_server: MakeServer) -> None:
    """Not an administrator: redirection.config cannot be read. A commit that is denied leaves the file alone."""
    server = make_server(CONFIG, "deny_read=true")
    denied = {"type": "System.UnauthorizedAccessException", "code": "0x80070005"}
    path = server.config.parent / "redirection.config"
    text = "Filename: \\\\?\\{}\r\nError: Cannot {} configuration file due to insufficient permissions\r\n\r\n"
    assert shell(server, "Caught { Section 'applicationPools' }") == denied | {"text": text.format(path, "read")}
    server.lab("fail_commit=denied")
    assert shell(server, f"Caught {{ {SET_BARE} }}") == denied | {"text": text.format(server.config, "write")}
    assert server.config.read_text() == CONFIG


def test_someone_else_can_save_the_file_at_that_very_moment(
    shell: Shell, make_server: MakeServer, tmp_path: Path
) -> None:
    """on_commit: the other's file stands, the commit fails once, and reading again shows the other's values."""
    other = tmp_path / "other.config"
    other.write_text(CONFIG.replace('name="Bare"', 'name="Bare" queueLength="77"'))
    server = make_server(CONFIG, f"on_commit={other}")
    assert shell(server, f"Caught {{ {SET_BARE} }}") == changed(server)
    assert server.config.read_text() == other.read_text()
    assert shell(server, f"Caught {{ {SET_BARE} }}; (Manager).ApplicationPools['Bare'].QueueLength") == ["nothing", 77]


def test_the_process_can_end_between_the_write_and_the_proof(shell: Shell, make_server: MakeServer) -> None:
    """after_commit=exit ends with code 9, hang never returns; the file is written in both cases."""
    server = make_server(CONFIG, "after_commit=exit")
    process = shell.alone(server, SET_BARE)
    assert process.communicate(timeout=600)[0] == ""
    assert process.returncode == 9
    written = server.config.read_text()
    assert 'name="Bare" startMode="OnDemand"' in written
    server = make_server(CONFIG, "after_commit=hang")
    process = shell.alone(server, SET_BARE)
    try:
        until(lambda: server.config.read_text() == written)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("end", ["", "; exit 3"])
def test_the_file_can_change_later_than_the_commit_returns(shell: Shell, make_server: MakeServer, end: str) -> None:
    """commit_delay_ms: neither the process's end nor an exit loses the write."""
    server = make_server(CONFIG, "commit_delay_ms=1500")
    process = shell.alone(server, SET_BARE + end)
    process.communicate(timeout=600)
    assert process.returncode == (3 if end else 0)
    assert 'name="Bare" startMode="OnDemand"' in server.config.read_text()


def test_until_the_late_write_a_fresh_manager_reads_the_old_values(shell: Shell, make_server: MakeServer) -> None:
    """So a proof has to wait; and another commit does not lose the one that is still to be written."""
    code = (
        SET_BARE
        + """
    $first = "$((Manager).ApplicationPools['Bare'].StartMode)"
    $until = [DateTime]::UtcNow.AddSeconds(30)
    while ((Manager).ApplicationPools['Bare'].StartMode -ne 'OnDemand' -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 20 }
    $m = Manager; $m.ApplicationPools['Own'].AutoStart = $true; $late = Manager; $late.ApplicationPools['Bare'].QueueLength = 11
    $m.CommitChanges()
    $second = Caught { $late.CommitChanges() }
    @($first, "$((Manager).ApplicationPools['Bare'].StartMode)", $second.type, (Manager).ApplicationPools['Own'].AutoStart)
    """
    )
    server = make_server(CONFIG, "commit_delay_ms=200")
    assert shell(server, code) == ["AlwaysRunning", "OnDemand", LOAD, True]
