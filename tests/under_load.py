"""The tests beside busy loops: what depends on the machine's speed shows here.

python -m tests.under_load [--loops 8] tests/stack/test_load.py …: pytest with what follows, in one process, while so
many processes (four a core where nothing is said) keep the machine busy. tests/stack/README.md says what a test may
wait for.
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
    """As nice as the tests themselves, so that they compete."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for loop in busy:
            loop.kill()
            loop.wait()


def main(argv: Sequence[str]) -> int:
    """pytest's own code."""
    parser = argparse.ArgumentParser(prog="python -m tests.under_load", description=__doc__)
    parser.add_argument("--loops", type=int, default=LOOPS_A_CORE * (os.cpu_count() or 1))
    arguments, rest = parser.parse_known_args(argv)
    with load(arguments.loops):
        return subprocess.run([sys.executable, "-m", "pytest", "-n", "0", *rest], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
