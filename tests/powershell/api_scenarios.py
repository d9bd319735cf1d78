"""The same as scenarios.py, for what Windows and IIS's API may answer, and for how often they are asked."""

from tests.powershell.bench import Bench
from tests.powershell.scenarios import IDLE, Scenario, change, refused, written

# Each of these makes a FileLoadException of .NET's out of native code; which of them IIS gives is not known.
NATIVE = ("0x80070020", "0x80070021", "0x8007006E", "0x800703EE", "0x80070571")
POOL = '            <add name="Made {0}" startMode="AlwaysRunning"><processModel idleTimeout="00:0{1}:00" /></add>\r\n'


def a_conflict_is_known_whatever_its_code(bench: Bench) -> None:
    """The text is translated, and the code out of IIS is not published: the type tells."""
    for code in NATIVE:
        bench.fresh(fail_commit="changed:1", changed_hresult=code)
        assert written(bench.settings(change())) == [True], code


def a_schema_without_a_default_is_no_zero(bench: Bench) -> None:
    """Where the API does not say what clearing would give, nothing is cleared: $null must not read as 00:00:00."""
    bench.edit('"ApplicationPoolIdentity" />', '"ApplicationPoolIdentity" idleTimeout="00:07:00" />')
    bench.knobs(schema_default="throws")
    gone = {"scope": "defaults", "attribute": IDLE, "expect": "00:07:00", "clear": True}
    for inherits in ({}, {"inherits": "00:00:00"}, {"inherits": "00:20:00"}):
        refused(bench, gone | inherits, said="The API gave nothing for idleTimeout.")


def a_backup_is_for_administrators_alone(bench: Bench) -> None:
    """The folder has its own access list before the first file is in it; else nothing is copied or written."""
    folder = bench.windows / "System32/inetsrv/backup/remediate-20260101T000000Z"
    bench.knobs(acl="denied")
    refused(bench, change(), backup=folder.name, said=f"access rights of the backup's folder ({folder})")
    assert list(folder.iterdir()) == []
    bench.fresh()
    assert written(bench.settings(change(), backup=folder.name)) == [True]
    path, files, rights = (bench.windows / "acls.log").read_text().strip().split("|")
    assert (path, files) == (str(folder), "0")
    assert rights.startswith("D:P(") and rights.count("(") == 2, "protected, and two entries"
    assert {entry.rpartition(";")[2] for entry in rights.split(")")[:2]} == {"S-1-5-18", "S-1-5-32-544"}


def calls(bench: Bench, pools: int, **arguments: bool) -> list[int]:
    """How often IIS's API is called for a change of each of so many pools, one number a look."""
    bench.fresh(count_calls="true")
    bench.edit(
        "        </applicationPools>", "".join(POOL.format(n, 7) for n in range(pools)) + "        </applicationPools>"
    )
    changes = [change(pool=f"Made {n}", expect="00:07:00", given={"startMode": "AlwaysRunning"}) for n in range(pools)]
    result = bench.settings(*changes, pools_per_commit=pools, **arguments)
    assert result["changed"], result
    return [int(line) for line in (bench.windows / "calls.log").read_text().splitlines()]


def calls_grow_with_pools_and_changes_not_with_their_product(bench: Bench) -> None:
    """Over COM each call is dear: twice the pools and changes are twice the calls, to the last one."""
    for check in (True, False):
        few, more, most = (calls(bench, pools, check=check) for pools in (10, 20, 30))
        assert len(few) == len(more) == len(most)
        for one, two, three in zip(few, more, most, strict=True):
            assert two - one == three - two > 0, (few, more, most)


def an_inspections_calls_grow_with_the_pools(bench: Bench) -> None:
    seen = []
    for pools in (10, 20, 30):
        bench.fresh(count_calls="true")
        bench.edit(
            "        </applicationPools>",
            "".join(POOL.format(n, 7) for n in range(pools)) + "        </applicationPools>",
        )
        assert len(bench.info()["pools"]) == pools + 3
        seen.append(int((bench.windows / "calls.log").read_text()))
    assert seen[1] - seen[0] == seen[2] - seen[1] > 0, seen


API_ON_IIS_10: list[Scenario] = [
    a_conflict_is_known_whatever_its_code,
    a_schema_without_a_default_is_no_zero,
    a_backup_is_for_administrators_alone,
    calls_grow_with_pools_and_changes_not_with_their_product,
    an_inspections_calls_grow_with_the_pools,
]
