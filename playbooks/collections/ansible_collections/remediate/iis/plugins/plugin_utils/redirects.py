# Copyright (c) 2026 the remediate authors
# GNU General Public License v3.0+ (https://www.gnu.org/licenses/gpl-3.0.txt)
"""No redirect takes a connection, and the account with it, to another server than the inventory names.

The connections winrm and psrp go by requests, which follows a redirect with a whole NTLM handshake. They make their
sessions themselves. So this is set for all sessions of the process, which runs one task on one host and then ends.
"""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit


def refuse_redirects():
    """From now on, in this process. Where requests is not installed, there is no winrm and no psrp."""
    try:
        from requests import Session
        from requests.exceptions import ConnectionError as NotConnected
    except ImportError:
        return
    send = Session.send
    if getattr(send, "refuses_redirects", False):
        return

    def send_to_one_server(self, request, **kwargs):
        answer = send(self, request, **(kwargs | {"allow_redirects": False}))
        if 300 <= answer.status_code < 400:
            where = _shown(request.url, answer.headers.get("Location", ""))
            raise NotConnected(
                f"{_shown(request.url, '')} answered HTTP {answer.status_code}, a redirect to {where}. It is not "
                "followed, since the account's credentials would go there too: give the server's own address"
            )
        return answer

    send_to_one_server.refuses_redirects = True
    Session.send = send_to_one_server


def _shown(base, location):
    """Without an account, and without what could steer a terminal."""
    try:
        target = urlsplit(urljoin(base, location))
        text = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"
    except ValueError:
        text = "no address"
    return "".join(c if c.isprintable() else " " for c in text)[:120]
