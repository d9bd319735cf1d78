"""What a server's answer to a run may not say: what was not asked of it, or what cannot all be true. Pure.

An answer is all that a run knows of a server until it is read again, and it comes from there. So one that does not fit
the plan, or itself, is that host's failure, in words.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, Protocol

Key = tuple[str, ...]


class Claim(Protocol):
    """What the answer says of one change."""

    @property
    def set(self) -> str | None: ...
    @property
    def written(self) -> bool: ...
    @property
    def verified(self) -> bool: ...


def contradiction(
    status: Literal["ok", "changed", "stale", "failed", "unreachable"], claims: Sequence[tuple[Key, Claim]],
    planned: dict[Key, str | None] | None, check: bool, backup: str | None,
) -> str | None:  # fmt: skip
    """Why the answer cannot be taken; None where it can. ``planned``: what each change sets, None for a run without."""
    if check and (backup is not None or any(claim.written for _, claim in claims)):
        return "it reports a write in a dry run: check the server"
    if planned is not None:
        foreign = [key for key, claim in claims if planned.get(key, claim.set) != claim.set and claim.set is not None]
        foreign += [key for key, _ in claims if key not in planned]
        if foreign:
            return f"its answer has a change that was not asked for, {_named(foreign[0])}: check the server"
        if status in ("ok", "changed") and planned.keys() - {key for key, _ in claims}:
            return "its answer leaves changes out: it is not known whether they were written"
    twice = [key for key, number in Counter(key for key, _ in claims).items() if number > 1]
    if twice:
        return f"its answer has one change twice, {_named(twice[0])}"
    if status == "stale" and any(claim.written for _, claim in claims):
        return "it reports that it is stale, and that it wrote"
    return _of_success(status, claims, check)


def _of_success(status: str, claims: Sequence[tuple[Key, Claim]], check: bool) -> str | None:
    """The same of one that says that all is well."""
    open_ = [key for key, claim in claims if not claim.verified]
    if status == "ok" and any(claim.written for _, claim in claims):
        return "it reports that nothing changed, and that it wrote"
    if status == "ok" and open_:
        return f"it reports that nothing is to be done, and {_named(open_[0])} is not as wanted"
    if status == "changed" and check and not open_:
        return "it reports that something is to be done, and that all is as wanted"
    if status == "changed" and not check and open_:
        return f"it reports that it is done, and {_named(open_[0])} is not as wanted"
    if status == "changed" and not check and not any(claim.written for _, claim in claims):
        return "it reports that something changed, and that it wrote nothing"
    return None


def _named(key: Key) -> str:
    return " of ".join((key[-1], key[1] if len(key) > 2 else "the defaults of all pools"))
