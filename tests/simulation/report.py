"""The results of many runs, by fault, and the command that repeats a failed run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.simulation.checker import Violation, Wrong
from tests.simulation.faults import FAULTS
from tests.simulation.run import Outcome, run

COLUMNS = ("fault", "times", "runs", "messages", "lost", "doubled", "early", "result")
SHOWN = 5
"""How many violations of a seed are printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A run in brief, to pass between processes. `times`: fault → how often it happened."""

    seed: int
    times: Mapping[str, int]
    messages: int
    wrongs: tuple[Violation, ...]

    @property
    def faults(self) -> frozenset[str]:
        """The faults that happened."""
        return frozenset(name for name, count in self.times.items() if count)

    def count(self, kind: Wrong) -> int:
        """How many violations of a kind there are."""
        return sum(wrong.kind == kind for wrong in self.wrongs)


def summary(outcome: Outcome) -> Summary:
    """The summary of a run."""
    return Summary(
        seed=outcome.seed,
        times=outcome.injected,
        messages=outcome.messages,
        wrongs=tuple(outcome.wrongs),
    )


def summary_of(seed: int) -> Summary:
    """Runs a seed. Worker processes import this function by its module, so it cannot be in `__main__`."""
    return summary(run(seed))


def seed_again(seed: int) -> str:
    """The command that repeats exactly this run and prints every step."""
    return f"python -m tests.simulation --seeds 1 --from {seed} --steps"


def table(runs: Sequence[Summary]) -> str:
    """A line for each fault. A run counts for every fault that occurred in it. `result`: whether all of it was correct,
    counts and statuses included."""
    return table_of([fault.name for fault in FAULTS], runs)


def table_of(faults: Sequence[str], runs: Sequence[Summary]) -> str:
    """The same for any other list of faults."""
    lines: list[tuple[str, ...]] = [COLUMNS]
    for name in faults:
        happened = [run for run in runs if name in run.faults]
        lines.append(_line(name, happened, sum(run.times[name] for run in happened)))
    lines.append(_line("all runs", runs, sum(sum(run.times.values()) for run in runs)))
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in (0, len(COLUMNS) - 1) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _line(name: str, runs: Sequence[Summary], times: int) -> tuple[str, ...]:
    counts = [sum(run.count(kind) for run in runs) for kind in ("lost", "doubled", "early")]
    broken = any(run.wrongs for run in runs)
    result = "never occurred" if not runs else "BROKEN" if broken else "ok"
    return (name, str(times), str(len(runs)), str(sum(run.messages for run in runs)), *map(str, counts), result)


def failures(runs: Sequence[Summary], again: Callable[[Summary], str] = lambda one: seed_again(one.seed)) -> str:
    """Each failed run with its violations and its command; empty without failures."""
    lines: list[str] = []
    for one in runs:
        if one.wrongs:
            lines += [f"seed {one.seed} ({', '.join(sorted(one.faults))})", f"  {again(one)}"]
            lines += [f"  {wrong.kind}: {wrong.text}" for wrong in one.wrongs[:SHOWN]]
    return "\n".join(lines)
