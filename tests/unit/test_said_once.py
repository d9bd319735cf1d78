"""What a command says: once, whole, in words that are not Python's, and with what to do."""

import re
from pathlib import Path

import pytest
import yaml
from msgspec.structs import replace

from remediate.audit.summary import assemble
from remediate.report.text import audit_text
from tests.conftest import remediate
from tests.unit.test_cli_errors import INVENTORY, refused
from tests.unit.values import host, pool

PYTHON = re.compile(r"Errno|Expecting|char \\d|codec|isoformat|Traceback|<class|`\\$|msgspec|Object missing")


@pytest.mark.parametrize("group", [(), ("lab",)])
def test_a_group_alone_lists_its_commands(group: tuple[str, ...]) -> None:
    """One a line, on standard error; it is usage all the same."""
    done = remediate(*group, expect=64)
    assert done.stdout == ""
    for name in ("up", "play", "down") if group else ("audit", "plan", "apply"):
        assert [line for line in done.stderr.splitlines() if line.startswith(f"  {name} ")]


def test_a_broken_configuration_is_shown_once(tmp_path: Path) -> None:
    """In the table; where that is not shown, on standard error, unless -q asks for quiet."""
    file = tmp_path / "x.config"
    file.write_text("<configuration>")
    for quiet in ((), ("-q",)):
        table = remediate("audit", "--config", file, *quiet, expect=3)
        assert table.stdout.count("line 1, column") == 1 and table.stderr == ""
        report = remediate("audit", "--config", file, "--format", "json", *quiet, expect=3)
        assert report.stderr.count("line 1, column") == (0 if quiet else 1)


def test_what_can_be_shown_is_named() -> None:
    line = refused(1, "show", "/nowhere")
    for word in ("audit --save", "plan", "PLAN/runs/RUN", "diagnose --format json"):
        assert word in line


def test_no_words_of_python(tmp_path: Path) -> None:
    """Whatever is wrong in a file: which file, and what is wrong in it."""
    (tmp_path / "hosts.ini").write_text(INVENTORY)
    run = tmp_path / "run"
    run.mkdir()
    files = {
        "empty": b"", "cut": b'{"format": "remediate.audit"', "array": b"[1]", "bytes": b"\xff\xfe\x00",
        "no keys": b'{"format": "remediate.audit"}', "wrong kind": b'{"format": "remediate.audit", "hosts": 3}',
        "format": b'{"format": 3}', "surrogate": b'{"format": "\xed\xb2\x80"}', "deep": b"[" * 100_000,
    }  # fmt: skip
    for name, data in files.items():
        file = tmp_path / name
        file.write_bytes(data)
        (run / "record.jsonl").write_bytes(data + b"\n")
        for arguments in (
            ("show", file),
            ("diagnose", "--audit", file),
            ("plan", "--from", file, "--fix", "on-demand", "--out", tmp_path / "out"),
            ("show", run),
        ):
            line = refused(1, *arguments)
            assert PYTHON.search(line) is None, line
            assert str(run if arguments[1] == run else file) in line
    saved = b'{"format": "remediate.audit", "started_at": "", "finished_at": "", "hosts": [{"status": "failed"}]}'
    (tmp_path / "host").write_bytes(saved)
    assert "hosts[0].host is missing" in refused(1, "show", tmp_path / "host")


def test_what_to_write_for_a_windows_host(tmp_path: Path) -> None:
    """The commonest mistake of a first inventory."""
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"iis": {"hosts": {"web01": None}}}))
    done = remediate("audit", "-i", tmp_path / "hosts.yml", expect=3)
    assert "write `ansible_connection: winrm`" in done.stdout


def test_many_reasons_go_on_in_the_next_line() -> None:
    """Those of an audit with evidence; a row of a few reasons stays one line."""
    audit = assemble((host("web01", pool("Shop")),), "2026-01-01T00:00:00Z")
    (finding,) = audit.findings
    few = audit_text(audit).splitlines()
    assert len([line for line in few if "Shop" in line]) == 1
    reasons = tuple(
        f"{number} is a reason of some length, as evidence gives it in its own words" for number in range(12)
    )
    many = audit_text(replace(audit, findings=(replace(finding, reasons=reasons),))).splitlines()
    assert max(map(len, many)) < 340 and sum(text.count("is a reason") for text in many) == 12
    assert [line for line in many if "Shop" in line] == [many[1]]
    column = many[0].index("reasons")
    assert all(not line[:column].strip() for line in many[2 : many.index("")])
