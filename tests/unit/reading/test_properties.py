"""What holds for any input: a reading and nothing else, wherever the blocks begin, in every shape alike."""

import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from remediate.errors import RemediateError
from remediate.iis.codes import CODES
from remediate.logs import LogReading, OtherLog, RequestLog, Zone, in_utc, read_blocks
from remediate.values.logs import LoggedException, StackState
from tests.unit.reading import crowded, event_exports, samples
from tests.unit.reading.rendering import APPLICATION, SHAPES, ZONE, Thrown

LOGS = {
    **{name: samples.sample(name) for name in sorted(samples.CASES)},
    **{shape: render(crowded.TIMES[:3]).encode() for shape, (render, _) in crowded.SHAPES.items()},
    **{shape: "".join(map(render, event_exports.events())).encode() for shape, render in event_exports.SHAPES.items()},
}
NAMES = sorted(LOGS)
IN_ZONE = Zone("ZONE", ZONE, "option")


def told(blocks: list[bytes]) -> object:
    """All that is read of them, or why they are refused."""
    try:
        reading = read_blocks(blocks, "x.log")
        return reading, [*RequestLog(blocks, "x.log")] if reading.source.kind == "w3c" else []
    except RemediateError as error:
        return str(error)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in blocks that end at these places."""
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in pairwise(borders)]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A log of any shape in which something is missing, doubled, or overwritten by bytes of another."""
    data = bytearray(LOGS[draw(st.sampled_from(NAMES))])
    other = LOGS[draw(st.sampled_from(NAMES))]
    for _ in range(draw(st.integers(1, 4))):
        start, length = draw(st.integers(0, len(data))), draw(st.integers(0, 400))
        source = draw(st.one_of(st.binary(max_size=40), st.integers(0, len(other)).map(lambda n: other[n : n + 400])))
        data[start : start + length] = source
    return bytes(data)


@given(st.one_of(st.binary(), damaged(), damaged().map(lambda data: data.decode("latin-1").encode("utf-16"))))
@example(b'{"\x80"')
@example(b"#Fields: date time cs-uri-stem c-ip\n   ")
def test_any_bytes_give_a_reading_or_are_refused_by_name(data: bytes) -> None:
    """And nothing else: no other exception, and no request without a time."""
    with suppress(RemediateError):
        reading = read_blocks([data], "x.log")
        assert isinstance(reading, LogReading)
        assert reading.source.lines == data.count(b"\n") + (not data.endswith(b"\n") and data != b"") or b"\0" in data
    with suppress(RemediateError):
        for request in RequestLog([data], "x.log"):
            assert request.time.tzinfo is UTC


@given(
    st.one_of(damaged(), st.sampled_from(NAMES).map(LOGS.__getitem__)), st.lists(st.integers(0, 1 << 20), max_size=30)
)
def test_where_the_blocks_begin_does_not_matter(data: bytes, places: list[int]) -> None:
    assert told(cut(data, places)) == told([data])


@pytest.mark.parametrize("shape", SHAPES)
@given(
    st.lists(
        st.builds(
            Thrown,
            code=st.sampled_from(sorted(CODES)),
            time=st.datetimes(datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.just(UTC)).map(
                lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000)
            ),
            stack=st.lists(
                st.sampled_from(["RaiseCommunicationError", "ExplicitFlush", "ReadEntityCoreSync", "Other"])
            ).map(tuple),
            at=st.sampled_from(["at", "bei", "à", "en", "в", "在", "場所", "a", "위치:"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_an_exception_is_the_same_occurrence_in_every_shape(shape: str, thrown: list[Thrown]) -> None:
    data = "".join(map(SHAPES[shape], thrown)).encode()
    reading = read_blocks([data], "x.log")
    assert reading.source.unparsed == 0
    assert [replace(o, line=None) for o in in_utc(reading, lambda _: IN_ZONE).occurrences] == [
        LoggedException(
            code=one.code, time=one.time, raised="RaiseCommunicationError" in one.stack,
            flushed="ExplicitFlush" in one.stack, entity_read="ReadEntityCoreSync" in one.stack,
            stack=state(one.stack),
            host="WEB01", application=APPLICATION, source="x.log",
        )
        for one in thrown
    ]  # fmt: skip


def state(stack: tuple[str, ...]) -> StackState:
    """Cut is a stack that ends with RaiseCommunicationError: which flush or read called it stands below."""
    if "RaiseCommunicationError" in stack and "ExplicitFlush" not in stack:
        below = set(stack[stack.index("RaiseCommunicationError") :])
        return "cut" if below == {"RaiseCommunicationError"} else "whole"
    return "whole" if stack else "none"


def filler(size: int) -> str:
    """About so many characters of a log that says nothing of ours."""
    line = "2026-11-25 14:00:00,000 [12] INFO  Contoso.Shop.Api - GET /orders answered in 80070 ms\n"
    return line * (size // len(line))


@pytest.mark.parametrize("shape", ["log4net", "serilog", "clef"])
def test_entries_around_the_borders_of_large_blocks(shape: str) -> None:
    """Before, at and after the places where a megabyte ends, with the blocks as they are and in odd pieces."""
    start = datetime(2026, 11, 25, 13, tzinfo=UTC)
    thrown = [
        Thrown("0x80070032", start + timedelta(minutes=21 * n), ("RaiseCommunicationError", "ExplicitFlush"), "at")
        for n in range(7)
    ]
    entries = [SHAPES[shape](one) for one in thrown]
    fill = filler if shape != "clef" else lambda size: '{"@t":"2026-11-25T13:00:00Z","@m":"fine"}\n' * (size // 42)
    text = ""
    for number, entry in enumerate(entries):
        text += fill((1 << 20) * (number + 1) // 2 - len(text) - 300 + 90 * number) + entry
    data = (text + fill(300_000)).encode()
    whole = read_blocks([data], "x.log")
    assert [o.time for o in in_utc(whole, lambda _: IN_ZONE).occurrences] == [one.time for one in thrown]
    assert all(o.flushed and o.host == "WEB01" for o in whole.occurrences)
    for size in (1 << 20, 1 << 19, 77_777):
        assert read_blocks([data[n : n + size] for n in range(0, len(data), size)], "x.log") == whole


FILL = b"x" * 4000
HOSTILE = {
    "a line that never ends": (b"2026-11-25 14:00:00 ", b"x" * 4096),
    "a line of codes that never ends": (b"", b"COMException 0x80070032 " + b"x" * 4000),
    "lines of codes without a time": (b"", b"COMException 0x80070032" + b"x" * 4000 + b"\n"),
    "an entry that never ends": (b"2026-11-25 14:00:00 ERROR COMException 0x80070032\n", b"   at Contoso.Shop.Api()\n"),
    "an object that never ends": (b'{"@t":"2026-11-25T13:00:00Z"}\n{"@x":"', b"COMException 0x80070032 " + b"x" * 4000),
    "a list that never ends": (b'[{"Id":5186,"TimeCreated":"', b"x" * 4096),
    "lists in lists": (b'[{"Id":5186,"TimeCreated":', b"[" * 4096),
    "an element that never ends": (b"<Events><Event ", b"x" * 4096),
    "elements that never end": (b"<Events>", b"<Event xmlns='x'>" + b" " * 4096),
    "entries of XML that never end": (b"", b"<log4j:event logger='x' timestamp='1'>" + b"0x80070032 " * 400),
    "lines of a container that never end": (b"", b'{"log":"' + b"COMException 0x80070032 " * 40),
    "lines of a container": (
        b"",
        b'{"log":"COMException 0x80070032' + FILL + b'","stream":"x","time":"2026-11-25T13:00:00Z"}\n',
    ),
    "lines of syslog": (b"", b"<1>Nov 25 14:00:01 WEB01 shop: COMException 0x80070032" + FILL + b"\n"),
    "a quote in ELMAH's CSV that never ends": (
        b'Application,Host,Time,Unix Time,Type\n,"',
        b"0x80070032 COMException" + FILL + b"\n",
    ),
    "objects in lists in objects": (b'[{"a":[', b'{"time":"2026-11-25","x":"COMException 0x80070032' + FILL + b'"},'),
    "events of Event Viewer": (b"", b"Event code: 3005\n(UTC): 1/1/2026 1:00\nCOMException 0x80070032" + FILL + b"\n"),
    "codes of Event Viewer": (b"Event code: 3005\n(UTC)\n", b"Event code: 3005 "),
    "an attribute that never ends": (b'<error detail="', b"0x80070032 "),
    "fields that never end": (b"#Fields: date time cs-uri-stem ", b"c-ip "),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded_whatever_comes(name: str) -> None:
    """32 MB of it are read with less than 20 MB at any time, occurrences apart."""
    head, body = HOSTILE[name]
    block = body * ((1 << 20) // len(body))

    def blocks() -> Iterator[bytes]:
        yield head
        for _ in range(32):
            yield block

    tracemalloc.start()
    try:
        reading = read_blocks(blocks(), "x.log", kept=10)
        with suppress(OtherLog):
            for _ in RequestLog(blocks(), "x.log"):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(reading.occurrences) <= 10
    assert peak < 20 << 20
