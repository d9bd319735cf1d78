"""The collection's modules in tasks, by plain ansible-playbook."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remediate_lab.pwsh import find_pwsh
from tests.conftest import Site, run

ROOT = Path(__file__).parents[2]
PERIODIC = {"startMode": "AlwaysRunning", "processModel.idleTimeoutAction": "Terminate"}
NEVER_IDLE = {"attribute": "processModel.idleTimeout", "set": "00:00:00", "given": PERIODIC}


def modules(site: Site, name: str, each: Sequence[dict[str, Any]], *options: str) -> list[Any]:
    """The module's results, one task after the other, by plain `ansible-playbook`."""
    tasks: list[dict[str, Any]] = [
        {f"remediate.iis.{name}": arguments, "register": f"result{n}", "ignore_errors": True}
        for n, arguments in enumerate(each)
    ]
    results, said = site.folder / "playbook.yml", site.folder / "results.json"
    content = "{{ [" + ", ".join(f"result{n}" for n in range(len(each))) + "] | to_json }}"
    tell = {"content": content, "dest": str(said), "mode": "0600"}
    tasks.append({"ansible.builtin.copy": tell, "delegate_to": "localhost", "check_mode": False})
    results.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    collections = site.folder / "collections"
    if not collections.exists():
        collections.symlink_to(ROOT / "playbooks" / "collections")
    run(Path(sys.prefix) / "bin" / "ansible-playbook", "-i", site.inventory, results, *options, expect=0)
    return [{"failed": False} | result for result in json.loads(said.read_text())]


def module(site: Site, name: str, arguments: dict[str, Any], *options: str) -> Any:
    """The result of one task."""
    (result,) = modules(site, name, [arguments], *options)
    return result


def iis(site: Site, version: str) -> None:
    """Give the server another version of IIS, or `none`."""
    site.knobs(iis_version=version)
    dll = site.windows / "System32" / "inetsrv" / "Microsoft.Web.Administration.dll"
    dll.unlink()
    pwsh = find_pwsh()
    if version != "none" and pwsh is not None:
        build = ROOT / "lab" / "remediate_lab" / "windows" / "build.ps1"
        run(pwsh, "-NoProfile", "-File", build, "-OutputPath", dll, "-FileVersion", f"{version}.0.1", expect=0)


def change(**others: Any) -> dict[str, Any]:
    return {"pool": "Contoso Shop", "attribute": "processModel.idleTimeout", "expect": "00:20:00"} | others


def names_and_states(result: Any) -> dict[str, str]:
    return {c["pool"]: c["state"] for c in result["changes"]}
