"""The engine `emulated` and the scripts in a real PowerShell make the same of any configuration.

A difference is shown by the smallest configuration that has it, which is left in build/agreement/ and is kept by moving
it to tests/cases/agreement/.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from remediate.iis.schema import ConfigError
from remediate_lab.emulated.change import app_pool_settings
from remediate_lab.emulated.inspection import inspection
from tests.powershell.bench import Bench, copy_scripts
from tests.powershell.configurations import Server, broken, changes, patterns, servers
from tests.powershell.engine import ROOT
from tests.powershell.event_logs import EventLogs, event_logs

one_process = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
pytestmark = pytest.mark.pwsh


class Benches:
    """A bench for each version of IIS, since each has an assembly of its own."""

    def __init__(self, pwsh: Path, folder: Path) -> None:
        self._pwsh, self._folder = pwsh, folder
        self._scripts = copy_scripts(folder / "scripts")
        self._benches: dict[tuple[int, int], Bench] = {}

    def place(self, server: Server) -> Bench:
        """A bench with the server's files as they were generated."""
        if server.version not in self._benches:
            version = ".".join(map(str, server.version))
            self._benches[server.version] = Bench(self._pwsh, self._scripts, self._folder / version, version)
        bench = self._benches[server.version]
        bench.fresh(**server.knobs, stopped=tuple(server.stopped))
        bench.config.write_bytes(server.to_bytes())
        return bench

    def close(self) -> None:
        for bench in self._benches.values():
            bench.close()


@pytest.fixture(scope="module")
def benches(pwsh_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Benches]:
    benches = Benches(pwsh_path, tmp_path_factory.mktemp("agreement"))
    yield benches
    benches.close()


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What both must say: all but the time, and the version of the PowerShell at hand."""
    return {key: value for key, value in answer.items() if key not in ("clock", "powershell_version")}


class Case(msgspec.Struct):
    """A server, and what is asked of app_pool_settings; without arguments, it is inspected."""

    about: str
    server: Server
    arguments: dict[str, Any] | None = None


FOUND = ROOT / "build" / "agreement"
KEPT = sorted((ROOT / "tests" / "cases" / "agreement").glob("*.json"))


def agree(benches: Benches, case: Case) -> None:
    """Both engines say the same, and leave the same bytes. hypothesis comes to its smallest example last."""
    try:
        if case.arguments is None:
            inspect_both(benches, case.server)
        else:
            change_both(benches, case.server, case.arguments)
    except AssertionError:
        FOUND.mkdir(parents=True, exist_ok=True)
        name = "inspection" if case.arguments is None else "change"
        (FOUND / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=2) + b"\n")
        raise


def inspect_both(benches: Benches, server: Server) -> None:
    bench = benches.place(server)
    assert told(bench.info()) == told(inspection(bench.windows))


def change_both(benches: Benches, server: Server, arguments: dict[str, Any]) -> None:
    """In check mode and in earnest: the result, the diff, and every byte of the file afterwards."""
    asked = arguments | {"pause": 0, "verify_seconds": 0}
    for check in (True, False):
        bench = benches.place(server)
        real, written = outcome(bench.module("app_pool_settings", check, **asked)), bench.config.read_bytes()
        bench = benches.place(server)
        made = asyncio.run(
            app_pool_settings(bench.windows, asked | {"_ansible_check_mode": check, "_ansible_diff": True})
        )
        assert outcome(made) == real
        assert bench.config.read_bytes() == written
        if check:
            assert written == server.to_bytes()


@pytest.mark.parametrize("path", KEPT, ids=lambda path: path.stem)
def test_what_once_differed_is_the_same(benches: Benches, path: Path) -> None:
    agree(benches, msgspec.json.decode(path.read_bytes(), type=Case))


@one_process
@given(server=servers())
def test_an_inspection_is_the_same(benches: Benches, server: Server) -> None:
    agree(benches, Case("found by hypothesis", server))


@one_process
@given(server=servers(), logs=event_logs())
def test_evidence_is_the_same(benches: Benches, server: Server, logs: EventLogs) -> None:
    """Of any event log, readable or not: which events are told, what of them, and in which order."""
    bench = benches.place(server)
    logs.place(bench.windows)
    real = bench.module("app_pool_info", evidence_days=logs.days)["inspection"]
    made = inspection(bench.windows, logs.days)
    for answer in (real, made):
        # Two moments: each is some seconds further than the other.
        del answer["evidence"]["since"], answer["evidence"]["until"]
    assert real["evidence"] == made["evidence"]


@one_process
@given(server=broken())
def test_both_refuse_what_iis_does_not_read(benches: Benches, server: Server) -> None:
    """And both say that it is the configuration which cannot be read, before anything else."""
    bench = benches.place(server)
    real = bench.module("app_pool_info")
    with pytest.raises((ConfigError, ValueError)):
        inspection(bench.windows)
    assert real["failed"]
    assert real["msg"].startswith("the configuration could not be read: ")


def outcome(result: dict[str, Any]) -> dict[str, Any]:
    """What a module's result says, without the arguments that Ansible.Basic repeats."""
    kept = ("changed", "failed", "msg", "stale", "machine", "changes", "backup")
    diff = (result.get("diff") or {}).get("prepared")
    warnings = [w if isinstance(w, str) else w["msg"] for w in result.get("warnings", [])]
    return {key: result[key] for key in kept if result.get(key)} | {"diff": diff, "warnings": warnings}


def arguments(server: Server) -> st.SearchStrategy[dict[str, Any]]:
    return st.one_of(changes(server).map(lambda c: {"changes": c}), patterns(server))


@one_process
@given(data=st.data(), server=servers())
def test_a_change_is_the_same(benches: Benches, data: st.DataObject, server: Server) -> None:
    agree(benches, Case("found by hypothesis", server, data.draw(arguments(server))))
