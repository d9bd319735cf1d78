"""Why a host is skipped that no connection for Windows reaches."""

from remediate.fleet.ansible_internals import is_default, option, setting


def why_not_windows(kind: str, named: bool) -> str:
    """Why a host of this kind is skipped; ``named``: by its variable ansible_connection, not by a default."""
    if named:
        return f"not a Windows host (ansible_connection is {kind})"
    if option("connection") != setting("DEFAULT_TRANSPORT"):
        return f"not a Windows host (ansible_connection is not set, and --connection is {kind})"
    whose = "Ansible's default" if is_default("DEFAULT_TRANSPORT") else "the default that is configured"
    return f"ansible_connection is not set ({whose} is {kind}): for a Windows host write `ansible_connection: winrm`"
