"""A rule that stands in the scripts and in Python is one rule: both are asked the same generated questions.

How names compare is in test_names.py; what the lab makes of whole configurations and logs is in test_agreement.py.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate.iis.attributes import seconds
from remediate.iis.codes import CODES
from remediate.iis.events import ASP_NET, MEANING, UNHANDLED, WAS
from remediate.iis.frames import FLUSHED, RAISED, STREAMS
from remediate.iis.local import is_local
from remediate.iis.names import iis_key
from remediate.logs.exceptions import judge
from tests.addresses import addresses
from tests.powershell.bench import Bench, copy_scripts

pytestmark = pytest.mark.pwsh
# Each example is a list of many questions: the engine is asked once for all of them.
few = settings(max_examples=6, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.fixture(scope="module")
def scripts_at_hand(pwsh_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The functions of the scripts as they are shipped, in one process."""
    folder = tmp_path_factory.mktemp("same-rules")
    bench = Bench(pwsh_path, copy_scripts(folder / "scripts"), folder / "server")
    yield bench
    bench.close()


def many(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(one, min_size=40, max_size=80)


@few
@given(many(addresses()))
def test_what_is_local(scripts_at_hand: Bench, texts: list[str]) -> None:
    """Spellings of IPv4 and IPv6, zones, ports, `localhost`, nothing, and junk."""
    said = scripts_at_hand.code("foreach ($text in $given.texts) { Test-IisLocal $text }", texts=texts)
    assert dict(zip(texts, said, strict=True)) == {text: is_local(text) for text in texts}


_NUMBER = st.sampled_from(["", "0", "5", "05", "20", "59", "60", "99999", "100000", "\u0665"])
_UNIT = st.sampled_from(["s", "S", "sec", "m", "MIN", "h", "d", "w", "\u017f", "m\u0131n", "m\u0130n"])
_SPANS = st.one_of(
    st.from_regex(r"([0-9]{1,6}\.)?[0-9]{1,6}:[0-9]{2}:[0-9]{2}", fullmatch=True),
    st.lists(_NUMBER, min_size=1, max_size=4).map(":".join),
    st.tuples(_NUMBER, st.sampled_from(["", " ", "  "]), _UNIT).map("".join),
    st.text(alphabet="0123456789:.- smhd\n", max_size=12),
)  # fmt: skip


def _span(text: str) -> str:
    """The seconds, or what is said of a text that is no time span."""
    try:
        return str(seconds(text))
    except ValueError as error:
        return str(error).rpartition(" is not a time span: ")[2]


@few
@given(many(_SPANS))
def test_time_spans(scripts_at_hand: Bench, texts: list[str]) -> None:
    """[d.]hh:mm:ss has one value; all else is refused, with the same words about what may have been meant."""
    code = """
        foreach ($text in $given.texts) {
            try { [string](ConvertFrom-IisTimeText $text).TotalSeconds }
            catch { $_.Exception.Message.Substring($text.Length + 3).Replace('is not a time span: ', '') }
        }
    """
    said = scripts_at_hand.code(code, texts=texts)
    assert dict(zip(texts, said, strict=True)) == {text: _span(text) for text in texts}


_NAMES = st.text(alphabet=st.characters(max_codepoint=0x24FF, exclude_categories=("Cs", "Cn")), max_size=4)


@few
@given(many(st.tuples(_NAMES, _NAMES, st.sampled_from(["", "upper", "lower", "swapcase", "title"]))))
def test_names(scripts_at_hand: Bench, drawn: list[tuple[str, str, str]]) -> None:
    """Two names are one in the scripts where they are one in Python."""
    pairs = [(one, getattr(one, how)() if how else other) for one, other, how in drawn]
    # Unicode's later versions gave these two an upper case, and the engines know different versions.
    pairs = [pair for pair in pairs if not {"\u019b", "\u0264", "\ua7dc", "\ua7cb"}.intersection("".join(pair))]
    said = scripts_at_hand.code("foreach ($pair in $given.pairs) { Test-IisSame $pair[0] $pair[1] }", pairs=pairs)
    assert dict(zip(pairs, said, strict=True)) == {pair: iis_key(pair[0]) == iis_key(pair[1]) for pair in pairs}


_CODES = sorted(
    {*CODES, *(code.lower() for code in CODES), *(code[2:] for code in CODES)}
    | {*(str(int(code, 16) - 2**32) for code in CODES), "0x80004005", "0X80070032", "80070032-4f2a"}
)
_FRAMES = ["Microsoft.AspNet.SignalR.Transports.ForeverTransport.Run()", "Microsoft.AspNet.SignalR.Hubs.X()",
           "System.Web.WebSockets.AspNetWebSocket.Y()", "System.Net.Http.PushStreamContent.Z()",
           "System.Web.HttpResponse.TransmitFile(String)", "System.Web.Mvc.FilePathResult.Write()"]  # fmt: skip
_PIECES = st.sampled_from(
    [*_CODES, *_FRAMES, f"{RAISED}(Int32 result)", RAISED, f"{FLUSHED}()", f"My{FLUSHED}", "ReadEntityCoreSync(",
     "HttpException", "COMException", "IIS7WorkerRequest", "System.Web.HttpWriter", "an error", "1", "x", "\u00fc", "-",
     ".5", "(", ")"]
)  # fmt: skip
_TEXTS = st.lists(st.tuples(st.sampled_from(["", " ", "\n", ": ", "("]), _PIECES), max_size=9).map(
    lambda pieces: "".join(between + piece for between, piece in pieces)
)  # fmt: skip


def _exception(text: str) -> dict[str, Any] | None:
    told = judge(text)
    names = ("code", "raised", "flushed", "entity_read", "streaming")
    return None if told is None else {name: getattr(told, name) for name in names}


@few
@given(many(_TEXTS))
def test_exceptions(scripts_at_hand: Bench, texts: list[str]) -> None:
    """The code that counts where several stand, the frames, and whose response: of event 1309 as of a log."""
    code = """
        foreach ($text in $given.texts) {
            $data = [string[]](, '' * 30)
            $data[18] = $text
            $value = ConvertTo-IisErrorValue '2026-01-01T00:00:00Z' $data
            if ($null -eq $value) { $null; continue }
            $told = @{}
            foreach ($name in 'code', 'raised', 'flushed', 'entity_read', 'streaming') { $told[$name] = $value[$name] }
            $told
        }
    """
    said = scripts_at_hand.code(code, texts=texts)
    assert dict(zip(texts, said, strict=True)) == {text: _exception(text) for text in texts}


def test_every_stream_has_a_frame_here() -> None:
    """Else the generated exceptions would not ask for it."""
    assert {told.streaming for frame in _FRAMES if (told := judge(f"HttpException 0x80070032 {frame}"))} == set(STREAMS)


_PROVIDERS = sorted({meaning.provider for meaning in MEANING.values()} | {*ASP_NET, "Contoso"})


def _event(provider: str, number: int, names: bool) -> str:
    data = "".join(
        f'<Data Name="{"AppPoolID" if n == 2 else f"D{n}"}">value {n}</Data>' if names else f"<Data>value {n}</Data>"
        for n in range(3)
    )
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="{escape(provider)}"/><EventID>{number}</EventID>'
        f'<TimeCreated SystemTime="2026-01-01T00:00:00.1Z"/></System><EventData>{data}</EventData></Event>'
    )


def test_which_events_and_where_their_pool_stands(scripts_at_hand: Bench) -> None:
    """Every id with every provider, its data named or not: reported where the table has it, with the pool there."""
    asked = [(p, n, named) for p in _PROVIDERS for n in [*MEANING, 1, 5013, 7036] for named in (False, True)]
    code = """
        foreach ($text in $given.texts) {
            $value = ConvertTo-IisEventValue (ConvertFrom-IisEventText $text)
            if ($null -eq $value) { 'nothing' } else { "$($value.id) $($value.pool)" }
        }
    """
    said = scripts_at_hand.code(code, texts=[_event(*one) for one in asked])

    def meant(provider: str, number: int, named: bool) -> str:
        meaning = MEANING.get(number)
        if meaning is None or meaning.provider != provider:
            return "nothing"
        if meaning.place is None:
            return f"{number} {'value 2' if named else ''}"
        return f"{number} value {2 if named else meaning.place}"

    assert dict(zip(asked, said, strict=True)) == {one: meant(*one) for one in asked}
    assert UNHANDLED not in MEANING and WAS in _PROVIDERS
