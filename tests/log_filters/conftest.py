"""The real loggers, asked in a real PowerShell."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.log_filters.cases import CASES

HERE = Path(__file__).parent
# Builds of the loggers from NuGet; its README says which.
LOGGERS = HERE.parents[2] / "shared" / "loggers"

# What comes out of a logger that has this filter: the names of cases. Of the logger `none`, the exceptions' texts.
Ask = Callable[..., Any]


class Process:
    """A PowerShell with the loggers in it."""

    def __init__(self, command: list[str | Path]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, question: str) -> Any:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not isinstance(answer, str), answer
        return answer

    def close(self) -> None:
        self._process.communicate(timeout=600)


@pytest.fixture(scope="session")
def ask(pwsh_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Put a filter where its user would put it, log every case, and tell what came out. ``code`` is C# to compile:
    a process can load a class of one name only once, so such a question has a process of its own.
    """
    if not LOGGERS.is_dir():
        pytest.skip(f"no .NET loggers here: {LOGGERS}")
    harness = tmp_path_factory.mktemp("loggers") / "Harness.dll"
    command: list[str | Path] = [pwsh_path, "-NoProfile", "-NonInteractive", "-File", HERE / "ask.ps1"]
    command += ["-Loggers", LOGGERS, "-Harness", harness]
    subprocess.run([*command, "-Build"], check=True, capture_output=True, timeout=300)
    shared = Process(command)

    def ask(logger: str, form: str, text: str, code: str = "") -> Any:
        cases = [msgspec.to_builtins(case) for case in CASES]
        question = {"logger": logger, "format": form, "text": text, "code": code, "cases": cases}
        process = Process(command) if code else shared
        try:
            return process.ask(json.dumps(question))
        finally:
            if process is not shared:
                process.close()

    yield ask
    shared.close()
