"""Asks servers that go on with an interrupted run to end before their next commit. What cannot be asked goes on."""

import queue
import threading
import time
from collections.abc import Iterable

from remediate.fleet.inventory import Target, WinrmHost
from remediate.fleet.script import stop_script
from remediate.fleet.winrm import Printed, run_script

_AT_ONCE = 50


def ask_to_stop(run: str, targets: Iterable[Target], seconds: float) -> set[str]:
    """The names of those that have been asked when the time is up. Only hosts on winrm are."""
    hosts = [target for target in targets if isinstance(target, WinrmHost)]
    waiting: queue.SimpleQueue[WinrmHost] = queue.SimpleQueue()
    done: queue.SimpleQueue[str] = queue.SimpleQueue()
    for host in hosts:
        waiting.put(host)
    for _ in hosts[:_AT_ONCE]:
        threading.Thread(target=_ask, args=(waiting, run, seconds, done), daemon=True).start()
    until = time.monotonic() + seconds
    asked: set[str] = set()
    try:
        for _ in hosts:
            asked.add(done.get(timeout=max(0.0, until - time.monotonic())))
    except queue.Empty:
        pass
    return asked - {""}


def _ask(waiting: "queue.SimpleQueue[WinrmHost]", run: str, seconds: float, done: "queue.SimpleQueue[str]") -> None:
    while True:
        try:
            host = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            printed = run_script(host, stop_script(run), seconds)
            done.put(host.host if isinstance(printed, Printed) and b"asked" in printed.stdout else "")
        except Exception:  # noqa: BLE001  # of whatever kind: that server was not asked
            done.put("")
