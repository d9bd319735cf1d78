"""A host's own secrets are taken out of a text in whatever spelling a server would send them back."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediate.fleet.shown import secrets_of, without_account, without_secrets
from remediate.iis.inspection import one_line
from remediate.values.fleet import Failed, Unreachable

USER = "CORP\\ops"
PASSWORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=6, max_size=40)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str,
    quote,
    lambda text: quote(text, safe=""),
    quote_plus,
    html.escape,
    lambda text: json.dumps(text)[1:-1],
    lambda text: f"Basic {base64.b64encode(f'{USER}:{text}'.encode()).decode()}",
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
)


def shown(text: str, **variables: str) -> str:
    report = without_secrets(Unreachable("web01", text), secrets_of(variables))
    assert isinstance(report, Unreachable)
    return report.detail


@given(PASSWORDS, st.sampled_from(SPELLINGS))
def test_a_password_in_any_spelling(password: str, spelled: Callable[[str], str]) -> None:
    """Nothing of it is left between the words around it."""
    text = shown(f"refused: <{spelled(password)}> again", ansible_user=USER, ansible_password=password)
    assert text in ("refused: <(hidden)> again", "refused: <Basic (hidden)> again", *(
        f"refused: <{basic}(hidden){pad}> again" for basic in ("", "Basic ") for pad in ("=", "==")
    ))  # fmt: skip


@pytest.mark.parametrize("name", ["ansible_winrm_password", "ansible_ssh_pass", "remote_password", "ansible_token"])
def test_by_the_name_of_a_variable(name: str) -> None:
    """Of the connection's variables and of its plugin's options."""
    assert shown("it says hunter2-hunter2", **{name: "hunter2-hunter2"}) == "it says (hidden)"


def test_what_is_no_secret_stays() -> None:
    """Names that only look like one, and what is too short to be told from other words."""
    variables = {"password_mechanism": "disable", "private_key_file": "/keys/web", "ansible_password": "port"}
    assert shown("disable /keys/web on that port", **variables) == "disable /keys/web on that port"


def test_a_text_that_was_cut_off_in_the_middle_of_it() -> None:
    """The beginning of a password is a part of it."""
    cut = one_line("x" * 50 + "hunter2-hunter2", 60)
    assert "hunter2-h…" in cut
    assert shown(cut, ansible_password="hunter2-hunter2") == "x" * 50 + "(hidden)…"


def test_the_account_in_an_address() -> None:
    """Whoever's it is; and a proxy's password stands alone somewhere else."""
    assert (
        without_account("see https://me:pass/w@rd@cmdb/x or http://a@b")
        == "see https://(hidden)@cmdb/x or http://(hidden)@b"
    )
    assert shown("no hunter2-hunter2", ansible_winrm_proxy="http://me:hunter2-hunter2@proxy:3128") == "no (hidden)"


def test_a_failure_stays_a_failure() -> None:
    """Only its words change."""
    assert without_secrets(Failed("web01", "a secret-1"), ("secret-1",)) == Failed("web01", "a (hidden)")
