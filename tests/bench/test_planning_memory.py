"""A hundred thousand rows are planned in one run, in memory that hardly grows with them (bench/planning.py)."""

import json
import subprocess
import sys

from local.processes import PROJECT_ROOT

ROWS = 100_000
BOUND_MB = 256
"""For the whole process, interpreter and libraries included, and for a million rows as well."""


def test_a_hundred_thousand_rows_leave_room_for_a_million() -> None:
    """A process of its own, whose peak the operating system knows. What grows with the rows (16 bytes against
    duplicates, 12 of prints, the chunks' places) is the difference to a run that has next to none."""
    few, many = planned(1000), planned(ROWS)
    assert many["accepted"] == ROWS
    assert many["objects"] == ROWS / 100 + 1
    grown_a_row = (many["peak_mb"] - few["peak_mb"]) / ROWS
    assert few["peak_mb"] + grown_a_row * 1_000_000 < BOUND_MB


def planned(rows: int) -> dict[str, float]:
    """What the benchmark says of itself."""
    command = [sys.executable, "-m", "bench.planning", "--rows", str(rows)]
    done = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True, timeout=600)
    told: dict[str, float] = json.loads(done.stdout)
    return told
