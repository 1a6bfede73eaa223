"""An upload is planned in one run without keeping its rows in memory (bench/planning.py)."""

import json
import subprocess
import sys

from local.processes import PROJECT_ROOT

FEW, MANY = 1_000, 62_500
MOST_KB_A_ROW = 1.0
"""A row takes 0.2 to 0.3 kB in the tables against duplicates; a row that is kept takes several. The peaks of two runs
differ by some megabytes with the writes that happen to be under way, so this bound is far from both. `make bench
PARTS=plan` plans a million rows and holds the peak of the whole process against 256 MB."""


def test_planning_keeps_no_row_in_memory() -> None:
    """Each run is a process of its own. The operating system reports its peak."""
    few, many = planned(FEW), planned(MANY)
    assert many["accepted"] == MANY
    assert many["objects"] == many["chunks"] + 1
    assert (many["peak_mb"] - few["peak_mb"]) * 1024 / (MANY - FEW) < MOST_KB_A_ROW


def planned(rows: int) -> dict[str, float]:
    """The JSON report of the benchmark."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    reported: dict[str, float] = json.loads(done.stdout)
    return reported
