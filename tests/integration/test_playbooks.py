"""The playbooks that we ship, by plain ansible-playbook, from a folder of the user's own."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.sax.saxutils import quoteattr

import pytest
import yaml

from tests.conftest import Site, on_pwsh, remediate, run
from tests.integration.test_names import DEFAULTS, NASTY, configuration

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ANSIBLE_PLAYBOOK = Path(sys.prefix) / "bin" / "ansible-playbook"
# Playbook -> what it changes in the file of a server of the lab, and the line of its diff.
FIXES = {
    "fix_idle_timeout.yml": (
        (':enc]" />', ':enc]" idleTimeout="00:00:00" />'),
        "processModel.idleTimeout: 00:20:00 -> 00:00:00",
    ),
    "fix_on_demand.yml": (
        ('name="Contoso Shop" startMode="AlwaysRunning"', 'name="Contoso Shop" startMode="OnDemand"'),
        "startMode: AlwaysRunning -> OnDemand",
    ),
}
one_auth = pytest.mark.parametrize("auth", ["ntlm"])


def play(
    site: Site, name: str, *options: str | Path, folder: Path = PLAYBOOKS, expect: int | None = None, **env: str
) -> CompletedProcess[str]:
    """Run one of our playbooks, standing in the test's own folder."""
    here = ("env", "-C", site.folder)
    return run(*here, ANSIBLE_PLAYBOOK, "-i", site.inventory, folder / name, *options, expect=expect, **env)


def runs(site: Site) -> list[Path]:
    return sorted((site.folder / "remediate-runs").glob("*"), key=lambda path: path.stat().st_mtime_ns)


def shown(path: Path) -> Any:
    return json.loads(remediate("show", path, "--format", "json", expect=0).stdout)


@pytest.fixture
def fleet(take: Callable[[str, str], Site]) -> list[Site]:
    """Three servers, and one inventory of them all and a Linux host."""
    sites = sorted((take("emulated", "basic") for _ in range(3)), key=lambda site: site.name)
    whole = yaml.safe_load(sites[0].inventory.read_text())
    for site in sites:
        whole["iis"]["hosts"] |= json.loads((site.folder / f"{site.name}.json").read_text())
    whole["linux"] = {"hosts": {"lx01": {"ansible_host": "127.0.0.1"}}}
    sites[0].inventory.write_text(yaml.safe_dump(whole))
    return sites


def host_vars(site: Site, name: str, **values: Any) -> None:
    whole = yaml.safe_load(site.inventory.read_text())
    whole["iis"]["hosts"][name] |= values
    site.inventory.write_text(yaml.safe_dump(whole))


@on_pwsh
@one_auth
@pytest.mark.parametrize("name", list(FIXES))
def test_a_fix_and_its_rollback(site: Site, name: str) -> None:
    """Tried, written, recorded, tried backwards and undone, each time that much and no more; by `remediate` too."""
    (old, new), line = FIXES[name]
    before = site.config.read_bytes()
    wanted = ("-e", "remediate_pools=contoso*,nobody")
    dry = play(site, name, *wanted, "--check", "--diff", expect=0)
    assert f"pool: Contoso Shop\n  {line}\n" in dry.stdout
    assert (site.config.read_bytes(), runs(site)) == (before, [])

    done = play(site, name, *wanted, expect=0)
    assert site.config.read_bytes() == before.replace(old.encode(), new.encode())
    (made,) = runs(site)
    assert f"the record of this run is {made}/record.jsonl" in done.stdout
    assert "no application pool matches 'nobody'" in done.stdout + done.stderr
    (host,) = shown(made)["hosts"]
    (change,) = host["changes"]
    assert (host["status"], host["backup"]) == ("changed", f"remediate-{made.name}")
    assert (change["machine"], change["written"], change["verified"]) == (
        f"{site.name.upper()}.lab.example",
        True,
        True,
    )
    assert change["reason"] == f"by the playbook {name}"

    undo = ("-e", f"remediate_run=remediate-runs/{made.name}")
    dry = play(site, "rollback.yml", *undo, "--check", "--diff", expect=0)
    old_value, _, new_value = line.partition(": ")[2].partition(" -> ")
    assert f"{new_value} -> {old_value}" in dry.stdout
    assert site.config.read_bytes() != before
    play(site, "rollback.yml", *undo, expect=0)
    assert site.config.read_bytes() == before
    assert [shown(path)["hosts"][0]["status"] for path in runs(site)] == ["changed", "changed"]
    play(site, "rollback.yml", "-e", f"remediate_run={runs(site)[1]}/record.jsonl", expect=0)
    assert site.config.read_bytes() == before.replace(old.encode(), new.encode()), "the undo of the undo"

    plan = site.folder / "undo"
    remediate("rollback", made, "--out", plan, expect=0)
    remediate("apply", plan, "-i", site.inventory, "--yes", expect=0)
    assert site.config.read_bytes() == before


@on_pwsh
@one_auth
def test_what_changed_since_is_not_undone(site: Site) -> None:
    play(site, "fix_on_demand.yml", "-e", "remediate_pools=Contoso*", expect=0)
    site.edit('name="Contoso Shop" startMode="OnDemand"', 'name="Contoso Shop" startMode="AlwaysRunning"')
    site.edit('name="Reports" startMode="AlwaysRunning"', 'name="Reports" startMode="OnDemand"')
    (made,) = runs(site)
    edited = site.config.read_bytes()
    assert play(site, "rollback.yml", "-e", f"remediate_run={made}", expect=0).returncode == 0, "it is so already"
    site.knobs(computer="OTHER")
    done = play(site, "rollback.yml", "-e", f"remediate_run={made}")
    assert done.returncode != 0
    assert "another machine answers here" in done.stdout
    assert site.config.read_bytes() == edited


@on_pwsh
@one_auth
def test_nasty_names_are_no_templates(site: Site) -> None:
    """From the server to the record, from the record to the rollback: a name is never read as anything else."""
    before = configuration("\n".join(f'<add name={quoteattr(n)} startMode="AlwaysRunning" />' for n in NASTY), DEFAULTS)
    site.config.write_text(before, encoding="utf-8")
    wanted = '{"remediate_pools": ["*"], "remediate_allow_dormant": true}'
    play(site, "fix_on_demand.yml", "-e", wanted, expect=0)
    assert site.config.read_text(encoding="utf-8") == before.replace("AlwaysRunning", "OnDemand")
    (made,) = runs(site)
    assert {change["pool"] for change in shown(made)["hosts"][0]["changes"]} == set(NASTY)
    dry = play(site, "rollback.yml", "-e", f"remediate_run={made}", "--check", "--diff", expect=0)
    assert [name for name in NASTY if f"\npool: {name}\n" not in dry.stdout] == []
    play(site, "rollback.yml", "-e", f"remediate_run={made}", expect=0)
    assert site.config.read_text(encoding="utf-8") == before


def table(done: CompletedProcess[str]) -> list[str]:
    text = done.stdout.partition('"msg": [')[2].partition("\n    ]")[0]
    return list(json.loads(f"[{text}]"))


def test_the_audit_is_one_table(fleet: list[Site]) -> None:
    """All hosts in one, those without an answer by name; Linux hosts are passed over; nothing is recorded."""
    first, second, third = fleet
    second.knobs(iis_version="none")
    host_vars(first, third.name, ansible_port=1)
    first.edit('<add name="DefaultAppPool" />', '<add name="a&#x202e;&#x9b;31m b" startMode="AlwaysRunning"/>')
    first.edit('name="Reports" startMode="AlwaysRunning"', 'name="Reports" startMode="OnDemand"')
    done = play(first, "audit.yml")
    assert done.returncode != 0, "a host could not be reached"
    head, *rows = table(done)
    assert head.split() == ["host", "pool", "startMode", "idleTimeout", "idleTimeoutAction", "state", "at", "risk"]
    column = head.index("startMode")
    assert [(row[:column].rstrip(), row[column:].split()) for row in rows[:3]] == [
        (f"{first.name}  a??31m b", ["AlwaysRunning", "00:20:00", "Terminate", "Started", "yes"]),
        (f"{first.name}  Contoso Shop", ["AlwaysRunning", "00:20:00", "Terminate", "Started", "yes"]),
        (f"{first.name}  Reports", ["OnDemand", "00:00:00", "Terminate", "Started", "no"]),
    ]
    assert rows[3] == f"{second.name}: no IIS"
    assert rows[4].startswith(f"{third.name}: unreachable: ")
    assert rows[5:] == ["pools: 3, at risk: 2; hosts inspected: 2, not inspected: 1, not Windows: 1"]
    assert play(first, "audit.yml", "-l", f"{first.name},lx01", expect=0)
    assert len(table(play(first, "audit.yml", "-e", f"remediate_hosts={first.name}", expect=0))) == 5
    assert not runs(first)


@on_pwsh
@one_auth
def test_the_audit_reads_a_server(site: Site) -> None:
    rows = table(play(site, "audit.yml", expect=0))
    assert [row.split()[-1] for row in rows[1:4]] == ["no", "yes", "no"]


@pytest.mark.parametrize("name", list(FIXES))
def test_without_pools_no_host_is_touched(fleet: list[Site], name: str) -> None:
    """There is no fleet-wide default; with --limit, which leaves out localhost, neither."""
    site = fleet[0]
    host_vars(site, site.name, ansible_port=1)
    for options in ((), ("-l", site.name), ("-e", "remediate_pools="), ("-e", '{"remediate_pools": []}')):
        done = play(site, name, *options)
        assert done.returncode != 0
        assert "Name the pools: -e 'remediate_pools=Contoso*'" in done.stdout
        assert "unreachable=0" in done.stdout and "unreachable=1" not in done.stdout, "no server was spoken to"
    assert not runs(site)


def test_the_hosts_own_word_wins(fleet: list[Site]) -> None:
    """none, another fix, or what is no fix at all: left alone, and said; the same fix is done."""
    site, second, third = fleet
    before = [s.config.read_bytes() for s in fleet]
    host_vars(site, site.name, remediate_fix="none")
    host_vars(site, second.name, remediate_fix="on-demand")
    host_vars(site, third.name, remediate_fix="idle-timeout")
    done = play(site, "fix_idle_timeout.yml", "-e", "remediate_pools=*", expect=0)
    assert [s.config.read_bytes() != b for s, b in zip(fleet, before, strict=True)] == [False, False, True]
    for word in ("none", "on-demand"):
        assert f"left alone: remediate_fix is {word} for this host" in done.stdout
    assert [host["host"] for host in shown(runs(site)[0])["hosts"]] == [third.name]
    host_vars(site, third.name, remediate_fix="sometimes")
    assert "left alone: remediate_fix is sometimes" in play(site, "fix_on_demand.yml", "-e", "remediate_pools=*").stdout
    assert [host["host"] for host in shown(runs(site)[1])["hosts"]] == [second.name]


@pytest.mark.parametrize("name", list(FIXES))
def test_only_what_an_audit_finds_is_changed(take: Callable[[str, str], Site], name: str) -> None:
    """A pool without use and one without managed code are left alone, and named; so is one that is never idle."""
    site = take("emulated", "basic")
    extra = (
        '<add name="Unused" startMode="AlwaysRunning" />'
        '<add name="Native" startMode="AlwaysRunning" managedRuntimeVersion="" />'
    )
    site.edit('<add name="DefaultAppPool" />', f'<add name="DefaultAppPool" />{extra}')
    found = json.loads(remediate("audit", "-i", site.inventory, "--format", "json", expect=2).stdout)["findings"]
    doubtful = {f["pool"] for f in found if f["level"] == "finding" and f["doubts"]}
    sure = {f["pool"] for f in found if f["level"] == "finding" and not f["doubts"]}
    assert (doubtful, sure) == ({"Unused", "Native"}, {"Contoso Shop"})
    done = play(site, name, "-e", "remediate_pools=*", expect=0)
    assert {c["pool"] for c in shown(runs(site)[0])["hosts"][0]["changes"] if c["written"]} == sure
    assert "pool Unused: at risk, and left alone: no application uses it" in done.stdout + done.stderr
    assert "Reports" not in done.stderr
    play(site, name, "-e", '{"remediate_pools": "*", "remediate_allow_dormant": true}', expect=0)
    assert {c["pool"] for c in shown(runs(site)[1])["hosts"][0]["changes"] if c["written"]} == doubtful


def test_where_the_pools_cannot_be_read_nothing_was_written(take: Callable[[str, str], Site]) -> None:
    """The pools are read first. Where that fails, the record says that nothing was sent which could write."""
    site = take("emulated", "basic")
    site.config.write_text("<configuration>")
    done = play(site, "fix_on_demand.yml", "-e", "remediate_pools=*")
    assert done.returncode != 0
    (host,) = shown(runs(site)[0])["hosts"]
    assert (host["status"], host["sent"], host["changes"]) == ("failed", False, [])


@pytest.mark.parametrize("options", [("--start-at-task", "Compare and set"), ("--step",)])
def test_no_check_is_passed_over(fleet: list[Site], options: tuple[str, ...]) -> None:
    """Ansible's options that leave out tasks would leave out checks: the run does not begin."""
    site = fleet[0]
    done = play(site, "fix_on_demand.yml", "-e", "remediate_pools=Contoso*", *options)
    assert done.returncode != 0
    assert f"{options[0]} could leave out the checks" in done.stdout + done.stderr
    assert not runs(site)


def test_a_fact_of_a_cache_sets_nothing(fleet: list[Site]) -> None:
    """A server's answer to another playbook may be in Ansible's cache of facts, where it goes before the inventory."""
    site, second, _ = fleet
    cache = str(site.folder / "facts")
    run(
        ANSIBLE_PLAYBOOK.with_name("ansible"), second.name, "-i", site.inventory, "-m", "ansible.builtin.set_fact",
        "-a", "remediate_max_failures=100% cacheable=true",
        expect=0, ANSIBLE_CACHE_PLUGIN="jsonfile", ANSIBLE_CACHE_PLUGIN_CONNECTION=cache,
    )  # fmt: skip
    done = play(
        site, "fix_on_demand.yml", "-e", "remediate_pools=Contoso*",
        ANSIBLE_CACHE_PLUGIN="jsonfile", ANSIBLE_CACHE_PLUGIN_CONNECTION=cache,
    )  # fmt: skip
    assert done.returncode != 0
    assert "Facts of a host set remediate_max_failures" in done.stdout
    assert not runs(site)


def test_a_name_is_not_cut_at_a_space(fleet: list[Site]) -> None:
    """Ansible would take `Contoso`, and leave out `Shop` without a word."""
    site = fleet[0]
    for wanted in ("remediate_pools=Contoso Shop", "remediate_pools=Contoso*, Reports"):
        for limit in ((), ("-l", site.name)):
            done = play(site, "fix_on_demand.yml", "-e", wanted, *limit)
            assert done.returncode != 0
            assert 'Write -e \'{"remediate_pools": ["Contoso Shop"]}\'' in done.stdout.replace("\\", "")
    assert not runs(site)
    done = play(site, "fix_on_demand.yml", "-e", '{"remediate_pools": ["Contoso Shop"]}', "--check", expect=0)
    assert "changed=1" in done.stdout


def test_batches_budget_and_exit_codes(fleet: list[Site]) -> None:
    """A failure in the first batch ends it; a later one within the budget does not; either is told at the end."""
    site, second, _ = fleet
    site.knobs(fail_commit="denied")
    done = play(site, "fix_on_demand.yml", "-e", "remediate_pools=Contoso*")
    assert done.returncode != 0
    assert [(h["host"], h["status"]) for h in shown(runs(site)[0])["hosts"]] == [(site.name, "failed")]
    settings = '{"remediate_pools": ["Contoso*"], "remediate_batches": [1, 2], "remediate_max_failures": 1}'
    site.knobs(fail_commit="")
    second.knobs(fail_commit="denied")
    assert play(site, "fix_on_demand.yml", "-e", settings).returncode != 0
    assert [h["status"] for h in shown(runs(site)[1])["hosts"]] == ["changed", "failed", "changed"]
    # The rollback of such a run leaves out who wrote nothing.
    second.knobs(fail_commit="")
    undone = play(site, "rollback.yml", "-e", f"remediate_run={runs(site)[1]}", expect=0)
    assert f"changed: [{second.name}]" not in undone.stdout
    assert [s.config.read_bytes().count(b'Shop" startMode="AlwaysRunning"') for s in fleet] == [1, 1, 1]


def test_a_servers_facts_do_not_lift_the_budget(fleet: list[Site]) -> None:
    site, second, _ = fleet
    lie = {"remediate_max_failures": "100%", "remediate_budget": "100%", "remediate_wanted": ["*"]}
    site.knobs(lie=json.dumps({"ansible_facts": lie}))
    second.knobs(fail_commit="denied")
    for limit in ((), ("-l", "iis")):
        batches = '{"remediate_pools": "Contoso*", "remediate_batches": [1]}'
        assert play(site, "fix_on_demand.yml", "-e", batches, *limit).returncode != 0
        reached = [h["host"] for h in shown(runs(site)[-1])["hosts"]]
        assert reached == [site.name, second.name]


def test_what_was_not_answered_is_told(fleet: list[Site]) -> None:
    """The server wrote and never answered: no undo is known, and neither way back is silent about it."""
    site = fleet[0]
    site.knobs(after_commit="hang")
    options = ("-e", "remediate_pools=Contoso*", "-e", "remediate_task_timeout=4", "-l", site.name)
    assert play(site, "fix_on_demand.yml", *options).returncode != 0
    (made,) = runs(site)
    (host,) = shown(made)["hosts"]
    assert (host["status"], host["changes"]) == ("failed", [])
    done = play(site, "rollback.yml", "-e", f"remediate_run={made}")
    assert done.returncode != 0
    assert "it may have written" in done.stdout and made.name in done.stdout
    said = remediate("rollback", made, "--out", site.folder / "undo", expect=0).stdout
    assert f"not inspected: {site.name}: failed: what the run wrote there is not known" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no record.jsonl"),
        ("", "is not the record of a run"),
        ('{"event": "begin"}\n', "is not the record of a run"),
        ('{"event": "begin", "format": "remediate.record", "format_version": 1, "check": true}\n', "dry run"),
        (
            '{"event": "begin", "format": "remediate.record", "format_version": 1, "check": false}\n'
            '{"event": "start", "host": "gone"}\n{"event": "end"}\n',
            "Not in the inventory: gone",
        ),
        (
            '{"event": "begin", "format": "remediate.record", "format_version": 1, "check": false}\n'
            '{"event": "start", "host": "gone"}\n',
            "Not in the inventory: gone",
        ),
    ],
)
def test_what_is_no_record_is_refused(fleet: list[Site], text: str | None, said: str) -> None:
    site = fleet[0]
    if text is not None:
        (site.folder / "record.jsonl").write_text(text)
    for limit in ((), ("-l", site.name)):
        done = play(site, "rollback.yml", "-e", "remediate_run=record.jsonl", *limit)
        assert done.returncode != 0
        assert said in done.stdout
    assert "Name the run" in play(site, "rollback.yml").stdout


def test_somebody_elses_playbook_is_let_alone(fleet: list[Site]) -> None:
    """It may use our modules, with our plugins beside it: no record, and no objection."""
    site = fleet[0]
    shutil.copytree(PLAYBOOKS, site.folder / "theirs")
    tasks = [{"remediate.iis.app_pool_settings": {"pools": ["Contoso*"], "attribute": "startMode", "set": "OnDemand"}}]
    mine = [{"hosts": site.name, "gather_facts": False, "tasks": tasks}]
    (site.folder / "theirs" / "mine.yml").write_text(json.dumps(mine))
    assert "changed=1" in play(site, "mine.yml", folder=site.folder / "theirs", expect=0).stdout
    assert not runs(site)


def test_the_record_goes_where_it_is_told(fleet: list[Site]) -> None:
    """REMEDIATE_RUN_DIR wins, also from a copy of the playbooks; where no record can be had nothing is written."""
    site = fleet[0]
    copy = shutil.copytree(PLAYBOOKS, site.folder / "copy")
    wanted = ("-e", "remediate_pools=Contoso*", "-l", site.name)
    before = site.config.read_bytes()
    (site.folder / "file").write_text("")
    refused = play(site, "fix_on_demand.yml", *wanted, folder=copy, REMEDIATE_RUN_DIR=str(site.folder / "file" / "run"))
    assert refused.returncode != 0
    assert "the run cannot be recorded, so it does not begin" in refused.stdout + refused.stderr
    shutil.move(copy / "callback_plugins", site.folder / "elsewhere")
    assert "Nothing is written" in play(site, "fix_on_demand.yml", *wanted, folder=copy).stdout
    assert site.config.read_bytes() == before
    shutil.move(site.folder / "elsewhere", copy / "callback_plugins")
    chosen = site.folder / "chosen"
    play(site, "fix_on_demand.yml", *wanted, folder=copy, expect=0, REMEDIATE_RUN_DIR=str(chosen))
    assert [h["status"] for h in shown(chosen)["hosts"]] == ["changed"]
    assert not runs(site)


def test_one_playbook_at_a_time(fleet: list[Site]) -> None:
    """In one command the second would count the first one's answers, and choose its hosts."""
    site = fleet[0]
    host_vars(site, site.name, remediate_fix="idle-timeout")
    done = play(site, "fix_idle_timeout.yml", PLAYBOOKS / "fix_on_demand.yml", "-e", "remediate_pools=Contoso*")
    assert done.returncode != 0
    assert "Run one of these playbooks at a time" in done.stdout
    assert b'Shop" startMode="AlwaysRunning"' in site.config.read_bytes()
