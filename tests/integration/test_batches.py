"""Batches and the failure budget, for apply and for plain ansible-playbook: it stops before the next batch."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import Site, remediate, run, wait_for

PLAIN = Path(sys.prefix) / "bin" / "ansible-playbook"


@pytest.fixture
def fleet(take: Callable[[str, str], Site]) -> list[Site]:
    """Four servers, and one inventory of them all in place of each one's own."""
    sites = [take("emulated", "basic") for _ in range(4)]
    whole = yaml.safe_load(sites[0].inventory.read_text())
    for site in sites:
        whole["iis"]["hosts"] |= json.loads((site.folder / f"{site.name}.json").read_text())
    sites[0].inventory.write_text(yaml.safe_dump(whole))
    return sorted(sites, key=lambda site: site.name)


def statuses(folder: Path) -> list[str]:
    (made,) = (folder / "runs").iterdir()
    hosts = json.loads(remediate("show", made, "--format", "json", expect=0).stdout)["hosts"]
    return [host["status"] for host in hosts]


def plan(fleet: list[Site]) -> tuple[Path, Path]:
    folder = fleet[0].folder / "plan"
    remediate("plan", "-i", fleet[0].inventory, "--fix", "on-demand", "--out", folder, expect=2)
    return folder, fleet[0].inventory


def test_a_failure_in_the_first_batch_ends_it(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    fleet[0].knobs(fail_commit="denied")
    remediate("apply", folder, "-i", inventory, "--yes", expect=3)
    assert statuses(folder) == ["failed", "not-reached", "not-reached", "not-reached"]


def test_a_later_failure_within_the_budget_does_not(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    fleet[1].knobs(fail_commit="denied")
    remediate("apply", folder, "-i", inventory, "--yes", "--batches", "1,1,2", "--max-failures", "1", expect=3)
    assert statuses(folder) == ["changed", "failed", "changed", "changed"]


def test_a_later_failure_over_the_budget_does(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    fleet[1].knobs(fail_commit="denied")
    remediate("apply", folder, "-i", inventory, "--yes", "--batches", "1,1,100%", expect=3)
    assert statuses(folder) == ["changed", "failed", "not-reached", "not-reached"]


def test_stale_hosts_do_not_count(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    for site in fleet[:2]:
        site.edit(':enc]" />', ':enc]" idleTimeout="00:05:00" />')
    done = remediate("apply", folder, "-i", inventory, "--yes", "--batches", "1", expect=4)
    assert statuses(folder) == ["stale", "stale", "changed", "changed"], done.stdout


def test_an_unreachable_host_counts_and_plain_ansible_says_so(fleet: list[Site]) -> None:
    """ignore_unreachable would hide it from the exit code; the last play tells it."""
    folder, inventory = plan(fleet)
    whole = yaml.safe_load(inventory.read_text())
    whole["iis"]["hosts"][fleet[1].name]["ansible_port"] = 1
    inventory.write_text(yaml.safe_dump(whole))
    settings = '{"remediate_batches": [1, 1, 2], "remediate_max_failures": 0}'
    done = run(PLAIN, "-i", inventory, folder / "playbook.yml", "-e", settings)
    assert done.returncode != 0
    assert "no further batch is begun" in done.stdout
    assert statuses(folder) == ["changed", "unreachable", "not-reached", "not-reached"]
    assert remediate("apply", folder, "-i", inventory, "--yes", "--batches", "100%", expect=3)


def test_a_users_settings_do_not_change_the_plan(fleet: list[Site]) -> None:
    """Another strategy, and tags that name nothing of it: the same batches, the same budget."""
    folder, inventory = plan(fleet)
    fleet[0].knobs(fail_commit="denied")
    remediate("apply", folder, "-i", inventory, "--yes", expect=3, ANSIBLE_STRATEGY="free", ANSIBLE_RUN_TAGS="nothing")
    assert statuses(folder) == ["failed", "not-reached", "not-reached", "not-reached"]


@pytest.mark.parametrize("word", ["none", "idle-timeout"])
def test_a_fix_that_a_host_no_longer_wants_is_stale(fleet: list[Site], word: str) -> None:
    """By its variable, which changed since the plan, or by -e for all of them: it is not begun."""
    folder, inventory = plan(fleet)
    before = [site.config.read_bytes() for site in fleet]
    done = remediate("apply", folder, "-i", inventory, "--yes", "-e", f"remediate_fix={word}", expect=4)
    assert f"remediate_fix is '{word}' here now" in done.stderr
    assert [site.config.read_bytes() for site in fleet] == before
    whole = yaml.safe_load(inventory.read_text())
    whole["iis"]["hosts"][fleet[1].name]["remediate_fix"] = word
    inventory.write_text(yaml.safe_dump(whole))
    remediate("apply", folder, "-i", inventory, "--yes", expect=4)
    assert [site.config.read_bytes() == old for site, old in zip(fleet, before, strict=True)] == [
        False,
        True,
        False,
        False,
    ]
    (made,) = (folder / "runs").iterdir()
    remediate("rollback", made, "--out", folder.with_name("undo"), expect=0)
    remediate("apply", folder.with_name("undo"), "-i", inventory, "--yes", expect=0)


def test_a_limit_keeps_to_its_hosts(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    remediate("apply", folder, "-i", inventory, "--yes", "-l", fleet[2].name, expect=0)
    assert statuses(folder) == ["not-reached", "not-reached", "changed", "not-reached"]


@pytest.mark.parametrize("pattern", ["!{0}", "iis:!{0}", "iis:&{1}"])
def test_patterns_are_ansibles(fleet: list[Site], pattern: str) -> None:
    folder, inventory = plan(fleet)
    limit = pattern.format(fleet[0].name, fleet[1].name)
    remediate("apply", folder, "-i", inventory, "--yes", "-l", limit, expect=0)
    assert statuses(folder)[:2] == ["not-reached", "changed"]


@pytest.mark.parametrize(
    "wrong", ['"remediate_batches": "foo"', '"remediate_batches": ["0"]', '"remediate_max_failures": "abc"',
              '"remediate_pause": -5', '"remediate_pause": "5\\n"', '"remediate_pools_per_commit": 0'],
)  # fmt: skip
def test_settings_that_mean_nothing_are_refused(fleet: list[Site], wrong: str) -> None:
    """Before any host is touched, also with a limit, which leaves out the play of the first checks."""
    folder, inventory = plan(fleet)
    before = [site.config.read_bytes() for site in fleet]
    done = run(PLAIN, "-i", inventory, folder / "playbook.yml", "-e", f"{{{wrong}}}")
    assert done.returncode != 0
    assert "No host was touched" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert run(PLAIN, "-i", inventory, folder / "playbook.yml", "-l", "iis", "-e", f"{{{wrong}}}").returncode != 0
    assert [site.config.read_bytes() for site in fleet] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_run(fleet: list[Site], number: signal.Signals) -> None:
    """A cancelled pipeline begins no further batch; the record says what is known, and that it runs while it does."""
    folder, inventory = plan(fleet)
    fleet[1].knobs(after_commit="hang")
    before = fleet[1].config.read_bytes()
    command = [Path(sys.prefix) / "bin" / "remediate", "apply", folder, "-i", inventory, "--yes", "--batches", "1"]
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait_for(lambda: fleet[1].config.read_bytes() != before, "the second server's write")
        (made,) = (folder / "runs").iterdir()
        assert "it is still running" in remediate("show", made, expect=0).stdout
        # An undo of what is known by now would be overtaken by what the run writes next.
        early = remediate("rollback", made, "--out", folder.with_name("early"), expect=1)
        assert "still running" in early.stderr and not folder.with_name("early").exists()
        process.send_signal(number)
        _, said = process.communicate(timeout=600)
    assert process.returncode == 130
    assert str(made).encode() in said
    fleet[1].knobs(after_commit="")
    assert statuses(folder) == ["changed", "unknown", "not-reached", "not-reached"]
    assert "the record ends before the run did" in remediate("show", made, expect=0).stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_signal_ends_a_run_whose_servers_answer(fleet: list[Site], number: signal.Signals) -> None:
    """A signal to `remediate` alone stops the run as Ctrl-C does, SIGKILL too: no further host is begun."""
    _stopped_after_the_first(fleet, (), number, -9 if number == signal.SIGKILL else 130)


def test_a_job_in_the_background_can_be_ended(fleet: list[Site]) -> None:
    """A shell without job control starts it with SIGINT ignored: SIGTERM stops it all the same."""
    _stopped_after_the_first(fleet, ("sh", "-c", 'trap "" INT; exec "$@"', "sh"), signal.SIGTERM, 130)


# Python drops an exception that is raised here, as it does in a hook of a fork, where Ansible is much of the time.
_DROPS = """
import os, signal
from ansible.plugins.callback import CallbackBase

class Dropping:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "drops"

    def v2_runner_on_ok(self, result):
        if result.host.get_name() != "localhost" and not hasattr(self, "sent"):
            self.sent = True
            Dropping()
"""


def test_an_interrupt_that_python_drops_ends_the_run(fleet: list[Site]) -> None:
    """Ctrl-C in a moment where no exception can be raised: Ansible alone would go on to the next host."""
    folder, inventory = plan(fleet)
    (folder.parent / "callbacks").mkdir()
    (folder.parent / "callbacks" / "drops.py").write_text(_DROPS)
    were = [site.config.read_bytes() for site in fleet]
    command = (PLAIN, "-i", inventory, folder / "playbook.yml", "-e", '{"remediate_batches": [1]}')
    done = run(*command, ANSIBLE_CALLBACK_PLUGINS=str(folder.parent / "callbacks"))
    assert "Exception ignored" in done.stderr, "the interrupt was not dropped: the test proves nothing"
    assert done.returncode != 0
    assert [site.config.read_bytes() for site in fleet[1:]] == were[1:]
    assert "interrupted, so no further host is begun" in done.stdout + done.stderr


# A worker that Ansible kills while it hands over its result leaves the queue's lock behind, held by nobody.
_HOLDS = """
import gc, os, signal
from ansible.executor.task_queue_manager import FinalQueue
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "holds"

    def v2_runner_on_ok(self, result):
        if result.host.get_name() != "localhost":
            for queue in [found for found in gc.get_objects() if isinstance(found, FinalQueue)]:
                queue._wlock.acquire()
            os.kill(os.getpid(), signal.SIGINT)
"""


def test_an_interrupt_ends_ansible_where_its_clean_up_would_wait_for_ever(fleet: list[Site]) -> None:
    """It asks for the lock before it ends: one interrupt would not end it."""
    folder, inventory = plan(fleet)
    (folder.parent / "callbacks").mkdir()
    (folder.parent / "callbacks" / "holds.py").write_text(_HOLDS)
    command = (PLAIN, "-i", inventory, folder / "playbook.yml", "-e", '{"remediate_batches": [1]}')
    done = run(*command, ANSIBLE_CALLBACK_PLUGINS=str(folder.parent / "callbacks"))
    assert done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
    assert "still running" not in remediate("show", next((folder / "runs").iterdir()), expect=0).stdout


def _stopped_after_the_first(fleet: list[Site], before: tuple[str, ...], number: signal.Signals, expect: int) -> None:
    folder, inventory = plan(fleet)
    were = [site.config.read_bytes() for site in fleet]
    for site in fleet:
        site.knobs(delay="0.5")
    command = [*before, Path(sys.prefix) / "bin" / "remediate", "apply", folder, "-i", inventory, "--yes"]
    command += ["--batches", "1"]
    with subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        wait_for(lambda: fleet[0].config.read_bytes() != were[0], "the first server's write")
        process.send_signal(number)
        process.communicate(timeout=600)
    assert process.returncode == expect
    (made,) = (folder / "runs").iterdir()
    wait_for(lambda: "still running" not in remediate("show", made).stdout, "the end of the run")
    assert [site.config.read_bytes() for site in fleet[2:]] == were[2:]
    assert statuses(folder)[2:] == ["not-reached", "not-reached"]


# By `apply`, by plain ansible-playbook, and with a limit, which leaves out the play on localhost.
@pytest.mark.parametrize("options", [None, (), ("-l", "iis")])
def test_a_servers_facts_do_not_lift_the_budget(fleet: list[Site], options: tuple[str, ...] | None) -> None:
    """One server's answer has no say in how many others may fail."""
    folder, inventory = plan(fleet)
    fleet[1].knobs(lie='{"ansible_facts": {"remediate_max_failures": "100%", "remediate_budget": "100%"}}')
    fleet[2].knobs(fail_commit="denied")
    if options is not None:
        settings = '{"remediate_batches": [1, 2, "100%"]}'
        assert run(PLAIN, "-i", inventory, folder / "playbook.yml", *options, "-e", settings).returncode != 0
    else:
        remediate("apply", folder, "-i", inventory, "--yes", "--batches", "1,2,100%", expect=3)
    assert statuses(folder) == ["changed", "changed", "failed", "not-reached"]


def test_an_odd_answer_over_the_wire_is_that_hosts_alone(fleet: list[Site]) -> None:
    folder, inventory = plan(fleet)
    fleet[3].knobs(lie='{"changes": 5}')
    remediate("apply", folder, "-i", inventory, "--yes", expect=3)
    assert statuses(folder) == ["changed", "changed", "changed", "failed"]


def test_a_server_that_never_answers_does_not_hold_the_run(fleet: list[Site]) -> None:
    """The task has a deadline; what may have been written there is not known, and can be undone."""
    folder, inventory = plan(fleet)
    fleet[0].knobs(after_commit="hang")
    done = run(PLAIN, "-i", inventory, folder / "playbook.yml", "-e", "remediate_task_timeout=4")
    assert done.returncode != 0
    assert statuses(folder) == ["failed", "not-reached", "not-reached", "not-reached"]
    remediate("rollback", next((folder / "runs").iterdir()), "--out", folder.parent / "undo", expect=0)
    undo = json.loads(remediate("show", folder.parent / "undo", "--format", "json", expect=0).stdout)
    assert [(c["host"], "NOT KNOWN" in c["reason"]) for c in undo["changes"]] == [(fleet[0].name, True)]


@pytest.mark.parametrize("missing", ["plan.json", "callback_plugins"])
def test_no_record_no_write(fleet: list[Site], missing: str) -> None:
    """By plain ansible-playbook too: without what keeps the record nothing is written."""
    folder, inventory = plan(fleet)
    before = [site.config.read_bytes() for site in fleet]
    gone = folder / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    for limit in ((), ("-l", fleet[0].name)):
        assert run(PLAIN, "-i", inventory, folder / "playbook.yml", *limit).returncode != 0
    assert [site.config.read_bytes() for site in fleet] == before
