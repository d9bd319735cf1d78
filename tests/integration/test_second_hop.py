"""A shared configuration that the account cannot go on to: the failure names the second hop, and what helps."""

import json

import pytest

from tests.conftest import Site, on_pwsh, remediate

pytestmark = [pytest.mark.parametrize("auth", ["ntlm"]), on_pwsh]
WORDS = ("The configuration is shared (", "no second hop", "CredSSP, Kerberos with delegation, or Basic over HTTPS")


def put_on_a_share(site: Site) -> str:
    share = site.folder / "share"
    share.mkdir()
    (share / "applicationHost.config").write_bytes(site.config.read_bytes())
    redirection = f'<configuration><configurationRedirection enabled="true" path="{share}" /></configuration>'
    site.config.with_name("redirection.config").write_text(redirection)
    return str(share)


def test_a_share_that_is_denied(site: Site) -> None:
    """Audit, apply's look before it writes, and its commit; and nothing is written."""
    share = put_on_a_share(site)
    before = (site.folder / "share" / "applicationHost.config").read_bytes()
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--allow-shared", "--out", plan, expect=2)
    site.knobs(deny_share="true")
    audit = json.loads(remediate("audit", "-i", site.inventory, "--format", "json", expect=3).stdout)
    (host,) = audit["hosts"]
    assert host["status"] == "failed"
    said = [host["detail"], remediate("apply", plan, "-i", site.inventory, "--yes", expect=3).stdout]
    site.knobs(deny_share="false", fail_commit="denied")
    said.append(remediate("apply", plan, "-i", site.inventory, "--yes", expect=3).stdout)
    for text in said:
        assert all(word in text for word in (*WORDS, share, "insufficient permissions")), text
    assert "could not be compared" in said[1] and "could not be written" in said[2]
    assert (site.folder / "share" / "applicationHost.config").read_bytes() == before


def test_what_is_denied_without_a_share(site: Site) -> None:
    """No word of a share, where none is."""
    plan = site.folder / "plan"
    remediate("plan", "-i", site.inventory, "--fix", "on-demand", "--out", plan, expect=2)
    site.knobs(fail_commit="denied")
    done = remediate("apply", plan, "-i", site.inventory, "--yes", expect=3)
    assert "insufficient permissions" in done.stdout and "shared" not in done.stdout
