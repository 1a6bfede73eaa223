"""Starts the stack's child processes, waits for them, and stops them."""

import gc
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TextIO

PROJECT_ROOT = Path(__file__).resolve().parent.parent
READY = "ready"
STOP_SECONDS = 3.0


class ChildFailedError(Exception):
    """A child process ended, or did not print "ready" in time."""


def free_port() -> int:
    """Find a port that is free now. If another process takes it before the child does, the child ends with a clear
    error.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def collect_seldom() -> None:
    """Make the garbage collector run less often, because this process has many objects that stay.

    The collector took a tenth of the stack's work. With this setting, some megabytes may stay uncollected for a while.
    """
    gc.set_threshold(100_000, 20, 20)


class Child:
    """A process `python -m <module>`. It prints "ready" when it serves; all its other output goes to `log`."""

    def __init__(self, module: str, arguments: Sequence[str], log: TextIO) -> None:
        self._module = module
        self._log = log
        self._said_ready = False
        self._received = threading.Event()
        path = os.pathsep.join(filter(None, [str(PROJECT_ROOT), os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and modules
            [sys.executable, "-m", "local.child", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log.fileno(),
            text=True,
            cwd=PROJECT_ROOT,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C reaches only the stack, which stops its children itself
        )
        assert self._process.stdout is not None  # noqa: S101 - PIPE was asked for
        self._pumping = threading.Thread(target=self._pump, args=(self._process.stdout,), daemon=True)
        self._pumping.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _pump(self, output: IO[str]) -> None:
        with output:
            for line in output:
                if line.strip() == READY:
                    self._said_ready = True
                    self._received.set()
                else:
                    self._log.write(line)
        self._received.set()  # the output has ended: no "ready" will come

    def wait_ready(self, seconds: float) -> None:
        """Wait `seconds` for the child's "ready". Raises ChildFailedError if it ends first or takes longer."""
        if not self._received.wait(seconds):
            raise ChildFailedError(f"{self._module} is not ready after {seconds:g} s; its output is in the log")
        if not self._said_ready:
            code = self._process.wait(STOP_SECONDS)  # its output has ended, so the process is ending too
            raise ChildFailedError(f"{self._module} ended with code {code}; its output is in the log")

    def stop(self) -> None:
        self._process.terminate()
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._pumping.join(STOP_SECONDS)
