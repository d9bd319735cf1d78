"""A connection's secret stands in nothing that leaves: reports, plans, records, logs and what is printed."""

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Site, remediate, run
from tests.environments import Environment

BIN = Path(sys.prefix) / "bin"
CANARY = "Canary5e1f"
LOG = Path(__file__).parents[1] / "cases" / "logs" / "article.txt"


@pytest.fixture
def site(take: Callable[[str, str], Site]) -> Site:
    """Over Basic: the server is told the password."""
    return take("emulated", "basic")


def variables(inventory: Path) -> dict[str, Any]:
    group: dict[str, Any] = yaml.safe_load(inventory.read_text())["iis"]["vars"]
    return group


def spelled(site: Site) -> tuple[str, ...]:
    """The password as a server would send it back: as it is, and as the header of Basic has it."""
    group = variables(site.inventory)
    account = f"{group['ansible_user']}:{group['ansible_password']}"
    return group["ansible_password"], base64.b64encode(account.encode()).decode().rstrip("=")


def written(*places: Path) -> str:
    """All that stands in these files, and in the files below these folders."""
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()]
    return "\n".join(file.read_text(errors="replace") for file in files)


def echo(site: Site, name: str, text: str) -> str:
    path = site.folder / name
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("way", ["fault", "error", "banner", "pool"])
def test_a_server_that_sends_the_password_back_to_an_audit(site: Site, way: str) -> None:
    """In a fault, an error, a banner or a name: the report says that something is hidden, and is saved without it."""
    words = " and ".join(spelled(site))
    head = {"format": "remediate.inspection", "format_version": 1}
    if way == "fault":
        site.knobs(fault=f"soap:5 w:AccessDenied refused {words}")
    elif way == "error":
        error = {"type": "Odd", "hresult": "0x1", "message": f"refused {words}"}
        site.knobs(answer=echo(site, "answer", json.dumps(head | {"error": error})))
    elif way == "banner":
        site.knobs(before=echo(site, "before", f"hello {words}\r\n"))
    else:
        site.edit('<add name="Contoso Shop"', f'<add name="{spelled(site)[0]}" /><add name="Contoso Shop"')
    saved, page = site.folder / "audit.json", site.folder / "page.html"
    done = remediate("audit", "-i", site.inventory, "--format", "json", "--save", saved)
    shown = done.stdout + done.stderr + remediate("show", saved, expect=0).stdout
    remediate("diagnose", LOG, "--audit", saved, "--format", "html", "--out", page)
    (host,) = json.loads(saved.read_text())["hosts"]
    said = str(host["warning"] if way == "banner" else host["detail"])
    assert ("nothing of it is shown or kept" if way == "pool" else "(hidden) and (hidden)") in said
    assert page.exists() and not [text for text in spelled(site) if text in shown + written(saved, page)]


@pytest.mark.parametrize("way", ["fault", "junk"])
def test_a_server_that_sends_the_password_back_to_a_run(site: Site, environment: Environment, way: str) -> None:
    """Neither the record nor the log has it, of `apply` and of plain ansible-playbook, on each ansible-core."""
    folder, record = site.folder / "plan", site.folder / "record"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    words = " and ".join(spelled(site))
    if way == "fault":
        site.knobs(fault=f"soap:5 w:AccessDenied refused {words}")
    else:
        site.knobs(before=echo(site, "before", f"hello {words}\r\n"), after=echo(site, "after", f"bye {words}\r\n"))
    done = remediate("apply", folder, "-i", site.inventory, "--yes", bin=environment.bin)
    plain = run(
        environment.bin / "ansible-playbook", "-i", site.inventory, folder / "playbook.yml",
        REMEDIATE_RUN_DIR=str(record),
    )  # fmt: skip
    (made,) = (folder / "runs").iterdir()
    shown = remediate("show", made).stdout + done.stdout + done.stderr + plain.stdout + plain.stderr
    assert "(hidden) and (hidden)" in shown
    assert (made / "ansible-playbook.log").stat().st_size and (record / "record.jsonl").stat().st_size
    assert not [text for text in spelled(site) if text in shown + written(folder, record)]


def test_what_ansible_reads_is_not_in_the_log_of_a_run(site: Site, environment: Environment) -> None:
    """A key that stands twice, a script's and a lookup's words on standard error; the log is its owner's alone."""
    folder, made = site.folder / "plan", site.folder / "made"
    source = site.folder / "inventory"
    (source / "group_vars").mkdir(parents=True)
    text = site.inventory.read_text()
    port = variables(site.inventory)["ansible_port"]
    lookup = f"\"{{{{ lookup('pipe', 'echo {CANARY} >&2; echo {port}') }}}}\""
    (source / "hosts.yml").write_text(text.replace(f"ansible_port: {port}", f"ansible_port: {lookup}"))
    (source / "group_vars" / "iis.yml").write_text(f"note: {CANARY}\nnote: {CANARY}\n")
    script = source / "cmdb.sh"
    script.write_text(f'#!/bin/sh\necho {CANARY} >&2\necho \'{{"iis": {{"hosts": ["{site.name}"]}}}}\'\n')
    script.chmod(0o700)
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    made.mkdir(mode=0o755)
    options = ("apply", folder, "-i", source, "--yes", "--run-dir", made / "r")
    done = remediate(*options, expect=0, bin=environment.bin)
    log = (made / "r" / "ansible-playbook.log").read_text()
    assert "group_vars/iis.yml:2:1: note stands twice in one mapping" in log
    assert CANARY not in log + done.stdout + done.stderr + written(folder, made)
    modes = {file.name: file.stat().st_mode & 0o777 for file in (made / "r").iterdir()}
    assert modes == {"ansible-playbook.log": 0o600, "record.jsonl": 0o600, "proof.jsonl": 0o600}


def test_plain_ansible_playbook_keeps_its_record_to_its_owner(site: Site) -> None:
    """Also in a folder that all may read."""
    folder, made = site.folder / "plan", site.folder / "made"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    made.mkdir(mode=0o755)
    run(BIN / "ansible-playbook", "-i", site.inventory, folder / "playbook.yml", expect=0, REMEDIATE_RUN_DIR=str(made))
    assert (made / "record.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def two(take: Callable[[str, str], Site]) -> tuple[Site, Site]:
    """Two servers in the inventory of the first; there is a plan for both."""
    sites = take("emulated", "basic"), take("emulated", "basic")
    names = [site.name for site in sites]
    whole = yaml.safe_load(sites[0].inventory.read_text())
    whole["iis"]["hosts"] = {name: json.loads((sites[0].folder / f"{name}.json").read_text())[name] for name in names}
    sites[0].inventory.write_text(yaml.safe_dump(whole))
    remediate("plan", "-i", sites[0].inventory, "--fix", "on-demand", "--out", sites[0].folder / "plan", expect=2)
    return sites


def spoil(site: Site, inventory: Path) -> None:
    """From now on its variables cannot be read."""
    whole = yaml.safe_load(inventory.read_text())
    whole["iis"]["hosts"][site.name]["ansible_password"] = f"{{{{ '{CANARY}' + }}}}"
    inventory.write_text(yaml.safe_dump(whole))


@pytest.mark.parametrize("option", ["--yes", "--check"])
def test_a_host_whose_variables_cannot_be_read_is_not_begun(two: tuple[Site, Site], option: str) -> None:
    """It counts as failed: with no failure allowed nothing is done; else the others are, and its reason is said."""
    good, bad = two
    spoil(bad, good.inventory)
    before, folder = bad.config.read_bytes(), good.folder / "plan"
    done = remediate("apply", folder, "-i", good.inventory, option, expect=3)
    assert f"{bad.name}: failed: its variables: ansible_password: the template has a syntax error" in done.stderr
    assert done.stderr.endswith("--max-failures is 5%: nothing was done\n") and not (folder / "runs").exists()
    done = remediate("apply", folder, "-i", good.inventory, option, "--max-failures", "1", expect=3)
    assert f"{bad.name}: failed: its variables: ansible_password: the template has a syntax error" in done.stdout
    assert f"{good.name}: {'changed' if option == '--yes' else 'pending'}" in done.stdout
    assert bad.config.read_bytes() == before
    assert CANARY not in done.stdout + done.stderr + written(folder)


def test_addresses_with_an_account(tmp_path: Path) -> None:
    """In ansible_host, in a path, in another variable, and as -i: what is said of them leaves the account out."""
    common = "ansible_connection=winrm ansible_user=u ansible_password=password-1 ansible_port=1"
    inventory = tmp_path / "hosts"
    inventory.write_text(
        f"h1 {common} ansible_host=https://me:{CANARY}@127.0.0.1/\n"
        f"h2 {common} ansible_host=127.0.0.1 ansible_winrm_path=/wsman?key={CANARY}\n"
        f"h3 {common} ansible_host=127.0.0.1 ansible_winrm_transport=https://me:{CANARY}@127.0.0.1/\n"
        f"h4 {common} ansible_host=127.0.0.1 ansible_winrm_proxy=http://me:{CANARY}@127.0.0.1:1\n"
        f"h5 {common} ansible_host=127.0.0.1 ansible_port=https://me:{CANARY}@127.0.0.1/\n"
    )
    saved = tmp_path / "audit.json"
    done = remediate("audit", "-i", inventory, "--save", saved, expect=3)
    assert len(json.loads(saved.read_text())["hosts"]) == 5
    assert CANARY not in done.stdout + done.stderr + saved.read_text()
    for source in (f"https://me:{CANARY}@cmdb/x", f"https://me:{CANARY}@cmdb/x,"):
        done = remediate("audit", "-i", source, expect=1)
        assert done.stderr.startswith("remediate: inventory 'https://(hidden)@cmdb/x") and CANARY not in done.stderr
    done = remediate("show", f"https://me:{CANARY}@cmdb/x", expect=1)
    assert CANARY not in done.stderr
