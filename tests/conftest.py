"""What the tests share: the environments, the labs, and the count of tests that ran in a real PowerShell."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import hypothesis
import pytest
import yaml

from remediate_lab.knobs import write_knobs
from remediate_lab.pwsh import find_pwsh
from tests.environments import PYTHONS, Environment, available
from tests.forked import PROGRAMS, Forks, alike

# A loaded machine is no failure: no example has a time limit.
# `make conformance` asks for thousands.
hypothesis.settings.register_profile(
    "tests", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow],
    max_examples=int(os.environ.get("REMEDIATE_EXAMPLES", "25")),
)  # fmt: skip
hypothesis.settings.load_profile("tests")

# Whoever runs the tests in the background may have these ignored, which what is started here would inherit.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler)

# Nobody who uses the program has these. They hide what is printed and not flushed, and what is compiled where it runs.
for _name in ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"):
    os.environ.pop(_name, None)

# Of each lab; a test of batches takes four.
SERVERS = 200
# The configuration that they all have.
PLAIN = Path(__file__).parent / "cases" / "plain"
Up = Callable[..., Path]
# Without the colours of a terminal.
_PLAINLY = {"ANSIBLE_NOCOLOR": "1"}
# Seconds after which a command hangs. Where many others use the machine, a command can take minutes.
_TIMEOUT = 900
_CONFIG = "System32/inetsrv/config/applicationHost.config"


@dataclass(frozen=True)
class Site:
    """One server of a running lab, and an inventory that names it alone."""

    name: str
    windows: Path
    inventory: Path
    folder: Path

    @property
    def config(self) -> Path:
        return self.windows / _CONFIG

    def knobs(self, **values: str) -> None:
        """Change how the server behaves (see lab/remediate_lab/knobs.py)."""
        write_knobs(self.windows, **values)

    def edit(self, old: str, new: str) -> None:
        """Edit its configuration behind everybody's back."""
        data = self.config.read_bytes()
        assert data.count(old.encode()) == 1, old
        self.config.write_bytes(data.replace(old.encode(), new.encode()))


@dataclass
class Labs:
    """The running labs of this session, by engine and authentication; each test takes servers that no other had."""

    root: Path
    running: dict[tuple[str, str, int], Path] = field(default_factory=dict)
    taken: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, engine: str, auth: str, folder: Path) -> Site:
        number = self.taken[engine, auth] = self.taken.get((engine, auth), -1) + 1
        # One worker may have all tests of a kind: then another lab goes up.
        lab, place = divmod(number, SERVERS)
        key = (engine, auth, lab)
        if key not in self.running:
            state = self.root / "-".join((engine, auth, str(lab)))
            remediate(
                "lab",
                "up",
                "--state",
                str(state),
                "--from-configs",
                PLAIN,
                "--servers",
                str(SERVERS),
                "--engine",
                engine,
                "--auth",
                auth,
                expect=0,
            )
            self.running[key] = state
        state = self.running[key]
        whole = yaml.safe_load((state / "inventory" / "hosts.yml").read_text())
        name, variables = list(whole["iis"]["hosts"].items())[place]
        whole["iis"] |= {"hosts": {name: variables}, "children": {}}
        (folder / f"{name}.json").write_text(json.dumps(whole["iis"]["hosts"]))
        inventory = folder / "hosts.yml"
        inventory.write_text(yaml.safe_dump(whole))
        return Site(name, state / "servers" / name / "Windows", inventory, folder)


def run(
    *command: str | Path, expect: int | None = None, stdin: str | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run a program as a user would: `remediate` and `ansible-playbook` in a child of a process that has them imported,
    where they cannot see a difference (tests/forked.py).
    """
    words, environment = [str(part) for part in command], os.environ | _PLAINLY | env
    program = Path(words[0])
    forks = _forks(program.parent) if stdin is None and program.is_absolute() and program.name in PROGRAMS else None
    if forks is not None and alike(environment, forks.environment, Path.cwd()):
        done = forks.run(words, environment, _TIMEOUT)
    else:
        done = subprocess.run(
            words, input=stdin, capture_output=True, text=True, timeout=_TIMEOUT, check=False,
            stdin=subprocess.DEVNULL if stdin is None else None, env=environment,
        )  # fmt: skip
    if expect is not None:
        assert done.returncode == expect, f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def remediate(
    *arguments: str | Path, expect: int | None = None, bin: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    """Run remediate, of this environment or of another one's bin folder."""
    return run((bin or Path(sys.prefix) / "bin") / "remediate", *arguments, expect=expect, **env)


_FORKS: dict[Path, Forks] = {}


def _forks(bin: Path) -> Forks:
    """That of an environment, started when it is first asked for."""
    if bin not in _FORKS:
        _FORKS[bin] = Forks(bin / "python")
    return _FORKS[bin]


def pytest_unconfigure() -> None:
    for forks in _FORKS.values():
        forks.end()


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Until it holds; on a machine with nothing else to do that is at once."""
    until = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < until, f"waited 600 s for: {what}"
        time.sleep(0.05)


def pytest_configure(config: pytest.Config) -> None:
    """The stand-ins of the labs' PowerShell are compiled once for all labs of all workers."""
    if not hasattr(config, "workerinput"):
        folder = os.environ["REMEDIATE_LAB_COMPILED"] = tempfile.mkdtemp(prefix="remediate-compiled-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


# What a test needs, by the fixtures that it uses, by what its file imports, and by its folder.
_NEEDS: dict[str, tuple[set[str], set[str], set[str]]] = {
    "pwsh": ({"pwsh_path"}, set(), set()),
    "network": ({"labs", "up"}, {"running", "socket"}, {"integration", "live"}),
    "process": ({"labs", "up", "pwsh_path"}, {"remediate", "run", "running", "subprocess"}, {"integration", "live"}),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it needs. Each test of an environment runs in one, by its name; `make test-matrix` runs
    it in each.
    """
    for item in items:
        imported, fixtures = vars(getattr(item, "module", None) or object), getattr(item, "fixturenames", ())
        for need, (by_fixture, by_import, by_folder) in _NEEDS.items():
            if by_fixture & {*fixtures} or by_import & {*imported} or item.path.parent.name in by_folder:
                item.add_marker(need)
        if item.get_closest_marker("pwsh"):
            item.add_marker("process")
    names = [environment.ansible for environment in available()]
    left_out = [item for item in items if not _has_its_turn(item, names)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _has_its_turn(item: pytest.Item, names: list[str]) -> bool:
    parameters = getattr(item, "callspec", None) and item.callspec.params  # type: ignore[attr-defined]
    if not parameters or "environment" not in parameters or item.get_closest_marker("every_ansible"):
        return True
    ansible = parameters["environment"]
    return bool(ansible == names[crc32(item.nodeid.replace(ansible, "").encode()) % len(names)])


@pytest.fixture(scope="session")
def labs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Labs]:
    labs = Labs(tmp_path_factory.mktemp("labs"))
    yield labs
    for state in labs.running.values():
        remediate("lab", "down", "--state", state, expect=0)


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    """Starts labs of a test's own, by the options of `lab up`; gives the state folder. All are ended with the test."""
    states: list[Path] = []

    def start(*options: str | Path) -> Path:
        state = tmp_path / f"lab{len(states)}"
        states.append(state)
        said = remediate("lab", "up", "--state", state, *options, expect=0)
        assert said.stdout == f"{state / 'inventory' / 'hosts.yml'}\n"
        return state

    yield start
    for state in states:
        remediate("lab", "down", "--state", state, expect=0)


@pytest.fixture(scope="session")
def pwsh_path() -> Path:
    found = find_pwsh()
    if found is None:
        if os.environ.get("REMEDIATE_EXPECT_PWSH"):
            pytest.fail("a PowerShell was expected here, and none was found")
        pytest.skip("no PowerShell here: put pwsh on PATH, or name it in REMEDIATE_PWSH")
    return found


PWSH = pytest.param("pwsh", marks=pytest.mark.pwsh)
# What lies behind the wire is the scripts': they are asked where they run. What the engine `emulated` makes of the same
# is compared with them in tests/powershell/test_agreement.py and tests/unit/test_emulated_scenarios.py.
on_pwsh = pytest.mark.parametrize("engine", [PWSH], indirect=True)
# What the command makes of an answer is the same, whichever engine gives the answer.
on_emulated = pytest.mark.parametrize("engine", ["emulated"], indirect=True)


@pytest.fixture(params=["emulated", PWSH])
def engine(request: pytest.FixtureRequest) -> str:
    """Both engines; `pwsh` is skipped by name where there is none."""
    if request.param == "pwsh":
        request.getfixturevalue("pwsh_path")
    return str(request.param)


@pytest.fixture(params=["basic", "ntlm"])
def auth(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(PYTHONS))
def environment(request: pytest.FixtureRequest) -> Environment:
    """An ansible-core: each test has one of those that are there, and those marked `every_ansible` have each (see
    `pytest_collection_modifyitems`).
    """
    found = Environment(request.param)
    if found not in available():
        pytest.skip(f"no ansible-core {found.ansible} with Python {PYTHONS[found.ansible]} here (`make test` makes it)")
    return found


@pytest.fixture
def site(labs: Labs, engine: str, auth: str, tmp_path: Path) -> Site:
    return labs.take(engine, auth, tmp_path)


@pytest.fixture
def take(labs: Labs, tmp_path: Path) -> Callable[[str, str], Site]:
    """A server of a lab of one's own choice."""
    return lambda engine, auth: labs.take(engine, auth, tmp_path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests ran in a real PowerShell, and in which."""
    ran = [
        r
        for r in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", [])
        if "pwsh" in getattr(r, "keywords", {})
    ]
    skipped = [r for r in terminalreporter.stats.get("skipped", []) if "pwsh" in r.keywords]
    pwsh = find_pwsh()
    name = "none here"
    if pwsh is not None:
        said = subprocess.run(
            [pwsh, "-NoProfile", "-Command", "$PSVersionTable.PSVersion.ToString()"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        name = f"PowerShell {said.strip()}"
    if os.environ.get("REMEDIATE_EXPECT_PWSH") and not ran:
        terminalreporter.write_line("REMEDIATE_EXPECT_PWSH is set, and no test ran in a PowerShell: this is a failure")
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for key, value in getattr(report, "user_properties", []):
            if key == "summary":
                terminalreporter.write_line(value)
    terminalreporter.write_line(f"in a real PowerShell: {len(ran)} tests ran, {len(skipped)} were skipped ({name})")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """CI wants the PowerShell tests to have run, where a PowerShell is there."""
    if not os.environ.get("REMEDIATE_EXPECT_PWSH") or session.config.option.collectonly:
        return
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and session.exitstatus == 0:
        ran = [r for r in reporter.stats.get("passed", []) if "pwsh" in r.keywords]
        if not ran:
            session.exitstatus = 1
