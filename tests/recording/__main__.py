"""python -m tests.recording record FILE [--root DIR] | compare BEFORE AFTER: tests/recording/README.md."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import ModuleType

from local.processes import PROJECT_ROOT
from tests.recording import distributions, every_operation, messages, night, numbers, rights, webhooks
from tests.recording.compare import differences
from tests.recording.coverage import coverage, hold_complete
from tests.recording.stack import started
from tests.recording.tape import Json, Tape, written

PARTS: tuple[tuple[ModuleType, ...], ...] = (
    (night, every_operation, rights),
    (messages, distributions),
    (webhooks, numbers),
)
"""The parts run at the same time, each on a stack of its own, because a script waits more than it works. The first part
begins at night. `numbers` is the last of its part, because it leaves stopped accounts behind."""


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.recording")
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("record", help="play the script to a stack of its own, and write down what it answers")
    one.add_argument("file", type=Path)
    one.add_argument("--root", type=Path, default=PROJECT_ROOT, help="the checkout whose code runs; default: this one")
    two = commands.add_parser("compare", help="exit 1 if two recordings differ in more than times and drawn IDs")
    two.add_argument("before", type=Path)
    two.add_argument("after", type=Path)
    arguments = parser.parse_args(argv)
    if arguments.command == "record":
        return record(arguments.file, arguments.root.resolve())
    return compare(arguments.before, arguments.after)


def record(file: Path, root: Path) -> int:
    """Writes the recording and prints what it covers. Each stack's log is beside the file, with the ending .log."""
    logs = [file.with_suffix(f".{number}.log") for number, _ in enumerate(PARTS, 1)]
    with ThreadPoolExecutor(len(PARTS)) as pool:
        tapes = list(pool.map(partial(_play, root), PARTS, logs))
    exchanges = [one for tape in tapes for one in tape.exchanges]
    operations = tapes[0].operations
    covered = coverage(operations, exchanges)
    file.write_text(written(exchanges, covered))
    hold_complete(covered)
    for what, names in covered["not_provoked"].items():
        print(f"not provoked, {what}: {', '.join(names) or 'none'}")
    print(f"{len(operations)} operations in both languages, {len(exchanges)} exchanges: {file}")
    return 0


def _play(root: Path, part: Sequence[ModuleType], log: Path) -> Tape:
    """Runs one part of the script on a stack of its own."""
    since = time.monotonic()
    with started(root, log) as stack:
        tape = Tape(stack)
        if night not in part:
            stack.move_to(night.DAY)
        for scenes in part:
            scenes.play(tape)
            print(f"{time.monotonic() - since:5.0f} s  {scenes.__name__}: {len(tape.exchanges)} exchanges", flush=True)
    return tape


def compare(before: Path, after: Path) -> int:
    """Prints the differences. Gives 1 if there are any."""
    sides: list[list[Json]] = [json.loads(one.read_text())["exchanges"] for one in (before, after)]
    found = list(differences(*sides))
    for one in found:
        print(one, end="\n\n")
    print(f"{len(sides[0])} and {len(sides[1])} exchanges, {len(found)} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
