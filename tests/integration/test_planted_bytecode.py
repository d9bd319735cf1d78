"""Compiled files in a plan's folder are in no sum, since plain ansible-playbook leaves them there: none is loaded."""

import importlib.util
import py_compile
from collections.abc import Callable
from pathlib import Path

from tests.conftest import Site, remediate


def test_apply_loads_no_bytecode_of_a_plans_folder(take: Callable[[str, str], Site], tmp_path: Path) -> None:
    """A compiled file that claims to be that of the plan's own plugin would run here, and see the password."""
    site = take("emulated", "basic")
    folder, seen = tmp_path / "plan", tmp_path / "seen"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", folder, expect=2)
    for source in [*folder.rglob("*.py")]:
        evil = tmp_path / "evil.py"
        evil.write_text(f"{source.read_text()}\nopen({str(seen)!r}, 'w').close()\n")
        compiled = Path(importlib.util.cache_from_source(str(source)))
        compiled.parent.mkdir(exist_ok=True)
        py_compile.compile(str(evil), str(compiled), doraise=True)
        # What Python compares: the source's time and size.
        kept = source.stat()
        data = bytearray(compiled.read_bytes())
        data[8:16] = int(kept.st_mtime).to_bytes(4, "little") + kept.st_size.to_bytes(4, "little")
        compiled.write_bytes(data)
    done = remediate("apply", folder, "-i", site.inventory, "--yes", expect=0)
    assert "1 changed" in done.stdout
    assert not seen.exists()
