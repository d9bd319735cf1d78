"""Hands each host's answer to the audit that started this ansible-playbook: one JSON object a line, into a pipe.

The pipe's number is in the environment variable REMEDIATE_ANSWERS. When nobody reads it any more, the run ends.
"""

import json
import os
import sys
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: remediate_answers
type: notification
short_description: Hands the answers to a remediate audit
description:
  - Loads by itself where it stands in C(callback_plugins/) beside the audit's playbook.
author: the remediate authors
version_added: "0.1.0"
requirements: []
"""

# More than any inspection holds.
_MOST_CHARACTERS = 16 * 1024 * 1024


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible ships no types
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "remediate_answers"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pipe = os.fdopen(int(os.environ["REMEDIATE_ANSWERS"]), "w", encoding="utf-8")

    def _answer(self, result: Any, status: str) -> None:
        host = str(result.host.get_name())
        try:
            line = self._line(host, result.result, status)
        except Exception:  # noqa: BLE001  # of whatever kind: Ansible would only warn, and the host had no answer
            line = json.dumps({"host": host, "status": "failed", "detail": "its answer cannot be read"})
        if len(line) > _MOST_CHARACTERS:
            line = json.dumps({"host": host, "status": "failed", "detail": "its answer is too long"})
        try:
            self._pipe.write(line + "\n")
            self._pipe.flush()
        except OSError:
            sys.exit("remediate: nobody waits for the answers any more")

    @staticmethod
    def _line(host: str, values: Any, status: str) -> str:
        answer: dict[str, Any] = {
            "host": host,
            "status": "late" if "timedout" in values else status,
        }
        if status == "ok":
            answer["inspection"] = json.dumps(values.get("inspection"))
            # What Ansible found behind the result. What stood before it, Ansible drops without a word.
            answer["warnings"] = [str(warning) for warning in values.get("warnings") or ()]
        else:
            answer["detail"] = str(values.get("msg") or "it gave no reason")
        if "module_stdout" in values:
            # Ansible found no module's result in it.
            printed = {"stdout": values["module_stdout"], "stderr": values.get("module_stderr"), "rc": values.get("rc")}
            answer |= {"status": "printed", "printed": printed}
        return json.dumps(answer)

    def v2_runner_on_ok(self, result: Any) -> None:
        self._answer(result, "ok")

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._answer(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._answer(result, "unreachable")
