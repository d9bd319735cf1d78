"""What may be shown of a host: by the rule of the collection, which a run's action plugin keeps too."""

from collections.abc import Mapping

import msgspec

from remediate.collection import plugin_util
from remediate.values.fleet import Failed, HostReport, Inspection

Secrets = tuple[str, ...]


# It stands in the collection, since a plan's folder holds all that a run needs.
_RULE = plugin_util("shown")


def secrets_of(variables: Mapping[str, object]) -> Secrets:
    """What must not be shown of a host with these variables: its secrets, in each spelling that is known."""
    found: Secrets = _RULE.secrets_of(variables)
    return found


def without_account(text: str) -> str:
    """The text with each ``scheme://user:password@`` as ``scheme://(hidden)@``."""
    shown: str = _RULE.without_account(text)
    return shown


def without_secrets(report: HostReport, secrets: Secrets) -> HostReport:
    """The report as it may be shown and saved.

    An Inspection is taken whole or not at all: a pool's name without a part of it would be another pool's.
    """
    without = _RULE.without
    if not isinstance(report, Inspection):
        return msgspec.structs.replace(report, detail=without(report.detail, secrets))
    if report.warning is not None:
        report = msgspec.structs.replace(report, warning=without(report.warning, secrets))
    answer = msgspec.json.encode(msgspec.structs.replace(report, host="", vars={}, warning=None)).decode()
    if any(secret in answer for secret in secrets):
        return Failed(report.host, "its answer holds the password of the connection: nothing of it is shown or kept")
    return report
