"""What may be shown of a host: by the rule of the collection, which a run's action plugin keeps too."""

from collections.abc import Mapping
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import msgspec

from remediate.playbook.shipped import collection
from remediate.values.fleet import Failed, HostReport, Inspection

Secrets = tuple[str, ...]


@cache
def _rule() -> Any:
    """It stands in the collection, since a plan's folder holds all that a run needs."""
    spec = spec_from_file_location("remediate_shown", collection() / "plugins" / "plugin_utils" / "shown.py")
    if spec is None or spec.loader is None:
        raise ImportError("the collection is not whole")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def secrets_of(variables: Mapping[str, object]) -> Secrets:
    """What must not be shown of a host with these variables: its secrets, in each spelling that is known."""
    found: Secrets = _rule().secrets_of(variables)
    return found


def without_account(text: str) -> str:
    """The text with each ``scheme://user:password@`` as ``scheme://(hidden)@``."""
    shown: str = _rule().without_account(text)
    return shown


def without_secrets(report: HostReport, secrets: Secrets) -> HostReport:
    """The report as it may be shown and saved.

    An Inspection is taken whole or not at all: a pool's name without a part of it would be another pool's.
    """
    without = _rule().without
    if not isinstance(report, Inspection):
        return msgspec.structs.replace(report, detail=without(report.detail, secrets))
    if report.warning is not None:
        report = msgspec.structs.replace(report, warning=without(report.warning, secrets))
    answer = msgspec.json.encode(msgspec.structs.replace(report, host="", vars={}, warning=None)).decode()
    if any(secret in answer for secret in secrets):
        return Failed(report.host, "its answer holds the password of the connection: nothing of it is shown or kept")
    return report
