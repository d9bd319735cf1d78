"""What the scripts must tell of a server's event logs, as scenarios.py has it for its configuration."""

import json
from datetime import timedelta
from typing import Any

from remediate.iis.events import MEANING
from tests.eventlog import FLUSHED, WAS, ago, boot, event, every, unhandled, worker, write_log
from tests.powershell.bench import Bench
from tests.powershell.scenarios import SHOP, Scenario

DOMAIN = "/LM/W3SVC/1/ROOT/shop-1-133812345678901234"


def told(bench: Bench, days: int = 7) -> Any:
    """What the module tells of the event logs; sooner had than an inspection."""
    result = bench.module("app_pool_info", evidence_days=days)
    assert not result.get("failed"), result
    return result["inspection"]["evidence"]


def second(time: Any) -> str:
    return str(time.strftime("%Y-%m-%dT%H:%M:%SZ"))


def what_was_asked_for_is_told(bench: Bench) -> None:
    """Only those events, only of those days, the newest first; by the audit's script and by the module alike."""
    stops = every(ago(hours=5), timedelta(minutes=21), 3)
    old, up, start = ago(days=8), ago(hours=9), ago(hours=8)
    write_log(
        bench.windows, "System",
        [
            worker(old, 5186, SHOP), boot(up), boot(up, "EventLog", 6005), worker(start, 5079, "Ünï"),
            *(worker(time, 5186, SHOP) for time in stops), worker(ago(hours=1), 5057, SHOP),
            boot(ago(minutes=5), "Microsoft-Windows-Kernel-General", 13),
        ],
    )  # fmt: skip
    write_log(bench.windows, "Application", [unhandled(stops[0], DOMAIN)])
    evidence = bench.inspect(7)["evidence"]
    assert evidence["events"] == [
        *({"time": second(time), "id": 5186, "pool": SHOP} for time in reversed(stops)),
        {"time": second(start), "id": 5079, "pool": "Ünï"},
        {"time": second(up), "id": 6005, "pool": None},
        {"time": second(up), "id": 12, "pool": None},
    ]
    assert evidence["errors"] == [
        {
            "time": second(stops[0]), "code": "0x80070032", "application": "/LM/W3SVC/1/ROOT/shop", "local": True,
            "streaming": None, "raised": True, "flushed": True, "entity_read": False,
        }
    ]  # fmt: skip
    assert evidence["logs"] == {
        "System": {"oldest": second(old), "complete": True, "detail": None},
        "Application": {"oldest": second(stops[0]), "complete": True, "detail": None},
    }
    assert {**told(bench), "since": None, "until": None} == {**evidence, "since": None, "until": None}
    assert len(told(bench, days=1)["events"]) == 6
    assert len(told(bench, days=9)["events"]) == 7


def nothing_is_told_unless_it_is_asked_for(bench: Bench) -> None:
    write_log(bench.windows, "System", [worker(ago(hours=1), 5186, SHOP)])
    assert "evidence" not in bench.inspect() and "evidence" not in bench.info()
    for days in (-1, 91):
        result = bench.module("app_pool_info", evidence_days=days)
        assert result["failed"] and "evidence_days must be 0 to 90" in result["msg"]


def an_exception_is_told_by_its_code_and_frames(bench: Bench) -> None:
    """Its texts stay on the server, whatever a user typed; and so does any exception of another kind or code."""
    canary = "canary-7c1d"
    gone = FLUSHED.replace("0x80070032", "0x800704cd")
    body = "The error code is 0x800703E3.\n at System.Web.Hosting.IIS7WorkerRequest.ReadEntityCoreSync(Byte[] buffer)"
    message = f"user {canary} gave 0x80070032 as RaiseCommunicationError\x85 and ExplicitFlush"
    times = every(ago(hours=5), timedelta(minutes=3), 7)
    file = unhandled(times[5], DOMAIN, "0x80070032").replace(">HttpException<", ">IOException<")
    write_log(
        bench.windows, "Application",
        [
            unhandled(times[0], DOMAIN, address="::1", url=f"?password={canary}", user=canary),
            unhandled(times[1], f"/LM/W3SVC/12/ROOT-{canary}", gone, "10.0.0.7"),
            unhandled(times[2], "/LM/W3SVC/12/ROOT-3-132613921170228973", body, ""),
            unhandled(times[3], DOMAIN, message),
            unhandled(times[4], DOMAIN, f"no code: {canary}", stack=f"   at A.B({canary}) 0x80070057"),
            unhandled(times[5], DOMAIN, f"none of them: 0x80004005 {canary}"), file,
            worker(times[6], 1309, canary).replace("Microsoft-Windows-WAS", "ASP.NET 2.0.50727.0"),
        ],
    )  # fmt: skip
    evidence = told(bench)
    shown = [
        (e["code"], e["application"], e["local"], e["raised"], e["flushed"], e["entity_read"])
        for e in reversed(evidence["errors"])
    ]
    shop, root = "/LM/W3SVC/1/ROOT/shop", "/LM/W3SVC/12/ROOT"
    assert shown == [
        ("0x80070032", shop, True, True, True, False),
        ("0x800704CD", None, False, True, True, False),
        ("0x800703E3", root, None, False, False, True),
        ("0x80070032", shop, True, False, False, False),
        ("0x80070057", shop, True, False, False, False),
    ]
    assert canary in (bench.windows / "System32/winevt/Logs/Application.xml").read_text()
    assert canary not in json.dumps([evidence, bench.inspect(7)])


def a_log_that_cannot_be_read_is_told(bench: Bench) -> None:
    """And is no failure: denied, missing, disabled, empty, or with events that mean nothing."""
    write_log(bench.windows, "System", [worker(ago(hours=2), 5186, SHOP)])
    bench.knobs(event_log=("System:denied", "Application:missing"))
    seen = told(bench)
    denied, missing = seen["logs"]["System"], seen["logs"]["Application"]
    assert (denied["oldest"], denied["detail"].split("(")[-1]) == (None, "System.UnauthorizedAccessException)")
    assert denied["detail"].startswith("not fully readable: ")
    assert missing["detail"].endswith("(System.Diagnostics.Eventing.Reader.EventLogNotFoundException)")
    assert (seen["events"], seen["errors"]) == ([], [])
    bench.knobs(event_log="System:disabled")
    seen = told(bench)
    assert seen["logs"]["System"]["detail"] == "the log is disabled"
    assert seen["logs"]["Application"] == {"oldest": None, "complete": True, "detail": None}
    assert [e["id"] for e in seen["events"]] == [5186]
    odd = ago(hours=1).strftime("%Y-%m-%dT%H:%M:%S+00:00")
    bench.fresh()
    write_log(bench.windows, "System", [worker(ago(hours=2), 5186, None), worker(odd, 5186, SHOP)])
    seen = told(bench)
    assert seen["logs"]["System"]["detail"] == "1 of its events could not be read"
    assert [e["pool"] for e in seen["events"]] == [None]
    write_log(bench.windows, "System", [worker(odd, 5186, SHOP)])
    assert "no time that can be read" in told(bench)["logs"]["System"]["detail"]


def a_name_that_is_too_long_hides_no_other_event(bench: Bench) -> None:
    """Any user may write such an event. It is counted; names as long as that are no names of IIS."""
    long, most = "x" * 1025, "/LM/W3SVC/1/ROOT/".ljust(1024, "x")
    write_log(bench.windows, "System", [worker(ago(hours=3), 5186, long), worker(ago(hours=2), 5186, SHOP)])
    domains = [most, f"{most}x", DOMAIN]
    write_log(bench.windows, "Application", [unhandled(ago(hours=2), domain) for domain in domains])
    seen = told(bench)
    assert [e["pool"] for e in seen["events"]] == [SHOP]
    assert [e["application"] for e in seen["errors"]] == ["/LM/W3SVC/1/ROOT/shop", most]
    assert {log["detail"] for log in seen["logs"].values()} == {"1 of its events could not be read"}


def a_pool_is_known_by_its_place_where_the_data_have_no_names(bench: Bench) -> None:
    """Behind the process or before it, as the message's text has it; a pool may be called by a number."""
    time = every(ago(hours=9), timedelta(minutes=1), 5)
    write_log(
        bench.windows, "System",
        [
            event(time[0], WAS, 5186, "System", [(None, "4528"), (None, "007"), (None, "20")]),
            event(time[1], WAS, 5195, "System", [(None, "4528"), (None, SHOP), (None, "20"), (None, "5")]),
            event(time[2], WAS, 5010, "System", [(None, SHOP), (None, "4528")]),
            event(time[3], WAS, 5081, "System", [(None, SHOP)]),
            event(time[4], WAS, 5139, "System", [("ProcessID", "4528"), ("AppPoolID", SHOP), ("ProtocolID", "http")]),
        ],
    )  # fmt: skip
    assert [(e["id"], e["pool"]) for e in sorted(told(bench)["events"], key=lambda e: str(e["time"]))] == [
        (5186, "007"), (5195, SHOP), (5010, SHOP), (5081, SHOP), (5139, SHOP),
    ]  # fmt: skip


def an_event_without_a_description_hides_nothing(bench: Bench) -> None:
    """No message is rendered: a server without the texts is as good as another."""
    stops = every(ago(hours=5), timedelta(minutes=21), 3)
    write_log(bench.windows, "System", [worker(time, 5186, SHOP) for time in stops])
    write_log(bench.windows, "Application", [unhandled(stops[0], DOMAIN)])
    render = "[void](Get-IisMachineName); (New-IisEventReader 'System' '*' $true).ReadEvent().FormatDescription()"
    assert "the message is not there" in bench.trouble(render)
    seen = told(bench)
    assert [log["detail"] for log in seen["logs"].values()] == [None, None]
    assert (len(seen["events"]), len(seen["errors"])) == (3, 1)


def a_log_that_is_cleared_while_it_is_read_ends_the_reading(bench: Bench) -> None:
    """What was read until then is kept, and why there is no more is told; nothing tries the same record again."""
    stops = every(ago(hours=5), timedelta(minutes=21), 5)
    write_log(bench.windows, "System", [worker(time, 5186, SHOP) for time in stops])
    write_log(bench.windows, "Application", [unhandled(time, DOMAIN) for time in stops])
    bench.knobs(event_log=("System:cleared:2", "Application:corrupt:3"))
    seen = told(bench)
    assert [e["time"] for e in seen["events"]] == [second(stops[4]), second(stops[3])]
    assert len(seen["errors"]) == 3
    for log, kind in (("System", "ReadingException"), ("Application", "InvalidDataException")):
        said = seen["logs"][log]["detail"]
        assert said.startswith("not fully readable: ")
        assert said.endswith(f"(System.Diagnostics.Eventing.Reader.EventLog{kind})")
        assert (seen["logs"][log]["oldest"], seen["logs"][log]["complete"]) == (second(stops[0]), True)
    bench.knobs(event_log="System:cleared:0")
    seen = told(bench)
    assert (seen["events"], seen["logs"]["System"]["oldest"]) == ([], None)


def a_record_that_windows_cannot_render_hides_no_other(bench: Bench) -> None:
    stops = every(ago(hours=5), timedelta(minutes=21), 3)
    write_log(bench.windows, "System", [worker(time, 5186, SHOP) for time in stops])
    bench.knobs(event_log="System:garbled:1")
    seen = told(bench)
    assert seen["logs"]["System"]["detail"] == "1 of its events could not be read"
    assert [e["time"] for e in seen["events"]] == [second(stops[2]), second(stops[0])]


def every_id_that_means_something_is_asked_for(bench: Bench) -> None:
    """And those beside them are not, nor the same ids of other providers."""
    others = {5001, 5003, 5008, 5012, 5073, 5082, 5116, 5118, 5138, 5140, 5185, 5187, 5194, 5196}
    kernel, log = "Microsoft-Windows-Kernel-General", "EventLog"
    events = [worker(ago(hours=2), number, SHOP) for number in {*MEANING} | others]
    events += [boot(ago(hours=1), provider, number) for provider, number in ((kernel, 12), (log, 6005))]
    crossed = ((kernel, 6005), (log, 5186), ("W3SVC", 5186))
    events += [boot(ago(hours=1), provider, number) for provider, number in crossed]
    write_log(bench.windows, "System", events)
    found = told(bench)["events"]
    assert sorted(e["id"] for e in found) == sorted(MEANING)
    assert {e["id"] for e in found if e["pool"] is None} == {12, 6005}


def a_clients_response_is_told_by_its_frames(bench: Bench) -> None:
    """The kind alone: neither the method's name nor what else stands in the text leaves the server."""
    frames = {
        "   at Microsoft.AspNet.SignalR.Transports.ForeverTransport.Send(x)": "signalr-transport",
        "   at Microsoft.AspNet.SignalR.Owin.ServerResponse.Flush()": "signalr",
        "   at System.Net.Http.PushStreamContent.<SerializeToStreamAsync>d__7.MoveNext()": "push-stream",
        "   at System.Web.HttpResponse.TransmitFile(String filename)": "file",
        "   at System.Net.Http.StreamToStreamCopy.BufferWrittenCallback(IAsyncResult ar)": None,
    }
    times = every(ago(hours=5), timedelta(minutes=3), len(frames))
    write_log(
        bench.windows, "Application",
        [unhandled(time, DOMAIN, FLUSHED + frame) for time, frame in zip(times, frames, strict=True)],
    )  # fmt: skip
    assert [e["streaming"] for e in reversed(told(bench)["errors"])] == [*frames.values()]


def more_events_than_are_asked_for_are_told_as_such(bench: Bench) -> None:
    """The newest are there, and it is said that there may be more."""
    first = ago(days=2)
    write_log(bench.windows, "Application", (unhandled(first + timedelta(seconds=n), DOMAIN) for n in range(2001)))
    seen = told(bench)
    assert seen["logs"]["Application"]["complete"] is False
    assert [e["time"] for e in seen["errors"]] == [second(first + timedelta(seconds=n)) for n in range(2000, 0, -1)]


EVENTS_ON_IIS_10: list[Scenario] = [
    what_was_asked_for_is_told,
    nothing_is_told_unless_it_is_asked_for,
    an_exception_is_told_by_its_code_and_frames,
    a_log_that_cannot_be_read_is_told,
    a_name_that_is_too_long_hides_no_other_event,
    a_pool_is_known_by_its_place_where_the_data_have_no_names,
    an_event_without_a_description_hides_nothing,
    a_clients_response_is_told_by_its_frames,
    a_log_that_is_cleared_while_it_is_read_ends_the_reading,
    a_record_that_windows_cannot_render_hides_no_other,
    every_id_that_means_something_is_asked_for,
    more_events_than_are_asked_for_are_told_as_such,
]
