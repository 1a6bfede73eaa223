"""`make guards`: take each guard of the table out of a copy of the code, alone, and see whether its tests notice.

python -m tests.guards                 all of them; exits 1 if a guard's tests still pass without it
python -m tests.guards claim epoch     those whose name holds one of the words
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.guards.table import GUARDS, Guard

ROOT = Path(__file__).parents[2]
COPIED = ("functions", "local", "shared", "tests", "pyproject.toml", "template.yaml", "samconfig.toml", "events")
AT_ONCE = os.cpu_count() or 1
TESTS_FAILED = 1
"""pytest's exit code where tests ran and one failed. A guard that breaks an import or a fixture proves nothing: 2."""
LONGEST = 300


def main(words: Sequence[str]) -> int:
    """Prints one line a guard, and what stays unnoticed once more at the end."""
    chosen = [guard for guard in GUARDS if not words or any(word in guard.name for word in words)]
    if not chosen:
        sys.stderr.write("no guard has such a name\n")
        return 2
    with ThreadPoolExecutor(AT_ONCE) as workers:
        unnoticed = [
            guard for guard, is_noticed in zip(chosen, workers.map(_told, chosen), strict=True) if not is_noticed
        ]
    sys.stdout.write(f"{len(chosen)} guards, {len(unnoticed)} that could go unnoticed\n")
    for guard in unnoticed:
        sys.stdout.write(f"  {guard.name} ({guard.file}): its tests still pass without it: {', '.join(guard.tests)}\n")
    return 1 if unnoticed else 0


def _told(guard: Guard) -> bool:
    is_noticed = noticed(guard)
    sys.stdout.write(f"{'guarded  ' if is_noticed else 'UNGUARDED'}  {guard.name}\n")
    sys.stdout.flush()
    return is_noticed


def noticed(guard: Guard) -> bool:
    """Whether the guard's tests fail in a copy of the code without it."""
    with tempfile.TemporaryDirectory(prefix="guards-") as folder:
        copy = Path(folder)
        _copy_to(copy)
        file = copy / guard.file
        file.write_text(without(guard, file.read_text()))
        options = [
            "-q",
            "-x",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "--override-ini",
            "addopts=--import-mode=importlib",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options, *guard.tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    if done.returncode not in (0, TESTS_FAILED):
        sys.stderr.write(f"{guard.name}: pytest ended with {done.returncode}\n{done.stdout[-2000:]}\n")
    return done.returncode == TESTS_FAILED


def without(guard: Guard, code: str) -> str:
    """The code without the guard. Raises ValueError where it does not stand there exactly once."""
    if code.count(guard.before) != 1:
        raise ValueError(f"{guard.name}: stands {code.count(guard.before)} times in {guard.file}")
    return code.replace(guard.before, guard.after)


def _copy_to(folder: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", ".*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy2(source, folder / name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
