"""A quarter of a million rows is planned in one run, in memory that leaves room for a million (bench/planning.py)."""

import json
import subprocess
import sys

from local.processes import PROJECT_ROOT

FEW, MANY = 31_250, 250_000
"""The tables against duplicates double as they fill: both times they are as full as those of a million. What does not
grow with the rows (the window, the writes under way) is as large in both."""
BOUND_MB = 256
"""For the whole process, interpreter and libraries included, and for a million rows."""


def test_a_quarter_of_a_million_rows_leaves_room_for_a_million() -> None:
    """A process of its own, whose peak the operating system knows."""
    few, many = planned(FEW), planned(MANY)
    assert many["accepted"] == MANY
    assert many["objects"] == many["chunks"] + 1
    grown_a_row = (many["peak_mb"] - few["peak_mb"]) / (MANY - FEW)
    assert many["peak_mb"] + grown_a_row * (1_000_000 - MANY) < BOUND_MB


def planned(rows: int) -> dict[str, float]:
    """What the benchmark says of itself."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=600)
    reported: dict[str, float] = json.loads(done.stdout)
    return reported
