"""An eighth of a million rows is planned in one run, in memory that grows little with them (bench/planning.py)."""

import json
import subprocess
import sys

from local.processes import PROJECT_ROOT

ROWS = 125_000
"""The tables against duplicates double as they fill: now they are as full as those of a million."""
BOUND_MB = 256
"""For the whole process, interpreter and libraries included, and for a million rows as well."""


def test_an_eighth_of_a_million_rows_leaves_room_for_a_million() -> None:
    """A process of its own, whose peak the operating system knows. What grows with the rows (three slots of 20
    bytes against duplicates, the chunks' places) is the difference to a run that has next to none."""
    few, many = planned(1000), planned(ROWS)
    assert many["accepted"] == ROWS
    assert many["objects"] == many["chunks"] + 1
    grown_a_row = (many["peak_mb"] - few["peak_mb"]) / ROWS
    assert few["peak_mb"] + grown_a_row * 1_000_000 < BOUND_MB


def planned(rows: int) -> dict[str, float]:
    """What the benchmark says of itself."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=600)
    reported: dict[str, float] = json.loads(done.stdout)
    return reported
