"""Planning 250,000 rows in one run leaves enough memory for a million (bench/planning.py)."""

import json
import subprocess
import sys

from local.processes import PROJECT_ROOT

FEW, MANY = 31_250, 250_000
"""Rows. The tables against duplicates double as they fill: in both runs they are as full as with a million rows. What
does not grow with the rows (the window, the writes under way) is equally large in both."""
BOUND_MB = 256
"""Megabytes for the whole process with a million rows, interpreter and libraries included."""


def test_a_quarter_of_a_million_rows_leaves_room_for_a_million() -> None:
    """Each run is a process of its own. The operating system reports its peak."""
    few, many = planned(FEW), planned(MANY)
    assert many["accepted"] == MANY
    assert many["objects"] == many["chunks"] + 1
    grown_a_row = (many["peak_mb"] - few["peak_mb"]) / (MANY - FEW)
    assert many["peak_mb"] + grown_a_row * (1_000_000 - MANY) < BOUND_MB


def planned(rows: int) -> dict[str, float]:
    """The JSON report of the benchmark."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    reported: dict[str, float] = json.loads(done.stdout)
    return reported
