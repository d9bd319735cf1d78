"""Hosts that are not reached by winrm (psrp, ssh): one ansible-playbook for all of them, with app_pool_info.

It runs beside the audit and hands each answer over as it comes (see playbook/callback_plugins/). What may be secret
goes through pipes: neither an argument nor a file holds it. The vaults are not opened, or asked for, a second time.
"""

import json
import os
import re
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from typing import Any

from remediate.bugs import bug
from remediate.collection import playbooks
from remediate.fleet.inventory import AnsibleHost, Fleet
from remediate.fleet.relayed import in_words
from remediate.iis.inspection import one_line, parse_answer, parse_printed
from remediate.playbook.process import Process, end_playbook, start_playbook
from remediate.playbook.run_log import last_words
from remediate.values.fleet import Failed, HostReport, Unreachable

_PLAYBOOK = Path(__file__).with_name("playbook") / "inspect.yml"
# Ansible reads the inventory and starts before the first host's time begins.
_START = 60.0
# What Ansible puts before a connection plugin's own words.
_PREFIX = re.compile("^(Task failed: )?(Data could not be sent to remote host .* over ssh: )?")
# What it says of words behind a module's result.
_JUNK = "Module invocation had junk after the JSON data: "
Tell = Callable[[HostReport], None]


@contextmanager
def through_ansible(
    hosts: Sequence[AnsibleHost], fleet: Fleet, forks: int, timeout: float, tell: Tell, evidence_days: int = 0
) -> Iterator[None]:
    """While it is open, ``tell`` is called with one report for each of the hosts, from another thread.

    When nothing is heard for ``timeout`` and what Ansible needs to start, it is ended, as it is on leaving; hosts
    that did not answer by then are Unreachable.
    """
    if not hosts:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="remediate-", ignore_cleanup_errors=True) as scratch:
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                process = _start(hosts, fleet, forks, timeout, evidence_days, theirs.fileno(), Path(scratch))
            ours.settimeout(timeout + _START)
            arguments = (process, ours, {host.host: host for host in hosts}, timeout, tell, Path(scratch, "log"))
            thread = threading.Thread(target=_follow, args=arguments, daemon=True)
            thread.start()
            try:
                yield
            finally:
                with suppress(OSError):
                    ours.shutdown(socket.SHUT_RDWR)  # nobody listens any more: both sides see it
                thread.join()


def _start(
    hosts: Sequence[AnsibleHost], fleet: Fleet, forks: int, timeout: float, evidence_days: int, answers: int,
    scratch: Path,
) -> Process:  # fmt: skip
    variables = {
        "remediate_timeout": ceil(timeout), "remediate_evidence_days": evidence_days, "ansible_become": False
    }  # fmt: skip
    environment = {
        "REMEDIATE_ANSWERS": str(answers), "ANSIBLE_LOCAL_TEMP": str(scratch),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join([str(playbooks() / "collections"), *fleet.collections]),
    }  # fmt: skip
    sources = [f"--inventory={source}" for source in fleet.sources]
    with (scratch / "log").open("wb") as log:
        return start_playbook(
            _PLAYBOOK, [host.host for host in hosts], fleet.given, log,
            arguments=["--forks", str(forks), *sources, "-e", json.dumps(variables)],
            environment=environment, descriptors=[answers],
        )  # fmt: skip


def _follow(
    process: Process, ours: socket.socket, waiting: dict[str, AnsibleHost], timeout: float,
    tell: Tell, log: Path,
) -> None:  # fmt: skip
    late = False
    try:
        with ours.makefile("rb") as lines:
            for line in lines:
                answer = _parsed(line)
                host = waiting.pop(str(answer.get("host")), None)
                if host is not None:
                    tell(_report(host, answer, timeout))
    except TimeoutError:
        late = True
    except OSError:
        pass
    ended = end_playbook(process, at_once=late)
    for host in waiting.values():
        if late:
            tell(_late(host, timeout))
        else:
            tell(Failed(host.host, one_line(f"ansible-playbook ended with {ended} and no answer: {last_words(log)}")))


def _parsed(line: bytes) -> dict[str, Any]:
    """One answer; an empty one where the line was cut off, or cannot be read: its host has not answered."""
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _report(host: AnsibleHost, answer: dict[str, Any], timeout: float) -> HostReport:
    try:
        return _read(host, answer, timeout)
    except Exception as error:  # noqa: BLE001  # a bug met with one host is that host's failure; others go on
        return bug(host.host, error, "reading its answer")


def _read(host: AnsibleHost, answer: dict[str, Any], timeout: float) -> HostReport:
    if answer["status"] == "ok":
        junk = [text.removeprefix(_JUNK) for text in answer["warnings"] if text.startswith(_JUNK)]
        printed = "\n".join([answer["inspection"], *junk]).encode(errors="replace")
        return parse_answer(host.host, printed, host.vars)
    if answer["status"] == "late":
        return _late(host, timeout)
    if answer["status"] == "printed":
        stdout, stderr = (str(answer["printed"][name] or "").encode(errors="replace") for name in ("stdout", "stderr"))
        # A server may have put it there.
        code = answer["printed"]["rc"]
        return parse_printed(host.host, stdout, stderr, code if isinstance(code, int) else 0, host.vars)
    kind = Unreachable if answer["status"] == "unreachable" else Failed
    return kind(host.host, one_line(in_words(_PREFIX.sub("", answer["detail"])), 900))


def _late(host: AnsibleHost, timeout: float) -> Unreachable:
    return Unreachable(host.host, f"no answer within {timeout:g} s")
