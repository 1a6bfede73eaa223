"""A stack stopped in the middle of its work: no process outlives it, its port is free, and the next stack starts
there."""

import os
import signal
import socket
from pathlib import Path

import pytest

from local.load import Run, Target, campaign
from tests.stack.running import RunningStack, started
from tests.waiting import PATIENCE, until

ORGANISATION = "cut-short"


def at_work(stack: RunningStack) -> None:
    """More than a hundred messages are on queues and in functions."""
    target = Target(
        base_url=stack.base_url,
        aws_url=stack.aws_url,
        simulators_url=stack.simulators_url,
        organisation=ORGANISATION,
        token=stack.token(ORGANISATION),
    )
    Run(target, campaign(150, "cut-short"), print).begin(20, patience=PATIENCE)


def family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in family(int(child)))]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def has_ended(pid: int) -> bool:
    """Whether the child can be waited for. Its first thread is a zombie shortly before its last thread has ended."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None


def can_be_bound(url: str) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(url.rpartition(":")[2])))
        except OSError:
            return False
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_outlives_a_stack_at_work(number: signal.Signals, tmp_path: Path) -> None:
    with started(tmp_path / "log") as stack:
        at_work(stack)
        urls = (stack.base_url, stack.aws_url, stack.simulators_url)
        processes = family(stack.pid)
        assert len(processes) >= 3
        os.kill(stack.pid, number)
        until(lambda: has_ended(stack.pid), bool)
        until(lambda: [pid for pid in processes if is_alive(pid)], lambda alive: not alive)
        assert all(can_be_bound(url) for url in urls)
    if number is signal.SIGTERM:
        assert "Traceback" not in stack.log()
        assert not stack.directory.exists()
