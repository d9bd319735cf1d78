"""What the scripts must refuse, and how they must write."""

import json
from concurrent.futures import ThreadPoolExecutor

from tests.conftest import wait_for
from tests.powershell.bench import Bench
from tests.powershell.scenarios import IDLE, SHOP, Scenario, change, only, pool, refused, share, written


def what_means_nothing_is_refused(bench: Bench) -> None:
    refused(bench, change(set="20"), said="'20' is not a time span")
    refused(bench, change(given={"startMode": "Sometimes"}), said="'Sometimes' is not a value of startMode")
    refused(bench, change(given={"autoStart": "perhaps"}), said="'perhaps' is neither true nor false (autoStart)")
    refused(bench, change(set=None), said="either 'set' or 'clear: true'")
    refused(bench, change(), backup="mine", said="must be 'remediate-'")
    refused(bench, change(), pools_per_commit=0, said="must be 1 or more")


def what_changed_since_the_plan_is_refused(bench: Bench) -> None:
    """With the reason in the operator's words, and nothing written."""
    reasons = [
        (change(pool="Nobody"), "the pool is not there"),
        (change(expect="00:21:00"), "expected 00:21:00, found 00:20:00"),
        (change(given={"startMode": "OnDemand"}), "expected startMode OnDemand, found AlwaysRunning"),
        (change(given={"managedRuntimeVersion": "v2.0"}), "expected managedRuntimeVersion v2.0, found v4.0"),
    ]
    for wrong, detail in reasons:
        result = refused(bench, wrong, said="changed since the plan")
        assert (result["stale"], result["changed"]) == (True, False)
        assert only(result)["detail"] == detail
    bench.edit(
        'startMode="AlwaysRunning">\r\n                <processModel identityType',
        '>\r\n                <processModel idleTimeout="00:05:00" identityType',
    )
    clear = change(set=None, clear=True, expect="00:05:00", inherits="00:30:00")
    result = refused(bench, clear, said="changed since the plan")
    assert only(result)["detail"] == "clearing it would give 00:20:00, not 00:30:00"


def another_machine_is_refused(bench: Bench) -> None:
    result = refused(bench, change(), machine="WEB99.lab.example", said="another machine answers here")
    assert result["stale"] is True


def check_mode_writes_nothing_and_shows_the_diff(bench: Bench) -> None:
    bench.edit('<add name="Reports"', '<add name="Re&#x85;ports"')
    before = bench.config.read_bytes()
    result = bench.settings(
        change(given={"autoStart": "true", "startMode": "alwaysrunning"}),
        change(attribute="startMode", expect="AlwaysRunning", set="OnDemand"),
        change(pool="Re\x85ports", expect="00:00:00", set="00:10:00"),
        check=True,
    )
    assert result["changed"] is True
    assert result["diff"]["prepared"] == (
        f"pool: {SHOP}\n  {IDLE}: 00:20:00 -> 00:00:00\n  startMode: AlwaysRunning -> OnDemand\n"
        f"pool: Re\\u0085ports\n  {IDLE}: 00:00:00 -> 00:10:00\n"
    )
    assert bench.config.read_bytes() == before


def a_change_is_written_once_and_cleared_again(bench: Bench) -> None:
    before = bench.config.read_bytes()
    result = bench.settings(change(), machine="web01.LAB.example")
    assert (result["changed"], written(result), only(result)["found_source"]) == (True, [True], "schema")
    again = bench.settings(change())
    assert (again["changed"], only(again)["state"]) == (False, "ok")
    result = bench.settings(change(set=None, clear=True, expect="00:00:00", inherits="00:20:00"))
    assert (written(result), only(result)["wanted"]) == ([True], "00:20:00")
    assert result["diff"]["prepared"].endswith("00:00:00 -> 00:20:00 (inherited)\n")
    assert bench.config.read_bytes() == before


def many_pools_go_in_several_commits(bench: Bench) -> None:
    bench.edit('name="DefaultAppPool" />', 'name="DefaultAppPool" startMode="AlwaysRunning" />')
    changes = [
        change(pool=name, attribute="startMode", expect="AlwaysRunning", set="OnDemand")
        for name in ("DefaultAppPool", SHOP, "Reports")
    ]
    result = bench.settings(*changes, pools_per_commit=2, pause=1)
    assert written(result) == [True] * 3
    assert bench.config.read_text().count("AlwaysRunning") == 0


def a_conflict_is_read_compared_and_tried_again(bench: Bench) -> None:
    for fault in ("changed:2", "in_use:1"):
        bench.fresh(fail_commit=fault)
        assert written(bench.settings(change())) == [True], fault
    bench.fresh(fail_commit="changed:9")
    result = refused(bench, change(), said="could not be written")
    assert (result["changed"], written(result)) == (False, [False])


def a_conflict_is_known_by_its_type_or_its_code(bench: Bench) -> None:
    """Not by its text, which is translated; however deep it is wrapped."""
    code = """
        $made = New-Object System.Runtime.InteropServices.COMException 'Zugriff', ([int]$given.code)
        try { throw (New-Object System.InvalidOperationException 'outer', $made) } catch { Test-IisFileConflict $_ }
    """
    in_use, denied = 0x80070020 - 2**32, 0x80070005 - 2**32
    assert [bench.code(code, code=number) for number in (in_use, denied)] == [[True], [False]]


def a_refused_commit_is_a_failure(bench: Bench) -> None:
    """No right to write: said, and nothing counts as written."""
    bench.knobs(fail_commit="denied")
    result = refused(bench, change(), said="the configuration could not be written", verify_seconds=0)
    assert (result["changed"], result["stale"], only(result)["written"]) == (False, False, False)


def somebody_else_between_the_look_and_the_commit(bench: Bench) -> None:
    """His other value makes the change stale; the very value that we wanted makes it done."""
    other = bench.windows.parent / "other.config"
    theirs = bench.config.read_bytes().replace(
        b'identityType="SpecificUser"', b'idleTimeout="00:07:00" identityType="SpecificUser"'
    )
    other.write_bytes(theirs)
    bench.knobs(on_commit=str(other))
    result = bench.settings(change())
    assert result["failed"] and "changed while this ran" in result["msg"]
    assert (result["stale"], result["changed"]) == (True, False)
    assert bench.config.read_bytes() == theirs
    bench.fresh(on_commit=str(other))
    other.write_bytes(theirs.replace(b"00:07:00", b"00:00:00"))
    result = bench.settings(change())
    assert (result["changed"], only(result)["state"], only(result)["written"]) == (False, "ok", False)


def a_share_that_is_denied_names_the_second_hop(bench: Bench) -> None:
    """Reading it and writing it; and what is denied on the server itself has nothing to do with a share."""
    folder = share(bench)
    words = (
        folder,
        "no second hop",
        "CredSSP, Kerberos with delegation, or Basic over HTTPS",
        "insufficient permissions",
    )
    bench.knobs(deny_share="true")
    error = bench.inspect()["error"]
    assert (error["type"], error["hresult"]) == ("System.UnauthorizedAccessException", "0x80070005")
    result = bench.module("app_pool_info")
    assert result["failed"]
    refusal = bench.settings(change())
    bench.knobs(deny_share="false", fail_commit="denied")
    unwritten = bench.settings(change())
    assert refusal["failed"] and "could not be compared" in refusal["msg"]
    assert unwritten["failed"] and "the configuration could not be written" in unwritten["msg"]
    for said in (error["message"], result["msg"], refusal["msg"], unwritten["msg"]):
        assert all(word in said for word in words), said
    bench.fresh(fail_commit="denied")
    assert "share" not in bench.settings(change())["msg"]


def a_value_that_iis_does_not_keep_is_not_reported_as_verified(bench: Bench) -> None:
    """Where setting the schema's default leaves nothing in the file, the pool inherits another value afterwards."""
    bench.knobs(keep_schema_default="false")
    bench.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="01:30:00" />')
    back = change(pool="Reports", expect="00:00:00", set="00:20:00")
    result = bench.settings(back, verify_seconds=0)
    assert result["failed"] and "not seen on a fresh look" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)


def a_late_file_is_waited_for(bench: Bench) -> None:
    bench.knobs(commit_delay_ms="600")
    assert written(bench.settings(change())) == [True]
    bench.fresh(commit_delay_ms="3600000")
    result = bench.settings(change(), verify_seconds=0)
    assert result["failed"] and "not seen on a fresh look" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)
    bench.close()  # the commit that is still waiting in it must not come in another one's way


def a_server_that_falls_silent_after_the_commit(bench: Bench) -> None:
    """Written, and then it cannot be read again: a failure, with the word that it was written."""
    # The fault that never comes leaves a file behind when the commit begins: then the right to read is taken away.
    bench.knobs(fail_commit="changed:0", commit_delay_ms="3600000")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(bench.settings, change())
        wait_for((bench.windows / "lab.fail_commit.count").exists, "the commit")
        bench.deny_read()
        result = running.result()
    assert result["failed"] and "written, but the configuration could not be read again" in result["msg"]
    assert (only(result)["written"], only(result)["verified"], result["changed"]) == (True, False, True)
    bench.close()  # the commit that is still waiting in it must not come in another one's way


def an_odd_name_is_shown_and_written(bench: Bench) -> None:
    """No code page, quote or template has a say in it."""
    name = "Ünï 'x' {{ y }} $(calc) %PATH%"
    data = bench.config.read_bytes()
    bench.config.write_bytes(data.replace(f'name="{SHOP}"'.encode(), f'name="{name}"'.encode()))
    assert [p["name"] for p in bench.inspect()["pools"]] == ["DefaultAppPool", name, "Reports"]
    result = bench.settings(change(pool=name.upper(), set="1.02:00:00"))
    assert (written(result), only(result)["wanted"]) == ([True], "1.02:00:00")


def only_our_own_backups_are_removed(bench: Bench) -> None:
    root = bench.windows / "System32/inetsrv/backup"
    # The second is of no run: a line's end stands behind it.
    others = ("remediate-golden", "remediate-20250101T000000Z\n", "mine")
    for name in others:
        (root / name).mkdir(parents=True)
    for number in range(7):
        wanted, expected = ("00:00:00", "00:20:00") if number % 2 == 0 else ("00:20:00", "00:00:00")
        bench.settings(change(set=wanted, expect=expected), backup=f"remediate-20260101T00000{number}Z")
    kept = {path.name for path in root.iterdir()}
    assert kept == {*others, *(f"remediate-20260101T00000{number}Z" for number in range(2, 7))}


def an_older_iis_lacks_attributes(bench: Bench) -> None:
    """IIS 7.5 has no idleTimeoutAction and no preload: they are left out, and a change that needs one is stale."""
    bench.config.write_text(bench.config.read_text().replace(' preloadEnabled="true"', ""))
    seen = bench.info()
    assert seen["iis_version"] == "7.5"
    assert "processModel.idleTimeoutAction" not in pool(seen, SHOP)["attributes"]
    assert "processModel.idleTimeoutAction" not in seen["defaults"]
    assert all("preloadEnabled" not in a for p in seen["pools"] for a in p["applications"])
    result = refused(
        bench, change(given={"processModel.idleTimeoutAction": "Terminate"}), said="changed since the plan"
    )
    assert only(result)["detail"] == "this version of IIS does not know processModel.idleTimeoutAction"
    needed = """
        $change = @{
            scope = 'pool'; pool = 'Reports'; attribute = 'processModel.idleTimeoutAction'; expect = ''; set = ''
            given = @{}; clear = $false; inherits = $null
        }
        (Compare-IisChange (Open-IisSnapshot) $change).detail
    """
    assert bench.code(needed) == ["this version of IIS does not know the attribute"]


def no_password_is_printed(bench: Bench) -> None:
    said = json.dumps([bench.inspect(), bench.module("app_pool_info"), bench.settings(change())])
    assert b"canary-b5b1f2d0" in bench.config.read_bytes()
    assert "canary-b5b1f2d0" not in said


WRITING_ON_IIS_10: list[Scenario] = [
    a_share_that_is_denied_names_the_second_hop,
    what_means_nothing_is_refused,
    what_changed_since_the_plan_is_refused,
    another_machine_is_refused,
    check_mode_writes_nothing_and_shows_the_diff,
    a_change_is_written_once_and_cleared_again,
    many_pools_go_in_several_commits,
    a_conflict_is_read_compared_and_tried_again,
    a_conflict_is_known_by_its_type_or_its_code,
    a_refused_commit_is_a_failure,
    somebody_else_between_the_look_and_the_commit,
    a_value_that_iis_does_not_keep_is_not_reported_as_verified,
    a_late_file_is_waited_for,
    a_server_that_falls_silent_after_the_commit,
    an_odd_name_is_shown_and_written,
    only_our_own_backups_are_removed,
    no_password_is_printed,
]
WRITING_ON_IIS_7_5: list[Scenario] = [an_older_iis_lacks_attributes]
