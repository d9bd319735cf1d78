"""Where the playbooks and the collection are: inside an installed wheel, or beside the package in a checkout."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def playbooks() -> Path:
    """The folder with the collection, the callback plugin and the playbooks that we ship."""
    installed = _PACKAGE / "_playbooks"
    return installed if installed.is_dir() else _PACKAGE.parent / "playbooks"


def collection() -> Path:
    """The folder of the collection remediate.iis."""
    return playbooks() / "collections" / "ansible_collections" / "remediate" / "iis"
