"""One engine to ask about scripts, and the scripts' copies on a bench."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

for _file in (*sorted(Path(__file__).parent.glob("*scenarios.py")), Path("bench.py")):
    pytest.register_assert_rewrite(f"tests.powershell.{_file.stem}")

from tests.powershell.bench import Bench, copy_scripts  # noqa: E402  # asserts there show what they saw
from tests.powershell.engine import WINDOWS_POWERSHELL, Engine  # noqa: E402  # as above

MakeBench = Callable[..., Bench]


@pytest.fixture(scope="session")
def engine(pwsh_path: Path) -> Iterator[Engine]:
    """The engine, with Windows PowerShell's metadata where that is there."""
    engine = Engine(pwsh_path, WINDOWS_POWERSHELL if WINDOWS_POWERSHELL.is_dir() else None)
    yield engine
    engine.close()


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A copy of what is shipped to servers, to be altered."""
    return copy_scripts(tmp_path / "scripts")


@pytest.fixture
def bench(pwsh_path: Path, scripts: Path, tmp_path: Path) -> Iterator[MakeBench]:
    """Put the copy on a bench, for a version of IIS."""
    made: list[Bench] = []

    def make(iis_version: str = "10.0") -> Bench:
        made.append(Bench(pwsh_path, scripts, tmp_path / f"iis-{iis_version}", iis_version))
        return made[-1]

    yield make
    for each in made:
        each.close()
