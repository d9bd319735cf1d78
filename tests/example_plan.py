"""Writes a plan directory like one of a real fleet, for the linter: `python -m tests.example_plan FOLDER`."""

import shutil
import sys
from pathlib import Path

from remediate.audit.summary import assemble
from remediate.plan.planner import Choice, make_plan
from remediate.playbook.directory import write_plan
from tests.unit.values import host, pool


def main(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    hosts = (host("web01", pool("Shop"), pool("{{ odd }}")), host("web02", pool("007")))
    write_plan(
        make_plan(assemble(hosts, "2026-01-01T00:00:00Z"), Choice(fix="on-demand"), "2026-01-01T00:00:00Z"), folder
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
