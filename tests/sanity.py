"""Runs those of ansible-test's sanity tests that need nothing from its own site, on a copy of the collection.

Left out:
- validate-modules, yamllint, runtime-metadata: ansible-test makes an environment for each, and loads pip for it from
  ci-files.testing.ansible.com, by no package index. ansible-lint, in `make check`, runs yamllint's rules.
- pslint: PSScriptAnalyzer, from the PowerShell gallery.
- changelog: wants the fragments of antsibull-changelog; ours is written by hand.
- shellcheck: the collection has no shell script.
- All that is about Python files: the few that it has, for its action plugins, are checked by ruff.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from remediate.collection import collection

TESTS = (
    "action-plugin-docs", "ansible-doc", "ignores", "line-endings", "no-illegal-filenames", "no-smart-quotes",
    "shebang", "symlinks",
)  # fmt: skip


def main(folder: Path) -> int:
    copy = folder / "ansible_collections" / "remediate" / "iis"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(collection(), copy)
    # ansible-test asks git which files count, and the checkout says that none below build/ do.
    for command in (["git", "init", "--quiet"], ["git", "add", "--all"]):
        subprocess.run(command, cwd=copy, check=True)
    bin = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}"}
    command = ["ansible-test", "sanity", "--python", "default", *(part for test in TESTS for part in ("--test", test))]
    return subprocess.run(command, cwd=copy, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
