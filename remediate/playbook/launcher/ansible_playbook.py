"""ansible-playbook, given through a pipe what may be secret (see ../handover.py). It runs in a process of its own.

Ansible takes extra variables and the connection's password from arguments, prompts and files alone. It resolves such a
file's path, and a pipe has none: so they are put in its place here, where no argument list and no disk shows them.
"""

import json
import os
import sys
from typing import Any

from ansible.cli.playbook import PlaybookCLI


def main() -> None:
    """Arguments are those of ansible-playbook; REMEDIATE_GIVEN is the number of the descriptor to read."""
    with os.fdopen(int(os.environ.pop("REMEDIATE_GIVEN")), "rb") as pipe:
        given: dict[str, Any] = json.load(pipe)

    class Given(PlaybookCLI):  # type: ignore[misc]  # ansible ships no types
        @staticmethod
        def ask_passwords() -> tuple[str | None, str | None]:
            """Whatever ansible.cfg says: nobody is asked again, and no play uses become."""
            return given["password"], None

    # First, so that the extra variables of our own arguments count before them.
    extra_vars = [f"--extra-vars={given['extra_vars']}"] if given["extra_vars"] else []
    Given.cli_executor(["ansible-playbook", *extra_vars, *sys.argv[1:]])


if __name__ == "__main__":
    main()
