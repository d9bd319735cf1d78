"""Where the playbooks and the collection are: see remediate/collection.py."""

from remediate.collection import collection, playbooks

__all__ = ["collection", "playbooks"]
