"""A collection's scripts on a bench: one simulated server, and a PowerShell that runs them one after the other.

The modules run as they are, with Ansible's own Ansible.Basic; what Ansible's transport adds is tested elsewhere.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ansible

from remediate.fleet.script import COMMAND_LINE, put_together, stop_script
from remediate_lab.knobs import write_knobs
from remediate_lab.pwsh import PwshEngine
from remediate_lab.recipe import from_configs
from remediate_lab.servers import make_servers
from tests.conftest import PLAIN
from tests.powershell.engine import HERE, INSPECT, PLUGINS, ROOT, STOP

CONFIG = "System32/inetsrv/config"
LAB_MODULES = ROOT / "lab" / "remediate_lab" / "windows" / "Modules"


def copy_scripts(folder: Path) -> Path:
    """A copy of all that is shipped to servers, as ``folder``/plugins and ``folder``/inspect.ps1."""
    shutil.copytree(PLUGINS, folder / "plugins")
    for script in (INSPECT, STOP):
        shutil.copy(script, folder / script.name)
    return folder


class Bench:
    """``scripts`` is a folder as ``copy_scripts`` makes them."""

    def __init__(self, pwsh: Path, scripts: Path, folder: Path, iis_version: str = "10.0") -> None:
        self._scripts = scripts
        (server,) = make_servers(folder, from_configs(PLAIN, 1), ["127.0.0.1"], {})
        self.windows = server.windows
        write_knobs(self.windows, computer="WEB01")
        self._pristine = {
            f: f.read_bytes() for f in (self.windows / "lab.txt", *(self.windows / CONFIG).iterdir()) if f.is_file()
        }
        self._iis_version = iis_version
        write_knobs(self.windows, iis_version=iis_version)
        PwshEngine(pwsh, folder / "engine").furnish([server])
        home = folder / "home"
        home.mkdir()
        self._environment = {
            "PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8", "NO_COLOR": "1",
            "TERM": "dumb", "TZ": "UTC", "windir": str(self.windows), "PSModulePath": str(LAB_MODULES),
        }  # fmt: skip
        self._pwsh = pwsh
        self._process: subprocess.Popen[str] | None = None
        self.fresh()

    @property
    def config(self) -> Path:
        return self.windows / CONFIG / "applicationHost.config"

    def fresh(self, **knobs: str | tuple[str, ...]) -> None:
        """The server as it was made, but for these settings."""
        for path in self.windows.iterdir():
            if path.is_dir() and path.name != "System32":
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()
        for made in ("inetsrv/backup", "winevt"):
            shutil.rmtree(self.windows / "System32" / made, ignore_errors=True)
        for path in (self.windows / CONFIG).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path, content in self._pristine.items():
            path.write_bytes(content)
        self.knobs(iis_version=self._iis_version, **knobs)

    def knobs(self, **values: str | tuple[str, ...]) -> None:
        """Change how the server behaves (see lab/remediate_lab/knobs.py)."""
        write_knobs(self.windows, **values)

    @contextmanager
    def without_api(self) -> Iterator[None]:
        """Meanwhile the configuration API is not installed; it may stay loaded in a process."""
        dll = self.windows / "System32/inetsrv/Microsoft.Web.Administration.dll"
        target = dll.readlink()
        dll.unlink()
        try:
            yield
        finally:
            dll.symlink_to(target)

    def build(self, target: Path, *options: str) -> None:
        """Compile a stand-in of one's own."""
        script = ROOT / "lab" / "remediate_lab" / "windows" / "build.ps1"
        command: list[str | Path] = [self._pwsh, "-NoProfile", "-File", script, "-OutputPath", target, *options]
        subprocess.run(command, env=self._environment, check=True, capture_output=True, timeout=120)

    def deny_read(self) -> None:
        """Take away the right to read, at one stroke: somebody is reading the settings at this moment."""
        new = self.windows / "lab.new"
        new.write_text((self.windows / "lab.txt").read_text() + "deny_read=true\n")
        new.replace(self.windows / "lab.txt")

    def edit(self, old: str, new: str) -> None:
        """Edit the configuration behind everybody's back."""
        data = self.config.read_bytes()
        assert data.count(old.encode()) == 1, old
        self.config.write_bytes(data.replace(old.encode(), new.encode()))

    def module(self, name: str, check: bool = False, **arguments: Any) -> Any:
        """What the module prints, run with these arguments."""
        told = {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_module_name": f"remediate.iis.{name}"}
        answer = self._ask({"module": name, "arguments": arguments | told})
        assert answer.get("printed"), answer
        return json.loads(answer["printed"])

    def info(self) -> Any:
        """What the module app_pool_info reads; sooner had than an inspection."""
        result = self.module("app_pool_info")
        assert not result.get("failed"), result
        return result["inspection"]

    def settings(self, *changes: dict[str, Any], check: bool = False, **arguments: Any) -> Any:
        """The module app_pool_settings with these changes, and no waiting."""
        quick = {"pause": 0, "verify_seconds": 30} | arguments
        return self.module("app_pool_settings", check, changes=list(changes), **quick)

    def code(self, text: str, **arguments: Any) -> Any:
        """A list of all that the code gives, with the collection's functions at hand and the arguments in $given."""
        answer = self._ask({"code": text, "arguments": arguments})
        assert "error" not in answer, answer["error"]
        return answer["value"]

    def trouble(self, text: str, **arguments: Any) -> str:
        """The type and the text of the error that the code ends with."""
        answer = self._ask({"code": text, "arguments": arguments})
        assert "error" in answer, answer
        return str(answer["error"])

    def inspect(self, evidence_days: int = 0) -> Any:
        """What the inspection script prints, sent as an audit sends it."""
        script = put_together(self._scripts / "plugins" / "module_utils", self._scripts, evidence_days)
        printed = self._send(script)
        assert printed.isascii() and printed.count(b"\n") == 1, printed
        return json.loads(printed)

    def stop(self, run: str) -> str:
        """What the script prints that asks a run to stop."""
        return self._send(stop_script(run, self._scripts / "plugins" / "module_utils", self._scripts)).decode().strip()

    def _send(self, script: bytes) -> bytes:
        done = subprocess.run(
            [self._pwsh, *COMMAND_LINE.split()[1:]], input=script, env=self._environment, capture_output=True,
            timeout=180, check=False, cwd=self.windows,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _ask(self, question: dict[str, Any]) -> Any:
        if self._process is None:
            utils = Path(ansible.__file__).parent / "module_utils"
            command: list[str | Path] = [
                self._pwsh, "-NoProfile", "-NonInteractive", "-File", HERE / "bench.ps1", self._scripts / "plugins",
                utils, ROOT / "tests" / "windows" / "Harness.psm1",
            ]  # fmt: skip
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=self.windows, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                text=True,
            )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        """End the PowerShell; the next question starts another."""
        if self._process is not None:
            # Not at its own pace: a late commit may still be waiting in it.
            self._process.kill()
            self._process.communicate()
            self._process = None
