"""Runs pytest in copies of the code, one run after the other, in forks of one process (`tests/guards/warm.py`)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

WARM = Path(__file__).with_name("warm.py")
PLUGINS = ("_hypothesis_pytestplugin", "pytest_socket", "time_machine")
OPTIONS = (
    *("-q", "--no-header", "-p", "no:cacheprovider", "--override-ini", "addopts=--import-mode=importlib"),
    *(word for plugin in PLUGINS for word in ("-p", plugin)),
)


class Pytest:
    """Use it in a `with`, and only in one thread at a time."""

    seconds = 0.0
    """The processor seconds of the last run, with those of the processes that it started."""

    def __enter__(self) -> Self:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(WARM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Plugins are named instead: pytest warns about plugins that the process has imported already.
            env={**inherited, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        )
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._process.communicate()  # ends its standard input, and so the process

    def ended(
        self,
        checkout: Path,
        tests: Sequence[str],
        *options: str,
        longest: float,
        expected: Sequence[int] = (0,),
        keeps_bytecode: bool = False,
    ) -> int | None:
        """pytest's exit code in a copy of the code; None if the run took longer than `longest` seconds.

        An unexpected code is written to standard error, with the end of pytest's output.
        """
        with tempfile.NamedTemporaryFile("r") as output:
            order = {
                "checkout": str(checkout),
                "arguments": [*OPTIONS, *options, *tests],
                "seconds": longest,
                "output": output.name,
                "keeps_bytecode": keeps_bytecode,
            }
            code = self._answer(order)
            if code is None:
                sys.stderr.write(f"pytest took more than {longest:.0f} s for {', '.join(tests)}\n")
            elif code not in expected:
                sys.stderr.write(f"pytest ended with {code}\n{output.read()[-2000:]}\n")
        return code

    def _answer(self, order: dict[str, object]) -> int | None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{json.dumps(order)}\n")
        self._process.stdin.flush()
        code: int | None
        code, self.seconds = json.loads(self._process.stdout.readline())
        return code
