"""The pool of an exported event: by the name of its data, else by the place that Microsoft's message text gives it."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from remediate.iis.events import MEANING
from tests.diagnosis.test_undetermined import BEGIN, PAGE, PERIODIC, STACK, diagnosed, write

SECOND = (5074, 5075, 5076, 5077, 5078, 5117, 5186, 5195)
FIRST = (5002, 5009, 5010, 5011, 5079, 5080, 5081, 5139)


def as_xml(number: int, data: list[str], time: datetime) -> str:
    fields = "".join(f"<Data>{text}</Data>" for text in data)
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "
        f"Name='Microsoft-Windows-WAS'/><EventID>{number}</EventID><TimeCreated "
        f"SystemTime='{time:%Y-%m-%dT%H:%M:%S}.0000000Z'/></System><EventData>{fields}</EventData></Event>"
    )


def as_json(number: int, data: list[str], time: datetime) -> dict[str, object]:
    return {
        "Id": number, "ProviderName": "Microsoft-Windows-WAS", "TimeCreated": f"{time:%Y-%m-%dT%H:%M:%S}Z",
        "Properties": [{"Value": text} for text in data],
    }  # fmt: skip


@pytest.mark.parametrize("number", [*SECOND, *FIRST])
@pytest.mark.parametrize("pool", ["Shop", "007"])
def test_a_pool_is_known_by_its_place(number: int, pool: str, tmp_path: Path) -> None:
    """Also one that is called by a number, as a process is. A failure of the worker confirms nothing."""
    verdict = "undetermined" if MEANING[number].kind == "failure" else "confirmed"
    before = [time - timedelta(seconds=4) for time in PERIODIC[:20]]
    data = ["4528", pool, "20", "5"] if number in SECOND else [pool, "4528", "0", "http"]
    xml, exported = tmp_path / "System.xml", tmp_path / "System.json"
    xml.write_text(f"<Events>{''.join(as_xml(number, data, time) for time in before)}</Events>")
    exported.write_text(json.dumps([as_json(number, data, time) for time in before]))
    log = write(tmp_path, PERIODIC[:20], STACK + PAGE)
    for file in (xml, exported):
        _, stream = diagnosed(tmp_path, log, "--events", file, "--time-zone", "UTC")
        assert (stream.pool, stream.verdict) == (pool, verdict)
        causes = {5195: "idle", 5186: "idle"}
        assert stream.attribution.idle == (20 if number in causes else 0)
    assert stream.first >= BEGIN if stream.first else False
