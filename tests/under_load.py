"""Runs tests beside busy loops. This shows which tests depend on the machine's speed.

    python -m tests.under_load [--loops 8] tests/stack/test_load.py …

pytest runs with the given arguments in one process, while busy processes (four a core by default) load the machine.
tests/stack/README.md says what a test may wait for.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

BUSY = "while True: pass"
LOOPS_A_CORE = 4


@contextmanager
def load(loops: int) -> Iterator[None]:
    """The loops have the same priority as the tests, so that they compete."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in busy:
            loop.kill()
            loop.wait()


def main(argv: Sequence[str]) -> int:
    """Gives pytest's exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.under_load", description=__doc__)
    parser.add_argument("--loops", type=int, default=LOOPS_A_CORE * (os.cpu_count() or 1))
    arguments, rest = parser.parse_known_args(argv)
    with load(arguments.loops):
        return subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *rest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
