"""The tests for a real Windows (tests/windows), run here in a real PowerShell against the lab's stand-in for IIS.

What this proves is the harness, and that the scripts are right under each answer that the stand-in can play where
Windows' own is not known. It proves nothing about Windows: for that there is .github/workflows/windows.yml.
"""

import base64
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible
import pytest
import yaml

from remediate.fleet.script import COMMAND_LINE, inspection_script
from remediate_lab.knobs import write_knobs

pytestmark = pytest.mark.once
ROOT = Path(__file__).resolve().parents[2]
HARNESS = ROOT / "tests" / "windows"
LAB = ROOT / "lab" / "remediate_lab" / "windows"
WORKFLOW = ROOT / ".github" / "workflows" / "windows.yml"
CANARY = "remediate-canary-4f1c9b"

# Written by hand, after the file of a new IIS 10. The harness makes its pools in it, and takes them out again.
CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <system.applicationHost>
        <applicationPools>
            <add name="DefaultAppPool" />
            <applicationPoolDefaults managedRuntimeVersion="v4.0">
                <processModel identityType="ApplicationPoolIdentity"DEFAULTS />
            </applicationPoolDefaults>
        </applicationPools>
        <sites>
            <site name="Default Web Site" id="1">
                <application path="/" applicationPool="DefaultAppPool" preloadEnabled="true" />
            </site>
        </sites>
    </system.applicationHost>
    <system.webServer>
        <globalModules>
            <add name="ApplicationInitializationModule" image="%windir%\\System32\\inetsrv\\warmup.dll" />
        </globalModules>
    </system.webServer>
</configuration>
"""


@dataclass(frozen=True)
class Answers:
    """What the stand-in is told to answer, where Windows' own answer is not known."""

    inherited_from_defaults: bool
    keep_schema_default: bool
    delete_leaves: str = "empty_element"
    timespan_default: str = "ticks"
    commit_delay_ms: int = 0
    leading_space: str = "read"
    idle_in_defaults: bool = False

    def __str__(self) -> str:
        return f"inherited-{self.inherited_from_defaults}-kept-{self.keep_schema_default}"

    def knobs(self) -> dict[str, str]:
        return {
            "inherited_from_defaults": str(self.inherited_from_defaults).lower(),
            "keep_schema_default": str(self.keep_schema_default).lower(),
            "delete_leaves": self.delete_leaves,
            "timespan_default": self.timespan_default,
            "commit_delay_ms": str(self.commit_delay_ms),
            "leading_space": self.leading_space,
        }


# Each answer at least once. All pairings of those that change what is written are drawn by test_agreement.py.
PLAYED = [
    Answers(False, True, timespan_default="timespan", commit_delay_ms=400),
    Answers(True, True, delete_leaves="nothing"),
    Answers(True, False, leading_space="refused", idle_in_defaults=True),
]


def powershell(pwsh: Path, windows: Path, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """Run PowerShell with that folder as its Windows, and the lab's stand-ins for Windows' own commands."""
    home = windows.parent / "home"
    home.mkdir(exist_ok=True)
    environment = {
        "PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb",
        "windir": str(windows), "TMPDIR": str(home), "PSModulePath": str(LAB / "Modules"),
    }  # fmt: skip
    command = [str(pwsh), "-NoProfile", "-NonInteractive", *map(str, arguments)]
    return subprocess.run(
        command, env=environment, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, timeout=3000, check=False
    )


@pytest.fixture(scope="module")
def built(pwsh_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Windows folder with IIS 10, as it is before anything was configured."""
    windows = tmp_path_factory.mktemp("built") / "Windows"
    config = windows / "System32" / "inetsrv" / "config"
    config.mkdir(parents=True)
    (config / "redirection.config").write_text("<configuration>\n    <configurationRedirection />\n</configuration>\n")
    dll = config.parent / "Microsoft.Web.Administration.dll"
    for out, options in (
        (dll, ("-FileVersion", "10.0.17763.1")),
        (windows / "System32" / "Remediate.Lab.EventLogs.dll", ("-EventLogs",)),
    ):
        made = powershell(pwsh_path, windows, "-File", LAB / "build.ps1", "-OutputPath", out, *options)
        assert made.returncode == 0, made.stderr
    return windows


@pytest.fixture
def windows(built: Path, tmp_path: Path) -> Path:
    """The Windows folder of one server, with IIS 10."""
    return shutil.copytree(built, tmp_path / "Windows")


@pytest.mark.pwsh
@pytest.mark.parametrize(
    "played", PLAYED, ids=lambda a: f"inherited-{a.inherited_from_defaults}-kept-{a.keep_schema_default}"
)
def test_the_scripts_are_right_under_each_answer(pwsh_path: Path, windows: Path, played: Answers) -> None:
    """All tests pass whatever the stand-in answers, and the answers that the harness writes down are those it gave."""
    write_knobs(windows, computer="WEB01", domain="lab.example", windows_version="10.0.17763", **played.knobs())
    defaults = ' idleTimeout="00:30:00"' if played.idle_in_defaults else ""
    text = CONFIG.replace("DEFAULTS", defaults).replace("\n", "\r\n")
    config = windows / "System32" / "inetsrv" / "config" / "applicationHost.config"
    before = text.encode()
    config.write_bytes(before)
    utils = Path(ansible.__file__).parent / "module_utils"
    saved, summary = windows.parent / "answers.json", windows.parent / "answers.md"

    done = powershell(
        pwsh_path, windows, "-File", HARNESS / "Run.ps1", "-ModuleUtils", utils, "-NoWorkers",
        "-AnswersPath", saved, "-SummaryPath", summary,
    )  # fmt: skip
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    lines = said.splitlines()
    assert lines[-1] == f"{sum(line.startswith('ok ') for line in lines)} passed, 0 failed"
    assert len([line for line in lines if line.startswith("ok ")]) >= 16, said

    report = json.loads(saved.read_bytes())
    assert report["product"].startswith("Stand-in")
    assert [f"answer {a['name']}: {a['answer']}" for a in report["answers"]] == [
        x for x in lines if x.startswith("answer ")
    ]
    answers = {a["name"]: a["answer"] for a in report["answers"] if a["settled"]}
    assert answers == expected(played) | {name: answers.get(name) for name in MEASURED}
    for name, pattern in MEASURED.items():
        assert re.search(pattern, answers[name]), answers[name]
    # No worker processes: those questions are for Windows, and say so.
    unsettled = {a["name"] for a in report["answers"] if not a["settled"]}
    assert unsettled == set(questions("Workers.ps1")) | ELSEWHERE

    # The harness itself asked for the password once, to know that it was there to be had; nothing else did.
    assert (windows / "passwords.log").read_text().splitlines() == ["processModel.password"]
    assert CANARY.encode() not in done.stdout + done.stderr + saved.read_bytes() + summary.read_bytes()
    assert summary.read_text().count("\n| ") == len(report["answers"]) + len(report["tests"]) + 4
    # What it made and what it did to the file is undone, to the byte.
    assert config.read_bytes() == before
    assert not list((windows / "System32" / "inetsrv" / "backup").iterdir())


# Those that need a Windows, or that the workflow looks at.
ELSEWHERE = {
    "api-feature", "inetsrv-rights", "cleared-while-read", "constrained-child", "state-without-was", "cultures",
    "was-templates",
}  # fmt: skip
# Asked one by one in a loop.
FILE_QUESTIONS = ("file changed by the API", "file changed by hand", "file in use")
# Answers that are measured, or that are an error's text: what must be in them.
MEASURED = {
    "api-assembly": r"^\S+, Version=7\.0\.0\.0, .*from \S+inetsrv\S+, .*; InetStp: no such key$",
    "default-values": r"^startMode System\.Int32, autoStart System\.Boolean, managedRuntimeVersion System\.String, ",
    "read-after-commit": r"^\d+ times, 0 kinds of failure$",
    "many-pools": r"^8 pools and \d+ others: \d+ ms$",
    "many-changes": r"^4 of 4 written in \d+ ms; warnings: 0$",
    "long-json": r"^29\d{5} characters in \d+ ms$",
    "commit-delay": r"^\d+ ms, \d+ ms, \d+ ms$",
    "file changed by the API": r"refused: .*System\.IO\.FileLoadException 0x800703EE: ",
    "file changed by hand": r"refused: .*System\.IO\.FileLoadException 0x800703EE: ",
    "file in use": r"refused: .*System\.IO\.FileLoadException 0x80070020: ",
    "names-case": r"^in capitals it finds the pool, with a small letter outside ASCII the pool; "
    r"adding a second one is refused: .*COMException 0x800700B7: ",
}


def expected(played: Answers) -> dict[str, Any]:
    """The answers of a stand-in with those switches."""
    inherited, kept = played.inherited_from_defaults, played.keep_schema_default
    names = ["managedRuntimeVersion", "processModel.identityType"]
    if played.idle_in_defaults:
        names.append("processModel.idleTimeout")
    left = "<processModel />" if played.delete_leaves == "empty_element" else "nothing"
    span = "System.TimeSpan 00:20:00" if played.timespan_default == "timespan" else "System.UInt64 12000000000"
    refused = (
        "refused: System.Management.Automation.MethodInvocationException 0x80131501 > "
        "System.Runtime.InteropServices.COMException 0x8007000D: Invalid application pool name"
    )
    spaced = "accepted, and it is then called ' remediate-test-space'"
    return {
        "inherited-flag": ", ".join(f"{name}: {inherited}" for name in names),
        "inherited-flag-schema": "True",
        "value-types": "enum startMode: System.Int32, timeSpan processModel.idleTimeout: System.TimeSpan, "
        "flags recycling.logEventOnRecycle: System.Int32, bool autoStart: System.Boolean, "
        "string managedRuntimeVersion: System.String",
        "timespan-default": span,
        "schema-default-kept": f"set where it was inherited: startMode {kept}, idleTimeout {kept}; "
        f"set where another stood: startMode {kept}, idleTimeout {kept}",
        "leading-space": refused if played.leading_space == "refused" else spaced,
        "backup-rights": "D:P(A;OICI;FA;;;S-1-5-18)(A;OICI;FA;;;S-1-5-32-544)",
        "delete-leaves": f"startMode False, of processModel: {left}",
    }


@pytest.mark.pwsh
def test_the_harness_sends_what_remediate_sends(pwsh_path: Path, tmp_path: Path) -> None:
    """The same bootstrap, and the same script to the byte: else the harness tests something else."""
    windows = tmp_path / "Windows"
    windows.mkdir()
    show = (
        f"Import-Module '{HARNESS / 'Harness.psm1'}' -DisableNameChecking; "
        "[Console]::Out.Write((Get-InspectionScript) + '|' + (Get-InspectionScript 7))"
    )
    done = powershell(pwsh_path, windows, "-Command", show)
    assert done.returncode == 0, done.stderr
    assert done.stdout == inspection_script() + b"|" + inspection_script(7)
    bootstrap = base64.b64decode(COMMAND_LINE.rsplit(" ", 1)[1]).decode("utf-16-le")
    harness = (HARNESS / "Harness.psm1").read_text()
    quoted = bootstrap.replace("'", "''")
    assert f"$script:InspectionBootstrap = '{quoted}'\n" in harness
    assert COMMAND_LINE.split(" ", 1)[1].rsplit(" ", 1)[0] + " ' +" in harness


def questions(script: str) -> list[str]:
    """The names of what a script asks."""
    return re.findall(r"^ *Ask '([\w-]+)' ['\"]", (HARNESS / script).read_text(), re.MULTILINE)


def test_each_open_question_is_asked() -> None:
    """docs/testing.md tells which question settles which point; each that is asked stands there, and no other."""
    table = (ROOT / "docs" / "testing.md").read_text().partition("## What only a Windows server can settle")[2]
    rows = re.findall(r"^\| .* \| (`.*`) \|$", table, re.MULTILINE)
    told = {name for row in rows for name in re.findall("`([^`]+)`", row)}
    assert told == {
        *questions("Questions.ps1"), *questions("Workers.ps1"), *questions("Machine.ps1"), *FILE_QUESTIONS,
    }  # fmt: skip


def test_the_harness_is_ascii() -> None:
    """Windows PowerShell reads a script without a byte-order mark in the machine's code page."""
    for script in HARNESS.iterdir():
        assert script.read_bytes().isascii(), script.name


def written_by_install(commands: str) -> str:
    (name,) = re.findall(r"Out-File -FilePath (\S+\.txt)", commands)
    return str(name)


def test_the_workflow_is_whole() -> None:
    """It parses, may write nothing, cannot hang, pins its actions, and calls files and parameters that are there."""
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 60
    assert {entry["os"] for entry in job["strategy"]["matrix"]["include"]} == {"windows-2022", "windows-latest"}
    assert job["defaults"]["run"]["shell"] == "powershell"
    for step in job["steps"]:
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]), step
    commands = "\n".join(step.get("run", "") for step in job["steps"])
    called = re.findall(r"-File (tests\S+)((?: -\w+ \S+)*)", commands)
    assert len(called) == 1
    script, arguments = called[0]
    declared = (ROOT / script.replace("\\", "/")).read_text().split("Set-StrictMode")[0]
    given = re.findall(r"-(\w+) (\S+)", arguments)
    assert all(re.search(rf"\] \${name}\b", declared) for name, _ in given), given
    # What brings the configuration API is looked at before and after each feature, and the tools are among them.
    assert "Web-Scripting-Tools" in commands and written_by_install(commands) == dict(given)["InstalledPath"]
    # What it writes is what the later steps show and keep.
    written = dict(given)
    assert written["SummaryPath"] in commands.split("GITHUB_STEP_SUMMARY")[0].splitlines()[-1]
    assert any(step.get("with", {}).get("path") == written["AnswersPath"] for step in job["steps"])


def test_the_answers_that_are_played_cover_the_switches() -> None:
    """Each answer of each."""
    for name in (
        "inherited_from_defaults", "keep_schema_default", "delete_leaves", "timespan_default", "leading_space",
        "idle_in_defaults",
    ):  # fmt: skip
        assert len({getattr(a, name) for a in PLAYED}) == 2, name
