"""Windows events, whoever exported them: the same events are read of each, and what holds too little is refused."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from remediate.logs import OtherLog, find_files, read_blocks, read_events
from tests.conftest import remediate
from tests.unit.reading import samples
from tests.unit.reading.event_exports import SHAPES, events, nxlog_4

EXPECTED = samples.events("system.xml")
(ERROR, *_) = samples.occurrences("application.xml")


@pytest.mark.parametrize("list_of", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_events_are_read_of_every_export(shape: str, list_of: bool) -> None:
    """Source, id, time, host and pool; and of 1309 the exception, its application and pool, and its client."""
    lines = [SHAPES[shape](event) for event in events()]
    if list_of and lines[0].startswith("<"):
        pytest.skip("XML has no lists")
    text = "[\n" + ",\n".join(line.rstrip() for line in lines) + "\n]\n" if list_of else "".join(lines)
    reading = read_blocks([text.encode()], "x.json")
    assert reading.source.unparsed == 0 and reading.source.time_zone == "UTC"
    assert reading.events == EXPECTED
    (error,) = reading.occurrences
    assert error == replace(ERROR, source="x.json", line=error.line)


def test_a_time_without_a_zone_needs_it_to_be_given(tmp_path: Path) -> None:
    """NXLog up to 4 writes the server's wall clock."""
    export = tmp_path / "events.json"
    export.write_text("".join(map(nxlog_4, events())))
    refused = remediate("diagnose", "--events", export, expect=1)
    assert f"{export}: its events' times have no zone: give --time-zone" in refused.stderr
    assert refused.stderr.count("\n") == 1
    plain = tmp_path / "events.xml"
    plain.write_text("".join(map(SHAPES["XML of the source WAS"], events())))
    given, expected = (
        remediate("diagnose", "--events", file, "--time-zone", "+01:00", "--format", "json") for file in (export, plain)
    )
    assert json.loads(given.stdout)["streams"] == json.loads(expected.stdout)["streams"] != []
    assert json.loads(given.stdout)["sources"][0]["time_zone"] == "+01:00"


REFUSED = {
    "wevtutil's text (/f:text)": (
        "Event[0]:\n  Log Name: System\n  Source: Microsoft-Windows-WAS\n  Date: 2026-11-25T14:00:00.250\n"
        "  Event ID: 5186\n  Task: N/A\n  Level: Information\n  Opcode: N/A\n  Keyword: Classic\n  User: N/A\n"
        "  User Name: N/A\n  Computer: WEB01\n  Description: \nA worker process with process id of '4711' serving "
        "application pool 'Contoso Shop' was shutdown due to inactivity.\n\n"
    ),
    "Event Viewer's CSV": (
        "Level,Date and Time,Source,Event ID,Task Category\nInformation,11/25/2026 2:00:00 PM,"
        "Microsoft-Windows-WAS,5186,None,\"A worker process with process id of '4711' serving ...\"\n"
    ),
    "Event Viewer's CSV ": (
        "Ebene,Datum und Uhrzeit,Quelle,Ereignis-ID,Aufgabenkategorie\r\nInformationen,25.11.2026 14:00:00,"
        "Microsoft-Windows-WAS,5186,Keine,Ein Arbeitsprozess ...\r\n"
    ),
    "Event Viewer's text": (
        "Level\tDate and Time\tSource\tEvent ID\tTask Category\nInformation\t11/25/2026 2:00:00 PM\t"
        "Microsoft-Windows-WAS\t5186\tNone\tA worker process ...\n"
    ),
    "PowerShell's Export-Csv": (
        '#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n"Message","Id","Version","Qualifiers","Level"\n'
        '"A worker process ...","5186","0","16384","4"\n'
    ),
    "PowerShell's Export-Csv ": (
        '"EventID","MachineName","Data","Index","Category"\n"5186","WEB01","System.Byte[]","1021","(0)"\n'
    ),
    "PowerShell's Export-Csv  ": (
        '"Message";"Id";"Version";"Qualifiers";"Level"\r\n"Ein Arbeitsprozess ...";"5186";"0";"16384";"4"\r\n'
    ),
    "PowerShell's Export-Clixml": (
        '<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">\n  <Obj RefId="0">\n'
        '    <TN RefId="0">\n      <T>System.Diagnostics.Eventing.Reader.EventLogRecord</T>\n'
        '    <Props>\n      <I32 N="Id">5186</I32>\n      <S N="ProviderName">Microsoft-Windows-WAS</S>\n'
    ),
    "PowerShell's screen output": (
        "\n\n   ProviderName: Microsoft-Windows-WAS\n\nTimeCreated                      Id LevelDisplayName Message\n"
        "-----------                      -- ---------------- -------\n25.11.2026 14:00:00    5186 Information\n"
    ),
    "PowerShell's screen output ": (
        "\n\nTimeCreated  : 11/25/2026 2:00:00 PM\nProviderName : Microsoft-Windows-WAS\nId           : 5186\n"
    ),
    "no Windows events": samples.text("log4net.log"),
    "no Windows events ": samples.text("w3c.log"),
    "no Windows events  ": samples.text("elmah-many.xml"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_export_that_holds_too_little_is_refused_with_the_commands_that_hold_enough(
    what: str, tmp_path: Path
) -> None:
    export = tmp_path / "export"
    export.write_text(REFUSED[what])
    done = remediate("diagnose", "--events", export, expect=1)
    assert f"{export}: {what.strip()}" in done.stderr and done.stderr.count("\n") == 1
    assert "wevtutil qe System /f:xml /e:Events > System.xml" in done.stderr
    assert "Get-WinEvent -LogName System | ForEach-Object ToXml | Set-Content System.xml -Encoding UTF8" in done.stderr


def test_beside_good_exports_in_a_folder_it_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "Server" / "WEB01").mkdir(parents=True)
    (tmp_path / "Server" / "WEB01" / "System.xml").write_text(samples.text("system.xml"))
    (tmp_path / "Server" / "WEB01" / "System.txt").write_text(REFUSED["wevtutil's text (/f:text)"])
    # Without an application's log that nothing was found is no answer.
    done = remediate("diagnose", "--events", tmp_path / "Server", expect=3)
    assert f"{tmp_path}/Server/WEB01/System.txt: passed over: wevtutil's text (/f:text)" in done.stderr
    assert "System.xml: events, " in done.stdout


@pytest.mark.parametrize("empty", ["", "<Events></Events>", "<?xml version='1.0'?>\n<Events>\n</Events>\n", "[]\n"])
def test_an_export_without_events_is_no_other_file(empty: str, tmp_path: Path) -> None:
    """What a query gives that finds nothing."""
    (tmp_path / "empty").write_text(empty)
    (file,) = find_files([str(tmp_path / "empty")])
    reading = read_events(file)
    assert (reading.events, reading.occurrences, reading.source.unparsed) == ((), (), 0)


def test_only_what_is_named_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("2026-11-25 14:00:01 fine\n")
    (file,) = find_files([str(tmp_path / "x.log")])
    with pytest.raises(OtherLog, match=r"x\.log: no Windows events"):
        read_events(file)
