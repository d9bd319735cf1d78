"""A service without and one with NTLM, for one test each; and one for many."""

from collections.abc import Iterator

import pytest

from tests.lab.wsman.service import Lab, running


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as lab:
        yield lab


@pytest.fixture
def ntlm() -> Iterator[Lab]:
    with running("ntlm") as lab:
        yield lab


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[Lab]:
    """One lab for the many examples of hypothesis."""
    with running() as lab:
        yield lab
