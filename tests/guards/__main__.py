"""`make guards`: removes each guard of the table from a copy of the code, one at a time, and runs its tests.

First the same tests run in a complete copy. A test that fails there would make every guard look guarded.

    python -m tests.guards                 all guards; exits 1 if the tests of one pass without it, or fail with it
    python -m tests.guards claim epoch     the guards whose name contains one of the words
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue

from tests.guards.running import Pytest
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
SHARES = 4 * AT_ONCE
"""Of the tests with every guard in place. With one for each processor, one worker would have nothing to do for long."""
TESTS_FAILED = 1
"""pytest's exit code if tests ran and one failed. A guard that breaks an import or a fixture (2) proves nothing."""
LONGEST = 900
"""Seconds for the tests of one guard."""
LONGEST_OF_ALL = 2700


def main(words: Sequence[str]) -> int:
    """Prints one line for each guard, with processor seconds, and at the end the guards that no test noticed.

    Gives the exit code.
    """
    chosen = [guard for guard in GUARDS if not words or any(word in guard.name for word in words)]
    if not chosen:
        sys.stderr.write("no guard has such a name\n")
        return 2
    results = _noticed(chosen)
    if results is None:
        sys.stderr.write("with every guard in its place the tests fail too: that they fail without one says nothing\n")
        return 1
    unnoticed = [guard for guard, is_noticed in zip(chosen, results, strict=True) if not is_noticed]
    sys.stdout.write(f"{len(chosen)} guards, {len(unnoticed)} that could go unnoticed\n")
    for guard in unnoticed:
        sys.stdout.write(f"  {guard.name} ({guard.file}): its tests still pass without it: {', '.join(guard.tests)}\n")
    return 1 if unnoticed else 0


def _noticed(chosen: Sequence[Guard]) -> list[bool] | None:
    """In the order of `chosen`; None if the tests fail with every guard in place."""
    with tempfile.TemporaryDirectory(prefix="guards-") as folder, ExitStack() as running:
        whole = Path(folder) / "whole"
        copy_project(whole)
        warm: SimpleQueue[Pytest] = SimpleQueue()
        for _ in range(AT_ONCE):
            warm.put(running.enter_context(Pytest()))
        workers = running.enter_context(ThreadPoolExecutor(AT_ONCE))
        if not _all_pass(whole, chosen, warm, workers):
            return None
        return list(workers.map(lambda guard: _reported(guard, whole, warm), chosen))


def _all_pass(whole: Path, chosen: Sequence[Guard], warm: SimpleQueue[Pytest], workers: Executor) -> bool:
    """In forks of the same processes as the runs without a guard, or a test that fails there alone would prove nothing.

    The byte code of this run stays: the later runs import the same files, except one.
    """
    tests = sorted({test for guard in chosen for test in guard.tests})
    shares = [share for first in range(SHARES) if (share := tests[first::SHARES])]
    return all(list(workers.map(lambda share: _passes(whole, share, warm), shares)))


def _passes(whole: Path, tests: Sequence[str], warm: SimpleQueue[Pytest]) -> bool:
    pytest = warm.get()
    code = pytest.ended(whole, tests, longest=LONGEST_OF_ALL, keeps_bytecode=True)
    _print_line("in place" if code == 0 else "FAILED", pytest.seconds, "every guard")
    warm.put(pytest)
    return code == 0


def _reported(guard: Guard, whole: Path, warm: SimpleQueue[Pytest]) -> bool:
    pytest = warm.get()
    is_noticed = noticed(guard, whole, pytest)
    _print_line("guarded" if is_noticed else "UNGUARDED", pytest.seconds, guard.name)
    warm.put(pytest)
    return is_noticed


def _print_line(result: str, seconds: float, what: str) -> None:
    sys.stdout.write(f"{result:<9}  {seconds:5.1f} s  {what}\n")
    sys.stdout.flush()


def noticed(guard: Guard, whole: Path, pytest: Pytest) -> bool:
    """Whether the guard's tests fail in a copy of `whole` without it. The copy shares all other files with `whole`."""
    with tempfile.TemporaryDirectory(dir=whole.parent) as folder:
        checkout = Path(folder) / "checkout"
        shutil.copytree(whole, checkout, copy_function=os.link)
        file = checkout / guard.file
        code = without(guard, file.read_text())
        for shared in (file, Path(cache_from_source(str(file)))):
            shared.unlink(missing_ok=True)
        file.write_text(code)
        expected = (0, TESTS_FAILED)
        return pytest.ended(checkout, guard.tests, "-x", longest=LONGEST, expected=expected) == TESTS_FAILED


def without(guard: Guard, code: str) -> str:
    """The code without the guard. Raises ValueError if the guard's text is not in it exactly once."""
    if code.count(guard.before) != 1:
        raise ValueError(f"{guard.name}: stands {code.count(guard.before)} times in {guard.file}")
    return code.replace(guard.before, guard.after)


def copy_project(folder: Path) -> None:
    """Copies the files that the tests need. `folder` must not exist yet."""
    folder.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
