"""The files of the simulated servers: what each one's Windows folder holds, and the inventory that names them."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import yaml

from remediate.lab.engine import Server
from remediate.lab.knobs import write_knobs

# The stored form of a password, with a text of its own: it must never turn up anywhere but in the file itself.
CANARY = "canary-b5b1f2d0"

_CONFIG = f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- A simulated server of remediate's lab. -->
<configuration>
    <system.applicationHost>
        <applicationPools>
            <add name="DefaultAppPool" />
            <add name="Contoso Shop" startMode="AlwaysRunning">
                <processModel identityType="SpecificUser" userName="shop" password="[enc:Provider:{CANARY}:enc]" />
            </add>
            <add name="Reports" startMode="AlwaysRunning" autoStart="true">
                <processModel idleTimeout="00:00:00" />
            </add>
            <applicationPoolDefaults managedRuntimeVersion="v4.0">
                <processModel identityType="ApplicationPoolIdentity" />
            </applicationPoolDefaults>
        </applicationPools>
        <sites>
            <site name="Default Web Site" id="1">
                <application path="/" applicationPool="DefaultAppPool">
                    <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\wwwroot" />
                </application>
                <application path="/shop" applicationPool="Contoso Shop" preloadEnabled="true">
                    <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\shop" />
                </application>
                <application path="/reports" applicationPool="Reports" preloadEnabled="true">
                    <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\reports" />
                </application>
            </site>
            <applicationDefaults applicationPool="DefaultAppPool" />
        </sites>
    </system.applicationHost>
    <system.webServer>
        <globalModules>
            <add name="StaticFileModule" image="%windir%\\System32\\inetsrv\\static.dll" />
            <add name="ApplicationInitializationModule" image="%windir%\\System32\\inetsrv\\warmup.dll" />
        </globalModules>
    </system.webServer>
</configuration>
"""


_REDIRECTION = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <configSections>
        <section name="configurationRedirection" />
    </configSections>
    <configurationRedirection />
</configuration>
"""


def make_servers(state: Path, count: int, network: str) -> list[Server]:
    """Write the files of ``count`` servers below ``state`` and tell where they are; ``network`` is 127.A.B."""
    servers = []
    for number in range(1, count + 1):
        name = f"web{number:02}"
        windows = state / "servers" / name / "Windows"
        config = windows / "System32" / "inetsrv" / "config"
        config.mkdir(parents=True)
        for file, text in (("applicationHost.config", _CONFIG), ("redirection.config", _REDIRECTION)):
            (config / file).write_bytes(text.replace("\n", "\r\n").encode())
        write_knobs(
            windows, computer=name.upper(), domain="lab.example", windows_version="10.0.17763", iis_version="10.0"
        )
        servers.append(Server(name, f"{network}.{number}", windows))
    return servers


def new_password() -> str:
    return secrets.token_urlsafe(12)


def write_inventory(state: Path, servers: Sequence[Server], port: int, auth: str, user: str, password: str) -> Path:
    """The inventory of the lab, readable by its owner alone."""
    path = state / "inventory" / "hosts.yml"
    path.parent.mkdir(parents=True)
    variables = {
        "ansible_connection": "winrm", "ansible_port": port, "ansible_winrm_scheme": "http",
        "ansible_winrm_transport": "basic" if auth == "basic" else "ntlm", "ansible_winrm_message_encryption": "auto",
        "ansible_user": user, "ansible_password": password,
    }  # fmt: skip
    hosts = {server.name: {"ansible_host": server.address} for server in servers}
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump({"iis": {"vars": variables, "hosts": hosts}}, sort_keys=False), encoding="utf-8")
    return path
