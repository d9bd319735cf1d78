"""Makes our collection importable in this process, as ansible-playbook does for the one beside a playbook."""

from ansible.plugins.loader import init_plugin_loader
from ansible.utils.collection_loader import AnsibleCollectionConfig

from remediate.collection import playbooks


def find_collection() -> None:
    """From now on ``ansible_collections.remediate.iis`` is the one of this checkout."""
    if not AnsibleCollectionConfig.collection_finder:
        init_plugin_loader()
    AnsibleCollectionConfig.playbook_paths = [str(playbooks())]
