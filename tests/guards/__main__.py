"""`make guards`: removes each guard of the table from a copy of the code, one at a time, and runs its tests.

First the same tests run in a complete copy. A test that fails there would make every guard look guarded.

    python -m tests.guards                 all guards; exits 1 if the tests of one pass without it, or fail with it
    python -m tests.guards claim epoch     the guards whose name contains one of the words
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.guards.table import GUARDS, Guard

ROOT = Path(__file__).parents[2]
COPIED = (
    "bench",
    "functions",
    "local",
    "shared",
    "tests",
    "pyproject.toml",
    "template.yaml",
    "samconfig.toml",
    "events",
)
AT_ONCE = os.cpu_count() or 1
TESTS_FAILED = 1
"""pytest's exit code if tests ran and one failed. A guard that breaks an import or a fixture (2) proves nothing."""
LONGEST = 300
"""Seconds for the tests of one guard."""
LONGEST_OF_ALL = 900


def main(words: Sequence[str]) -> int:
    """Prints one line for each guard, and at the end the guards that no test noticed. Gives the exit code."""
    chosen = [guard for guard in GUARDS if not words or any(word in guard.name for word in words)]
    if not chosen:
        sys.stderr.write("no guard has such a name\n")
        return 2
    with _copied() as checkout:
        tests = sorted({test for guard in chosen for test in guard.tests})
        whole = ended(checkout, tests, "-n", str(AT_ONCE), longest=LONGEST_OF_ALL)
    if whole != 0:
        sys.stderr.write("with every guard in its place the tests fail too: that they fail without one says nothing\n")
        return 1
    with ThreadPoolExecutor(AT_ONCE) as workers:
        unnoticed = [
            guard for guard, is_noticed in zip(chosen, workers.map(_reported, chosen), strict=True) if not is_noticed
        ]
    sys.stdout.write(f"{len(chosen)} guards, {len(unnoticed)} that could go unnoticed\n")
    for guard in unnoticed:
        sys.stdout.write(f"  {guard.name} ({guard.file}): its tests still pass without it: {', '.join(guard.tests)}\n")
    return 1 if unnoticed else 0


def _reported(guard: Guard) -> bool:
    is_noticed = noticed(guard)
    sys.stdout.write(f"{'guarded  ' if is_noticed else 'UNGUARDED'}  {guard.name}\n")
    sys.stdout.flush()
    return is_noticed


def noticed(guard: Guard) -> bool:
    """Whether the guard's tests fail in a copy of the code without it."""
    with _copied() as checkout:
        file = checkout / guard.file
        file.write_text(without(guard, file.read_text()))
        expected = (0, TESTS_FAILED)
        return ended(checkout, guard.tests, "-x", longest=LONGEST, expected=expected) == TESTS_FAILED


def ended(
    checkout: Path, tests: Sequence[str], *options: str, longest: float, expected: Sequence[int] = (0,)
) -> int | None:
    """pytest's exit code in a copy of the code, or None if it took too long. An unexpected code is written to standard
    error."""
    own = ("-q", "--no-header", "-p", "no:cacheprovider", "--override-ini", "addopts=--import-mode=importlib")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *own, *options, *tests],
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=longest,
            check=False,
        )
    except subprocess.TimeoutExpired:
        sys.stderr.write(f"pytest took more than {longest:.0f} s for {', '.join(tests)}\n")
        return None
    if done.returncode not in expected:
        sys.stderr.write(f"pytest ended with {done.returncode}\n{done.stdout[-2000:]}\n")
    return done.returncode


def without(guard: Guard, code: str) -> str:
    """The code without the guard. Raises ValueError if the guard's text is not in it exactly once."""
    if code.count(guard.before) != 1:
        raise ValueError(f"{guard.name}: stands {code.count(guard.before)} times in {guard.file}")
    return code.replace(guard.before, guard.after)


@contextmanager
def _copied() -> Iterator[Path]:
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    with tempfile.TemporaryDirectory(prefix="guards-") as folder:
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, Path(folder) / name, ignore=ignored)
            else:
                shutil.copy2(source, Path(folder) / name)
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
