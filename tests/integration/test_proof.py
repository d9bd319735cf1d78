"""The proof after an apply is an inspection like another: --forks and --timeout count there too."""

from collections.abc import Callable

from tests.conftest import Site, remediate


def test_the_proof_has_the_timeout_that_was_given(take: Callable[[str, str], Site]) -> None:
    """A server that is slower than that is changed all the same, and its change is reported as not proven."""
    site = take("emulated", "basic")
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    site.knobs(delay="6")
    done = remediate("apply", plan, "-i", site.inventory, "--yes", "--timeout", "3", expect=3)
    assert "changed" in done.stdout
    assert f"{site.name}: could not be looked at again: the script did not end in time" in done.stdout
    done = remediate("apply", plan, "-i", site.inventory, "--yes", "--timeout", "60", expect=0)
    assert "could not be looked at" not in done.stdout
