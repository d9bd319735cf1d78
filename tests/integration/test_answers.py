"""What a server prints beside its answer, or instead of it: the answer is found, and the rest is reported."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from remediate_lab.knobs import write_knobs
from tests.conftest import PLAIN, Site, Up, remediate

Take = Callable[[str, str], Site]
CLIXML = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<Obj S="progress" RefId="0"><MS><PR N="Record"><AV>Preparing modules for first use.</AV></PR></MS></Obj>%s</Objs>'
)
# What is printed first and last -> words of the warning; None where there is nothing to report.
BESIDE: dict[str, tuple[bytes, bytes, tuple[str, ...] | None]] = {
    "banner": (b"Willkommen auf web01\r\n", b"", ("Willkommen auf web01",)),
    "banner without a line's end": (b"Welcome ", b"", ("Welcome",)),
    "braces": (b"{ notice }\r\n[1]\r\n{\"a\": 1}\r\n", b"", ("{ notice }",)),
    "after": (b"", b"Goodbye {x}\r\n", ("Goodbye {x}",)),
    "both": (b"--- \x1b[31mred\x1b[0m ---\r\n", b"bye\r\n", ("red", "bye")),
    "byte-order mark": (b"\xef\xbb\xbf", b"", None),
    "mark after a banner": (b"hello\r\n\xef\xbb\xbf", b"", ("hello",)),
    "NUL": (b"\0", b"\0\r\n", None),
    "progress": ((CLIXML % "").encode(), b"", None),
    "error in CLIXML": (b"", (CLIXML % '<S S="Error">It is odd_x000D__x000A_</S>').encode(), ("It is odd",)),
    "error among chatter in CLIXML": (
        b"",
        (CLIXML % ('<S S="verbose">Loading</S>' * 40 + '<S S="Error">It is strange</S><S S="warning">x</S>')).encode(),
        ("printed: It is strange",),
    ),
    "not UTF-8": (b"Gr\xfc\xdfe\r\n", b"", ("Gr",)),
    "long": (b"x" * 100_000 + b"\r\n", b"", ("xxx",)),
}  # fmt: skip
# What is printed instead -> words of the failure.
INSTEAD: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "policy": (b"This program is blocked by group policy. Ask your administrator.\r\n", ("blocked by group policy",)),
    "policy in CLIXML": (
        (CLIXML % '<S S="Error">blocked by_x0020_group policy &lt;1&gt;_x000D__x000A_</S>').encode(),
        ("blocked by group policy <1>",),
    ),
    "colours": (b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xae no\r\n", ("owned",)),
    "cut off": (
        b'{"format":"remediate.inspection","format_version":1,"mach',
        ("cannot be read", "remediate.inspection"),
    ),
    "other object": (b'{"hello": "world"}', ("cannot be read", "hello")),
    "nested": (b'{"format":"remediate.inspection","x":' + b"[" * 300_000, ("cannot be read",)),
    "braces": (b"{" * 200_000 + b"}" * 200_000, ("cannot be read",)),
    "tags": (b"<Objs " * 200_000, ("cannot be read",)),
    "NULs": (b"\0" * 1000, ("printed nothing",)),
}


def audit(inventory: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Each host's report, and its line on standard error: the one that it has, harmless and short."""
    done = remediate("audit", "-i", inventory, "--timeout", "30", "--format", "json")
    assert done.stdout, done.stderr
    lines = {line.partition(":")[0]: line for line in done.stderr.splitlines()}
    hosts = {host["host"]: host for host in json.loads(done.stdout)["hosts"]}
    assert lines.keys() == hosts.keys() and len(done.stderr.splitlines()) == len(hosts)
    assert all(len(line) < 600 and line.isprintable() for line in lines.values())
    return {name: (host, lines[name]) for name, host in hosts.items()}


@dataclass(frozen=True)
class Printing:
    """Servers that print what lab.txt says, and what is read of one that prints nothing else."""

    state: Path
    names: tuple[str, ...]
    plain: dict[str, Any]

    def audit(self, printed: list[dict[str, bytes]]) -> list[tuple[dict[str, Any], str]]:
        """One server for each: lab.txt's key -> the bytes of the file that it names."""
        for name, knobs in zip(self.names, printed, strict=False):
            windows = self.state / "servers" / name / "Windows"
            files = {key: windows / key for key in ("before", "answer", "after")}
            for key, file in files.items():
                file.write_bytes(knobs.get(key, b""))
            write_knobs(windows, **{key: str(files[key]) if key in knobs else "" for key in files})
        found = audit(self.state / "inventory" / "hosts.yml")
        return [found[name] for name in self.names[: len(printed)]]


@pytest.fixture
def printing(up: Up) -> Printing:
    state = up("--from-configs", PLAIN, "--servers", str(len(BESIDE)), "--auth", "basic")
    found = audit(state / "inventory" / "hosts.yml")
    assert all(host["status"] == "inspected" and host["warning"] is None for host, _ in found.values())
    return Printing(state, tuple(found), next(iter(found.values()))[0])


def pools(host: dict[str, Any]) -> Any:
    return host["status"], host["pools"], host["defaults"]


def test_an_answer_among_other_words(printing: Printing) -> None:
    """Whatever stands around it, the same pools are read; the rest is a warning on standard error."""
    found = printing.audit([{"before": before, "after": after} for before, after, _ in BESIDE.values()])
    for (name, (_, _, words)), (host, said) in zip(BESIDE.items(), found, strict=True):
        assert pools(host) == pools(printing.plain), (name, said)
        if words is None:
            assert host["warning"] is None and "warning" not in said, name
        else:
            assert all(word in said for word in ("warning: beside its answer the server printed", *words)), (name, said)


def test_an_answer_in_a_packing(printing: Printing) -> None:
    """PowerShell's own packing of text, UTF-16, and JSON over several lines."""
    name = "a<b>&'c_x0041_"
    pool = {"name": name, "state": "Started", "attributes": printing.plain["pools"][0]["attributes"]}
    given = {"format": "remediate.inspection", "format_version": 1, "machine": "WEB01", "iis_version": "10.0"}
    text = json.dumps(given | {"pools": [pool]})
    packed = text.replace("_x", "_x005F_x").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    long = json.dumps(given | {"pools": [pool]}, indent=2, sort_keys=True)
    answers = [(CLIXML % f"<S>{packed}</S>").encode(), text.encode("utf-16"), text.encode("utf-16-le"),
               long.encode(), f"hello\r\n{long}\r\nbye".encode()]  # fmt: skip
    for host, said in printing.audit([{"answer": data} for data in answers]):
        assert host["status"] == "inspected", said
        assert [pool["name"] for pool in host["pools"]] == [name]


def test_no_answer_shows_what_came(printing: Printing) -> None:
    """The first words of it, whatever it was; and a hostile server holds nobody up."""
    found = printing.audit([{"answer": data} for data, _ in INSTEAD.values()])
    for (name, (_, words)), (host, said) in zip(INSTEAD.items(), found, strict=True):
        assert host["status"] == "failed", name
        assert all(word in host["detail"] and word in said for word in words), (name, host["detail"])


def test_two_answers_are_none(printing: Printing) -> None:
    """Nobody knows which of them is the server's."""
    lie = {"format": "remediate.inspection", "format_version": 1, "machine": "LIAR", "iis_version": "10.0"}
    texts = [json.dumps(lie), "x " + json.dumps(lie)]
    for host, said in printing.audit([{"before": text.encode() + b"\r\n"} for text in texts]):
        assert host["status"] == "failed" and "cannot be read" in host["detail"], said


@pytest.mark.pwsh
@pytest.mark.usefixtures("pwsh_path")
def test_a_real_powershell_among_other_words(take: Take, tmp_path: Path) -> None:
    site = take("pwsh", "ntlm")
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(b"Welcome to web01\r\n")
    after.write_bytes(b"bye\r\n")
    site.knobs(before=str(before), after=str(after))
    ((host, said),) = audit(site.inventory).values()
    assert host["status"] == "inspected" and host["pools"]
    assert "Welcome to web01 bye" in said
