# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""The inverse of a change. This is the one place that computes it.

`remediate rollback`, the lookup plugin of rollback.yml and the action plugin of app_pool_settings call it. An attribute
that was inherited is cleared again, not set to the value that it had by inheritance.
"""

from __future__ import annotations


def inverse(change):
    """A change that was written, or may have been -> the element for ``changes`` that undoes it.

    ``change`` is a mapping. ``pool``, ``attribute`` and ``scope`` (left out: ``pool``) name what it is about.
    ``found`` and ``found_source`` are what was there before; where they are unknown, ``expect`` and ``expect_source``.
    ``set`` is what was written, None where the attribute was cleared; ``inherits`` is then what that gave.

    ValueError where the change clears and it is not known what that gave.
    """
    before = change["expect"] if change.get("found") is None else change["found"]
    source = change.get("found_source") or change.get("expect_source")
    now = change.get("inherits") if change.get("set") is None else change["set"]
    if now is None:
        raise ValueError(f"the record of a change that clears lacks what it inherits: {change['pool']}")
    of_defaults = change.get("scope") == "defaults"
    # The source `defaults` of a change of the defaults themselves is their own value.
    inherited = source == "schema" or (source == "defaults" and not of_defaults)
    return {
        **({"scope": "defaults"} if of_defaults else {"pool": change["pool"]}),
        "attribute": change["attribute"],
        "expect": now,
        **({"clear": True, "inherits": before} if inherited else {"set": before}),
    }


def inverse_of_result(result):
    """The same for an element of ``changes`` in the module's answer, which has the value since as ``wanted``."""
    return inverse({**result, "set": result["wanted"]})
