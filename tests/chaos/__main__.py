"""python -m tests.chaos [words]: breaks a running local stack over HTTP, one scenario after the other, each a campaign
of its own; prints a table, exits 1 if anything is lost, doubled, early or else wrong, or if a fault never occurred."""

import shlex
import sys
import tempfile
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.chaos.run import performed
from tests.chaos.scenarios import Scenario, named
from tests.simulation.raising import raised
from tests.simulation.report import Summary, failures, table_of
from tests.stack.running import started

STACKS = 2
"""At once: one alone leaves a third of two processors idle, because its parts wait for each other."""
START = "2026-10-29T17:50:00Z"
"""Ten minutes before night falls in Egypt and Madagascar, on the day on which Egypt's summer ends."""
THE_STACK = -1
"""In place of a scenario's number, where a stack itself fails."""


def main(words: list[str]) -> int:
    """The exit code."""
    scenarios = named(words)
    if not scenarios:
        print("no scenario has such a name", file=sys.stderr)
        return 2
    waiting = deque(enumerate(scenarios))
    stacks = min(STACKS, len(scenarios))
    with ThreadPoolExecutor(stacks) as workers:
        runs = [run for done in workers.map(_on_a_stack, [waiting] * stacks) for run in done]
    runs.sort(key=lambda run: run.seed)
    print(table_of([fault for scenario in scenarios for fault in scenario.faults], runs))
    wrong = failures(runs, again=lambda run: _again(scenarios, run))
    if wrong:
        print(f"\n{wrong}")
    return 1 if wrong else 0


def _again(scenarios: list[Scenario], run: Summary) -> str:
    if run.seed == THE_STACK:
        return "the stack itself"
    return f"python -m tests.chaos {shlex.quote(scenarios[run.seed].name)}"


def _on_a_stack(waiting: deque[tuple[int, Scenario]]) -> list[Summary]:
    """Whatever nobody has taken yet, in order: the one that needs a certain evening comes first, and no clock goes
    back. What a stack has seen counts, also where it fails afterwards."""
    runs: list[Summary] = []
    try:
        with (
            tempfile.TemporaryDirectory(prefix="chaos-") as folder,
            started(Path(folder) / "stack.log", NOW=START) as stack,
        ):
            while (taken := _next(waiting)) is not None:
                runs.append(performed(stack, *taken))
    except (Exception, pytest.fail.Exception) as error:
        runs.append(Summary(seed=THE_STACK, times={}, messages=0, wrongs=(raised(error),)))
    return runs


def _next(waiting: deque[tuple[int, Scenario]]) -> tuple[int, Scenario] | None:
    try:
        return waiting.popleft()
    except IndexError:  # the other stack was quicker
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
