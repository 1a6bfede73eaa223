"""python -m tests.simulation --seeds 3000 [--from N] [--jobs 2] [--steps]: runs seeds and prints a table.

Exits 1 if a run has a violation.
"""

import argparse
import multiprocessing
import sys
from collections.abc import Sequence

from tests.simulation.report import Summary, failures, summary, summary_of, table
from tests.simulation.run import run


def main(arguments: Sequence[str]) -> int:
    """Gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Runs of the simulation, by seed.")
    parser.add_argument("--seeds", type=int, default=300, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--steps", action="store_true", help="print every step, and the trace that stands for all")
    wish = parser.parse_args(arguments)
    seeds = range(wish.first, wish.first + wish.seeds)
    runs = [_reported(seed) for seed in seeds] if wish.steps else _all(seeds, wish.jobs)
    print(table(runs))
    wrong = failures(runs)
    if wrong:
        print(f"\n{wrong}")
    return 1 if wrong else 0


def _all(seeds: range, jobs: int) -> list[Summary]:
    if jobs == 1:
        return [summary_of(seed) for seed in seeds]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return pool.map(summary_of, seeds, chunksize=25)


def _reported(seed: int) -> Summary:
    outcome = run(seed, spoken=True)
    print(*outcome.steps, sep="\n")
    print(f"seed {seed}: trace {outcome.trace}")
    return summary(outcome)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
