"""python -m tests.chaos [words]: breaks a running local stack over HTTP, one scenario after the other.

Each scenario is a campaign of its own. Prints a table. Exits 1 if a message is lost, doubled, early or otherwise wrong,
or if a fault never occurred.
"""

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
"""Stacks at the same time. One alone leaves a third of two processors idle, because its parts wait for each other."""
START = "2026-10-29T17:50:00Z"
"""Ten minutes before quiet hours begin in Egypt and Madagascar, on the day on which Egypt's summer time ends."""
THE_STACK = -1
"""In place of a scenario's number, if the stack itself fails."""


def main(words: list[str]) -> int:
    """Gives the exit code."""
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
    """Runs the next waiting scenario until none is left. The order stays: the scenario that needs a certain evening
    comes first, because no clock goes back. If the stack fails, its earlier results still count."""
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
    except IndexError:  # the other stack took the last one
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
