"""The whole way on one real Windows server, through the commands and plain ansible-playbook: see docs/testing.md.

`make live` runs it, by the environment variables of choice.py. It makes pools named remediate-live-ID-..., which start
nothing, changes those alone, and takes them away again. What the tests say of the file holds while nobody else changes
the server's configuration.
"""

import hashlib
import json
import re
from pathlib import Path

import pytest

from remediate.values.runs import HostResult, Run
from tests.live.conftest import Start
from tests.live.server import FAMILY, POOLS, Server

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
IDLE, MODE = "processModel.idleTimeout", "startMode"
# Those that have the fault: all but the one that says nothing.
AT_RISK = [key for key in POOLS if key != "plain"]


def old_values(server: Server, start: Start, attribute: str) -> dict[str, str]:
    """Pool -> what stands or is inherited there, of those that have the fault: what a plan must expect."""
    return {server.name(key): POOLS[key].get(attribute, start.before.defaults[attribute].value) for key in AT_RISK}


def assert_as_made(server: Server, start: Start) -> None:
    """Values, and where they come from: but for what was of unknown source, and was set for that reason."""
    now = server.ours(server.inspect())
    assert now.keys() == start.pools.keys()
    for name, made in start.pools.items():
        assert now[name].state == made.state
        for attribute, was in made.attributes.items():
            found = now[name].attributes[attribute]
            assert found.value == was.value, (name, attribute)
            assert found.source == was.source or was.source == "unknown", (name, attribute)


def result_of(found: Run) -> HostResult:
    (host,) = found.hosts
    return host


def runs(plan: Path) -> list[Path]:
    """The oldest first."""
    return sorted((plan / "runs").iterdir(), key=lambda path: path.stat().st_mtime_ns)


def test_the_inspection_sees_the_pools(server: Server, start: Start, request: pytest.FixtureRequest) -> None:
    """What was set is the pool's own; everything else is what applicationPoolDefaults say."""
    left = sorted({name[len(FAMILY) :][:6] for name in start.made.family if not server.is_ours(name)})
    if left:
        told = f"pools of other live runs are there: they go on, or were killed: REMEDIATE_LIVE_SWEEP={','.join(left)}"
        request.node.user_properties.append(("summary", told))
    assert start.pools.keys() == {server.name(key) for key in POOLS}
    defaults = start.before.defaults
    for key, own in POOLS.items():
        pool = start.pools[server.name(key)]
        assert pool.applications == ()
        for attribute, found in pool.attributes.items():
            if attribute in own:
                assert (found.value, found.source) == (own[attribute], "pool"), (key, attribute)
            else:
                assert found.value == defaults[attribute].value, (key, attribute)
                assert found.source in (defaults[attribute].source, "unknown"), (key, attribute)


def test_a_dry_run_shows_the_diff_and_writes_nothing(server: Server, start: Start, plan: Path) -> None:
    """By `remediate` and by plain ansible-playbook; not a byte of the file is another."""
    shown = server.remediate("show", plan, expect=0)
    dry = server.apply(plan, "--check", expect=2).splitlines()
    diff = server.play(plan / "playbook.yml", "--check", "--diff")
    for name, old in old_values(server, start, IDLE).items():
        step = f"{IDLE}: {old} -> 00:00:00"
        assert f"\n  {name}\n    {step}\n" in shown
        assert f"  {name}: {step}" in dry
        assert f"\npool: {name}\n  {step}\n" in diff
    assert server.look() == start.made


def test_what_changed_behind_the_plan_is_refused(server: Server, plan: Path) -> None:
    """One value is another: nothing at all is written on the server."""
    edited = server.set("idle", IDLE, "00:16:00")
    server.apply(plan, "--yes", expect=4)
    assert server.look() == edited
    (refused,) = runs(plan)
    assert result_of(server.shown(refused)).status == "stale"
    server.set("idle", IDLE, POOLS["idle"][IDLE])


def test_apply_writes_backs_up_and_proves(server: Server, start: Start, plan: Path) -> None:
    """Once: the second time everything is there already, and the file stays as it is."""
    before = server.look()
    server.apply(plan, "--yes", expect=0)
    done = result_of(server.shown(runs(plan)[-1]))
    old = old_values(server, start, IDLE)
    assert done.status == "changed" and done.backup is not None
    assert {c.pool: (c.expect, c.found, c.written, c.verified) for c in done.changes} == {
        name: (value, value, True, True) for name, value in old.items()
    }
    written = server.look()
    assert written.file != before.file
    assert written.backups == before.backups | {done.backup: before.file}
    for name, pool in server.ours(server.inspect()).items():
        was = start.pools[name].attributes[IDLE]
        expected = ("00:00:00", "pool") if name in old else (was.value, was.source)
        assert (pool.attributes[IDLE].value, pool.attributes[IDLE].source) == expected, name
        assert pool.attributes[MODE] == start.pools[name].attributes[MODE]

    server.apply(plan, "--yes", expect=0)
    assert result_of(server.shown(runs(plan)[-1])).status == "unchanged"
    assert server.look() == written
    server.forget_backups()


def test_a_rollback_gives_back_what_was_there(server: Server, start: Start, plan: Path) -> None:
    """Also what was inherited is inherited again."""
    undo = server.folder / "undo"
    made = next(path for path in runs(plan) if result_of(server.shown(path)).status == "changed")
    server.remediate("rollback", made, "--out", undo, expect=0)
    server.apply(undo, "--yes", expect=0)
    assert result_of(server.shown(runs(undo)[-1])).status == "changed"
    assert_as_made(server, start)
    server.forget_backups()


def test_the_playbooks_without_a_plan(server: Server, start: Start) -> None:
    """Tried, written and undone, by pattern; the audit's table has our pools."""
    before = server.look()
    old = old_values(server, start, MODE)
    # Our pools start nothing, and no application uses them.
    pattern = ("-e", json.dumps({"remediate_pools": [server.name("*")], "remediate_allow_dormant": True}))
    said = server.play(PLAYBOOKS / "audit.yml").partition('"msg": [')[2].partition("\n    ]")[0]
    for name in start.pools:
        (row,) = (row for row in json.loads(f"[{said}]") if f" {name} " in row)
        assert row.split()[-1] == ("yes" if name in old else "no")
    dry = server.play(PLAYBOOKS / "fix_on_demand.yml", *pattern, "--check", "--diff")
    assert set(re.findall("^pool: (.*)$", dry, re.MULTILINE)) == old.keys()
    assert dry.count(f"  {MODE}: AlwaysRunning -> OnDemand\n") == len(old)
    assert server.look() == before

    made, undone = server.folder / "fix", server.folder / "unfix"
    server.play(PLAYBOOKS / "fix_on_demand.yml", *pattern, run_dir=made)
    done = result_of(server.shown(made))
    assert (done.status, {c.pool for c in done.changes if c.written}) == ("changed", set(old))
    seen = {name: pool.attributes[MODE].value for name, pool in server.ours(server.inspect()).items()}
    assert set(seen.values()) == {"OnDemand"}
    server.forget_backups()

    wanted = ("-e", f"remediate_run={made}")
    dry = server.play(PLAYBOOKS / "rollback.yml", *wanted, "--check", "--diff")
    assert set(re.findall("^pool: (.*)$", dry, re.MULTILINE)) == old.keys()
    server.play(PLAYBOOKS / "rollback.yml", *wanted, run_dir=undone)
    assert result_of(server.shown(undone)).status == "changed"
    assert_as_made(server, start)


def test_the_password_of_a_pool_is_nowhere(server: Server, start: Start) -> None:
    """In nothing that was printed, and in no file that was written here; although the server would have told it."""
    assert server.look().password == hashlib.sha256(server.canary.encode()).hexdigest()
    assert len(start.pools) == len(POOLS)
    printed = [text for done in server.said for text in (done.stdout, done.stderr)]
    written = [path for path in server.folder.rglob("*") if path.is_file()]
    assert printed and written
    assert [text for text in printed if server.canary in text] == []
    assert [path for path in written if server.canary.encode() in path.read_bytes()] == []


def test_everything_else_is_as_it_was(server: Server, start: Start) -> None:
    """Our pools and backups are gone, and nobody else's pool has another value, state or application."""
    left = server.leave()
    after = server.inspect("after.json")
    mine = [pool for pool in after.pools if server.is_ours(pool.name)]
    others = [
        {pool.name: pool for pool in seen.pools if not pool.name.startswith(FAMILY)} for seen in (start.before, after)
    ]
    assert mine == []
    assert others[0] == others[1]
    assert start.before.defaults == after.defaults
    assert left.backups == start.look.backups
