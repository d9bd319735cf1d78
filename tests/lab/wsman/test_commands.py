"""Commands: what they print, what they are given, and how they end.

Faults and replies are proved against pywinrm's reading of them; none was compared with a Windows.
"""

import contextlib
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from winrm.exceptions import (
    WinRMOperationTimeoutError,
    WSManFaultError,
)

from remediate_lab.wsman.shells import CHUNK
from tests.lab.wsman.service import PORT, Lab, receive, run, running


def test_a_command_gives_its_output_and_exit_code(lab: Lab) -> None:
    """stdout, stderr and the exit code arrive, and the line is Command and Arguments joined by a space."""
    with lab.client() as client:
        assert run(client, "both") == (b"out 1, out 2", b"err", 0)
        assert run(client, "say", "a", '"b  c"') == (b'a "b  c"', b"", 0)
        assert run(client, "exit 3") == (b"", b"", 3)
        assert run(client, "exit -1073741510") == (b"", b"", -1073741510)


def test_text_of_all_alphabets_passes(lab: Lab) -> None:
    """What is not ASCII, and what XML has its own use for, arrives as it was sent."""
    text = "größer <&> \"'] ]]> 日本語 🜨"
    with lab.client() as client:
        assert run(client, f"say {text}") == (text.encode(), b"", 0)


def test_output_comes_in_pieces(lab: Lab) -> None:
    """A Receive is answered while the command still runs, as soon as there is something."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "steps")
        assert client.get_command_output_raw(shell, command) == (b"one", b"", -1, False)
        lab.loop.call_soon_threadsafe(lab.engine.step.set)
        assert client.get_command_output(shell, command) == (b"two", b"", 0)


def test_much_output_is_split_over_several_answers(lab: Lab) -> None:
    """No answer carries more than a chunk, and together they are the output."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, f"flood {3 * CHUNK + 512}")
        sizes, whole, ended = [], b"", False
        while not ended:
            piece, _, _, ended = client.get_command_output_raw(shell, command)
            sizes.append(len(piece))
            whole += piece
        assert sizes == [CHUNK, CHUNK, CHUNK, 512]
        assert whole == bytes(range(256)) * (len(whole) // 256)


def test_a_slow_command_meets_operation_timeouts_that_really_pass(lab: Lab) -> None:
    """Each fault 2150858793 comes after the second that was asked for; in the end there is the result."""
    with lab.client(operation_timeout_sec=1, read_timeout_sec=300) as client:
        shell = client.open_shell()
        begin = time.monotonic()
        command = client.run_command(shell, "late 2.5")
        timeouts = 0
        while True:
            try:
                output = client.get_command_output_raw(shell, command)
                break
            except WinRMOperationTimeoutError:
                timeouts += 1
        elapsed = time.monotonic() - begin
        assert output[0] == b"late"
        assert elapsed >= 2.5
        assert 1 <= timeouts <= elapsed


def test_a_timeout_of_nothing_does_not_spin(lab: Lab) -> None:
    """PT0S is taken as the shortest timeout there is."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        client.operation_timeout_sec = 0
        begin = time.monotonic()
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, command)
        assert time.monotonic() - begin >= 0.5


def test_input_arrives_in_chunks_and_ends(lab: Lab) -> None:
    """Chunks as large as Ansible's make one stream, and End is the end of it."""
    chunks = [bytes([65 + n]) * 250_000 for n in range(3)] + [b"\n\0\0\0\0\n\xff", b""]
    with lab.client() as client:
        assert run(client, "cat", stdin=chunks) == (b"".join(chunks), b"", 0)


def test_input_in_console_mode_is_closed(lab: Lab) -> None:
    """A command with WINRS_CONSOLEMODE_STDIN reads nothing, and a Send to it is refused."""
    with lab.client() as client:
        assert run(client, "cat") == (b"", b"", 0)
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        with pytest.raises(WSManFaultError) as caught:
            client.send_command_input(shell, command, b"x")
        assert caught.value.wsman_fault_code == 109


def test_input_is_refused_after_its_end_and_after_the_command(lab: Lab) -> None:
    """Nobody is told that bytes were taken which nobody will read."""
    with lab.client() as client:
        shell = client.open_shell()
        ended = client.run_command(shell, "cat", console_mode_stdin=False)
        client.send_command_input(shell, ended, b"x", end=True)
        over = client.run_command(shell, "exit 0", console_mode_stdin=False)
        client.get_command_output(shell, over)
        for command in (ended, over):
            with pytest.raises(WSManFaultError) as caught:
                client.send_command_input(shell, command, b"y")
            assert caught.value.wsman_fault_code == 109


def test_a_failing_engine_is_one_line_and_exit_code_1(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    """The traceback is in the log, not on the wire."""
    with lab.client() as client:
        assert run(client, "fail") == (b"", b"The lab's engine failed: RuntimeError: it broke\r\n", 1)
        assert run(client, "say on") == (b"on", b"", 0)
    records = [record for record in caplog.records if record.name == "remediate_lab"]
    assert len(records) == 1
    assert records[0].levelno == logging.ERROR
    assert records[0].exc_info


def test_a_line_that_cmd_cannot_take_fails_as_it_does_there(lab: Lab) -> None:
    """More than 8,191 characters fail, unless cmd.exe is skipped."""
    line = "say " + "x" * 8188
    with lab.client() as client:
        assert run(client, line) == (b"", b"The command line is too long.\r\n", 1)
        assert run(client, line[:-1]) == (b"x" * 8187, b"", 0)
        shell = client.open_shell()
        command = client.run_command(shell, line, skip_cmd_shell=True)
        assert client.get_command_output(shell, command) == (b"x" * 8188, b"", 0)


def test_signal_ends_the_command(lab: Lab) -> None:
    """The answer to Signal comes when the command has ended; then its id is unknown, and the shell goes on."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        client.cleanup_command(shell, command)
        assert lab.engine.ended.acquire(blocking=False)
        with pytest.raises(WSManFaultError) as caught:
            client.get_command_output(shell, command)
        assert caught.value.wsman_fault_code == 2150858843
        again = client.run_command(shell, "say on")
        assert client.get_command_output(shell, again) == (b"on", b"", 0)


def test_delete_ends_running_commands_and_waiting_receives(lab: Lab) -> None:
    """When Delete is answered the shell's commands have ended, and who waited for output has a fault."""
    with lab.client() as client, lab.client() as other, ThreadPoolExecutor(1) as threads:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        waiting = threads.submit(other.get_command_output, shell, command)
        client.close_shell(shell)
        assert lab.engine.ended.acquire(blocking=False)
        fault = waiting.exception(10)
        assert isinstance(fault, WSManFaultError)
        # 995 when the Receive was there first, else the shell is unknown already.
        assert fault.wsman_fault_code in (995, 2150858843)


def test_closing_the_server_ends_everything() -> None:
    """Commands have ended when close() is over, waiting clients have an answer, and nobody can connect."""
    with running() as lab, lab.client() as client, ThreadPoolExecutor(1) as threads:
        shell = client.open_shell()
        command = client.run_command(shell, "hang")
        assert lab.engine.hanging.acquire(timeout=10)
        waiting = threads.submit(client.get_command_output, shell, command)
        lab.do(lab.service.close())
        assert lab.engine.ended.acquire(blocking=False)
        assert waiting.exception(10) is not None
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((lab.address, PORT))


def test_a_command_that_will_not_end_is_not_called_ended(lab: Lab) -> None:
    """Signal waits no longer than its operation timeout, says so, and can be sent again."""
    with lab.client(operation_timeout_sec=1) as client:
        shell = client.open_shell()
        command = client.run_command(shell, "stubborn")
        assert lab.engine.hanging.acquire(timeout=10)
        with pytest.raises(WinRMOperationTimeoutError):
            client.cleanup_command(shell, command)
        assert not lab.engine.ended.acquire(blocking=False)
        lab.loop.call_soon_threadsafe(lab.engine.step.set)
        client.cleanup_command(shell, command)
        assert lab.engine.ended.acquire(blocking=False)


def test_an_idle_shell_ends_with_its_commands(lab: Lab) -> None:
    """A shell whose client has vanished is closed after the idle timeout that it was opened with."""
    with lab.client() as client:
        shell = client.open_shell(idle_timeout="PT0.2S")
        client.run_command(shell, "hang")
    assert lab.engine.ended.acquire(timeout=10)
    with lab.client() as client, pytest.raises(WSManFaultError) as caught:
        client.run_command(shell, "say x")
    assert caught.value.wsman_fault_code == 2150858843


def test_a_shell_is_not_idle_while_someone_waits_for_output(lab: Lab) -> None:
    """A Receive that takes longer than the idle timeout gets its output."""
    with lab.client() as client:
        shell = client.open_shell(idle_timeout="PT1S")
        command = client.run_command(shell, "late 2.2")
        assert client.get_command_output(shell, command) == (b"late", b"", 0)


def test_a_client_that_has_gone_takes_no_output_with_it(lab: Lab) -> None:
    """A Receive ends with its connection, and what comes afterwards is for the client that asks again."""
    with lab.client() as client:
        shell = client.open_shell()
        command = client.run_command(shell, "steps")
        assert client.get_command_output_raw(shell, command)[0] == b"one"
        with contextlib.suppress(TimeoutError):
            lab.post(receive(shell, command), timeout=0.2)
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(client.get_command_output, shell, command)
            lab.loop.call_soon_threadsafe(lab.engine.step.set)
            assert waiting.result(10) == (b"two", b"", 0)
