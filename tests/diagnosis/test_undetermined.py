"""What is not known is said to be: no fix is advised, what to collect is, and exit 0 is no clean bill (exit 3).

Logs written by hand, with stacks after the .NET Framework's and SignalR's published sources; SignalR's are those that
people posted in SignalR/SignalR#2447 and #3399, to which the article's link belongs.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from remediate.values.diagnoses import Stream
from remediate_lab.chance import Chance
from tests.diagnosis.command import diagnosis_of, run_diagnose

BEGIN = datetime(2026, 11, 9, tzinfo=UTC)
HEAD = (
    "System.Web.HttpException (0x80004005): An error occurred while communicating with the remote host. The error code "
)
HEAD += "is 0x80070032. ---> System.Runtime.InteropServices.COMException (0x80070032): The request is not supported.\n"
AGAIN = "   --- End of inner exception stack trace ---\n"
RAISED = "   at System.Web.Hosting.IIS7WorkerRequest.RaiseCommunicationError(Int32 result, Boolean throwOnDisconnect)\n"
FLUSHED = "   at System.Web.Hosting.IIS7WorkerRequest.ExplicitFlush()\n"
WRITTEN = "   at System.Web.HttpResponse.Flush(Boolean finalFlush, Boolean async)\n"
WRITTEN += "   at System.Web.HttpWriter.WriteFromStream(Byte[] data, Int32 offset, Int32 size)\n"
STACK = HEAD + AGAIN + RAISED + FLUSHED + WRITTEN
OWIN = "   at Microsoft.Owin.Host.SystemWeb.CallStreams.OutputStream.Write(Byte[] buffer, Int32 offset, Int32 count)\n"
# The article's frames below the flush: a page of a Web API, as a start-up request runs it too.
PAGE = "   at System.Net.Http.StreamToStreamCopy.BufferWrittenCallback(IAsyncResult ar)\n"
PAGE += "   at System.Web.Http.Owin.HttpMessageHandlerAdapter.<SendResponseMessageAsync>d__33.MoveNext()\n"
SIGNALR = "   at Microsoft.AspNet.SignalR.Owin.ServerResponse.Write(ArraySegment`1 data)\n"
POLLING = "   at Microsoft.AspNet.SignalR.Transports.LongPollingTransport.PerformPartialSend(Object state)\n"
DOWNLOAD = "   at System.Web.HttpResponse.TransmitFile(String filename, Int64 offset, Int64 length)\n"
DOWNLOAD += "   at System.Web.Mvc.FilePathResult.WriteFile(HttpResponseBase response)\n"
PUSHED = "   at System.Net.Http.PushStreamContent.<SerializeToStreamAsync>d__7.MoveNext()\n"

# Sixty errors at random times of ten days; and one each 21 minutes and some seconds.
CHANCE = Chance("scattered")
SCATTERED = sorted(BEGIN + timedelta(seconds=CHANCE.below(10 * 86400)) for _ in range(60))
PERIODIC = [BEGIN + timedelta(seconds=1263 * n + n * 37 % 50) for n in range(60)]


def write(folder: Path, times: Sequence[datetime], exception: str, name: str = "app.log") -> Path:
    log = folder / name
    log.write_text("".join(f"{time:%Y-%m-%d %H:%M:%S},000 [7] ERROR Shop - failed\n{exception}" for time in times))
    return log


def events(folder: Path, times: Sequence[datetime], number: int, pool: str = "Shop") -> Path:
    """The System log, as wevtutil exports it; the data are by the order of the documented message."""
    file = folder / "System.xml"
    file.write_text("<Events>" + "".join(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        f"Name='Microsoft-Windows-WAS'/><EventID>{number}</EventID><TimeCreated "
        f"SystemTime='{time:%Y-%m-%dT%H:%M:%S}.0000000Z'/></System>"
        f"<EventData><Data Name='ProcessID'>4</Data><Data Name='AppPoolID'>{pool}</Data></EventData></Event>"
        for time in times
    ) + "</Events>")  # fmt: skip
    return file


def diagnosed(folder: Path, *given: object) -> tuple[int, Stream]:
    code, diagnosis = diagnosis_of(folder, *given)
    (stream,) = diagnosis.streams
    return code, stream


@pytest.mark.parametrize(
    ("exception", "why"),
    [
        (HEAD, "the log has no stack"),
        (HEAD.replace(" (0x80070032)", ""), "the log has no stack"),
        ("System.Web.HttpException: 0x80070032\n", "the log has no stack"),
        (HEAD + AGAIN, "the log has no stack"),
        (HEAD + AGAIN + RAISED, "the log has not the whole stack"),
        (HEAD + AGAIN + RAISED[:60] + "\n", "the log has not the whole stack"),
        (HEAD + "   at System.Web.HttpApplication.ExecuteStep(IExecutionStep step) ...\n", "the log has not the whole"),
    ],
    ids=["message", "message without codes", "type alone", "no frame", "one frame", "half a frame", "cut by a logger"],
)
def test_without_the_frames_it_is_not_known(exception: str, why: str, tmp_path: Path) -> None:
    """Whatever the times look like. It is not said to be another fault, and the log to write is named."""
    log = write(tmp_path, PERIODIC, exception)
    code, stream = diagnosed(tmp_path, log)
    assert (code, stream.verdict, stream.fixes) == (3, "undetermined", ())
    assert stream.count == len(PERIODIC) and stream.reasons[1].startswith(why)
    assert "have the application log the whole exception, with its stack" in stream.reasons[2]
    text = run_diagnose(tmp_path, log)[1].decode()
    assert "this is not the fault" not in text and "fix: none yet: it is not known" in text
    assert "1 stream: 1 undetermined\n" in text


def test_another_stack_speaks_against_it(tmp_path: Path) -> None:
    """The stack is there, and another method raised it."""
    other = "   at System.Web.Hosting.IIS7WorkerRequest.FlushCore(Boolean keepConnected)\n"
    for stack in (RAISED + other, other + "   at System.Web.HttpRuntime.FinishRequest(HttpWorkerRequest wr)\n"):
        code, stream = diagnosed(tmp_path, write(tmp_path, PERIODIC, HEAD + AGAIN + stack))
        assert (code, stream.verdict) == (0, "unsupported")


@pytest.mark.parametrize("below", [OWIN + PAGE, OWIN + SIGNALR + POLLING, OWIN + SIGNALR, DOWNLOAD, PUSHED])
def test_the_exception_alone_is_not_enough(below: str, tmp_path: Path) -> None:
    """The article warns of just this: others cause it too. What would settle it is named."""
    log = write(tmp_path, SCATTERED, STACK + below)
    code, stream = diagnosed(tmp_path, log)
    assert (code, stream.verdict, stream.fixes) == (3, "undetermined", ())
    assert not any(symptom.state == "seen" for symptom in stream.symptoms.values())
    (collect,) = [reason for reason in stream.reasons if reason.startswith("to collect: ")]
    assert all(option in collect for option in ("--time-zone", "--events", "--iis-log", "--audit", "user agent"))
    assert any("none of this fault's symptoms was seen" in reason for reason in stream.reasons)
    page = run_diagnose(tmp_path, log, "--format", "html")[1].decode()
    assert '<span class="verdict undetermined">' in page and "to collect: " in page and "remediate plan" not in page


@pytest.mark.parametrize(
    ("below", "said"),
    [
        (OWIN + SIGNALR + POLLING, "they write to a SignalR connection, which a client opens"),
        (SIGNALR + OWIN, "they write an answer of SignalR"),
        (DOWNLOAD, "they write a file's download"),
        (PUSHED, "they write a streamed response (PushStreamContent)"),
    ],
)
def test_a_clients_own_response_speaks_against_it(below: str, said: str, tmp_path: Path) -> None:
    """A period alone does not outweigh it: clients come back in a rhythm too. The frames are named."""
    code, stream = diagnosed(tmp_path, write(tmp_path, PERIODIC, STACK + below))
    assert (code, stream.verdict, stream.fixes) == (3, "undetermined", ())
    assert stream.symptoms["periodic"].state == "seen"
    assert any("its frames speak against this fault: " + said in reason for reason in stream.reasons)
    code, stream = diagnosed(tmp_path, write(tmp_path, PERIODIC, STACK + OWIN + PAGE))
    assert (code, stream.verdict) == (2, "consistent"), "the article's own frames say nothing of a client"


def test_idle_stops_outweigh_a_download_and_never_a_connection(tmp_path: Path) -> None:
    """A start-up page may send a file. An idle worker has no client, so its stop disturbs none; a recycle does."""
    zone = ("--time-zone", "UTC")
    before = [time - timedelta(seconds=4) for time in PERIODIC]
    stops = events(tmp_path, before, 5186)
    code, stream = diagnosed(tmp_path, write(tmp_path, PERIODIC, STACK + DOWNLOAD), "--events", stops, *zone)
    assert (code, stream.verdict) == (2, "confirmed") and "speak against" in stream.reasons[1]
    code, stream = diagnosed(tmp_path, write(tmp_path, PERIODIC, STACK + POLLING), "--events", stops, *zone)
    assert (code, stream.verdict) == (3, "undetermined")
    spread = SCATTERED[::3]
    recycles = events(tmp_path, [time - timedelta(seconds=4) for time in spread], 5079)
    code, stream = diagnosed(tmp_path, write(tmp_path, spread, STACK + DOWNLOAD), "--events", recycles, *zone)
    assert (code, stream.verdict) == (3, "undetermined")
    code, stream = diagnosed(tmp_path, write(tmp_path, spread, STACK + PAGE), "--events", recycles, *zone)
    assert (code, stream.verdict) == (2, "confirmed")


def test_one_undetermined_stream_decides_the_exit_code(tmp_path: Path) -> None:
    """Of 3 and 2 the first is given; another code, which is known, changes nothing."""
    known = write(tmp_path, PERIODIC, STACK + PAGE, "known.log")
    other = write(tmp_path, PERIODIC[:5], HEAD.replace("0x80070032", "0x800704CD"), "other.log")
    code, diagnosis = diagnosis_of(tmp_path, known, other)
    assert (code, [s.verdict for s in diagnosis.streams]) == (2, ["consistent", "other-cause"])
    bare = write(tmp_path, SCATTERED, HEAD, "bare.log")
    code, diagnosis = diagnosis_of(tmp_path, known, other, bare)
    assert code == 3
    assert sorted(s.verdict for s in diagnosis.streams) == ["consistent", "other-cause", "undetermined"]


def test_nothing_found_is_an_answer_only_where_something_was_read(tmp_path: Path) -> None:
    """Lines of a log: exit 0. None, an entry that is not understood, or events alone, which hold none: exit 3."""
    log, empty, broken = tmp_path / "app.log", tmp_path / "empty.log", tmp_path / "broken.json"
    log.write_text("2026-11-09 04:00:00,000 [1] INFO Shop - all is well\n")
    empty.write_text("")
    broken.write_text('{"@t":"2026-11-09T04:00:00Z","@m":"fine"}\n{"@t": HttpException 0x80070032 not JSON\n')
    stops = events(tmp_path, PERIODIC, 5186)
    said = "0 streams: no exception of this kind is in what was read"
    for given, code, why in (
        ((log,), 0, "\n"),
        ((log, empty), 0, "\n"),
        ((empty,), 3, "; no line of an application's log is in it"),
        (("--events", stops), 3, "; no line of an application's log is in it"),
        ((broken,), 3, "; 1 entries of the logs that may hold one were not understood"),
    ):
        found, text = run_diagnose(tmp_path, *given)
        assert (found, said + why in text.decode()) == (code, True), given
