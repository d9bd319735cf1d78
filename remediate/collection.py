"""Where the playbooks and the collection are, and the rules of the collection that this package keeps too.

They are inside an installed wheel, or beside the package in a checkout. A rule that the collection needs without this
package stands in its ``plugin_utils``, once; the package loads it from there.
"""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def playbooks() -> Path:
    """The folder with the collection, the callback plugin and the playbooks that we ship."""
    installed = _PACKAGE / "_playbooks"
    return installed if installed.is_dir() else _PACKAGE.parent / "playbooks"


def collection() -> Path:
    """The folder of the collection remediate.iis."""
    return playbooks() / "collections" / "ansible_collections" / "remediate" / "iis"


@cache
def plugin_util(name: str) -> Any:
    """The module of that name in the collection's ``plugin_utils``, which imports nothing of Ansible."""
    spec = spec_from_file_location(f"remediate_{name}", collection() / "plugins" / "plugin_utils" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError("the collection is not whole")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
