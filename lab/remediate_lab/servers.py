"""The files of the simulated servers: what each one's Windows folder holds, and the inventory that names them."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import yaml

from remediate_lab.applicationhost import STORED_PASSWORD
from remediate_lab.engine import Server
from remediate_lab.knobs import read_knobs, write_knobs
from remediate_lab.recipe import Recipe

CONFIG = Path("System32/inetsrv/config")

_REDIRECTION = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <configSections>
        <section name="configurationRedirection" />
    </configSections>
    <configurationRedirection{attributes} />
</configuration>
"""


def make_servers(
    state: Path, recipes: Sequence[Recipe], addresses: Sequence[str], more: Mapping[str, str]
) -> list[Server]:
    """Write the files of the servers below ``state`` and tell where they are; ``more`` are knobs for all of them."""
    servers = []
    for recipe, address in zip(recipes, addresses, strict=True):
        windows = state / "servers" / recipe.name / "Windows"
        (windows / CONFIG).mkdir(parents=True)
        if recipe.config is not None:
            _configure(state, recipe, windows / CONFIG, recipe.config)
        write_knobs(windows, **recipe.knobs, **more)
        servers.append(Server(recipe.name, address, windows))
    return servers


def _configure(state: Path, recipe: Recipe, folder: Path, config: bytes) -> None:
    attributes, holder = "", folder
    if recipe.share is not None:
        holder = (state / "shared" / recipe.share).resolve()
        holder.mkdir(parents=True, exist_ok=True)
        # Two slashes: for Windows that is a share, for the lab's own system a path like another.
        attributes = f' enabled="true" path={quoteattr(f"/{holder}")} userName="CONTOSO\\svc-iis"'
        attributes += f' password="{STORED_PASSWORD}"'
    (holder / "applicationHost.config").write_bytes(config)
    redirection = _REDIRECTION.replace("{attributes}", attributes).replace("\n", "\r\n")
    (folder / "redirection.config").write_bytes(redirection.encode())


def new_password() -> str:
    return secrets.token_urlsafe(12)


def write_inventory(state: Path, servers: Sequence[Server], variables: Mapping[str, Any]) -> Path:
    """The inventory of the lab, readable by its owner alone: all in the group iis, and in one for their IIS."""
    path = state / "inventory" / "hosts.yml"
    path.parent.mkdir(parents=True)
    versions: dict[str, dict[str, Any]] = {}
    for server in servers:
        version = read_knobs(server.windows).get("iis_version")
        if version != "none":
            group = "iis" + version.removesuffix(".0" if version == "10.0" else "").replace(".", "")
            versions.setdefault(group, {"hosts": {}})["hosts"][server.name] = None
    hosts = {server.name: {"ansible_host": server.address} for server in servers}
    iis = {"vars": dict(variables), "hosts": hosts, "children": dict(sorted(versions.items()))}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"iis": iis}, sort_keys=False), encoding="utf-8")
    return path
