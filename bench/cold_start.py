"""Measures the cold start of each function.

    python -m bench.cold_start --runs 5

Each function is built as `make build ARCHITECTURE=x86_64` builds it, with its byte code. Two measurements follow.

`init_ms` is what Lambda would call its init: the runtime interface emulator of aws-sam-cli starts the runtime client,
which imports the handler (see `bench.emulator`). It is None if there is no emulator for this machine.

The other figures are of a new interpreter that does the same without the runtime client, step by step: import the
handler, build it (at the first event), make the AWS clients that every first event needs. Lambda gives an init more
processor than a function of 512 MB has later, so work at the first event takes longer than the same work in the init.
Each time by the clock has the processor time beside it, which a busy machine changes less.

All this differs from Lambda: there is no download, no start of a sandbox, and another processor. Here Lambda's boto3
has its byte code. We did not check whether it has it in Lambda's image.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.emulator import Emulator, rie
from tests.artefacts.building import build, copy_tree, lay_out_lambdas_own
from tests.artefacts.sizes import measure as measure_size
from tests.artefacts.starting import Start, start
from tests.template.reading import FUNCTION_FOLDERS

TARGET_MS, TARGET_BYTES = 350, 6 * 2**20
"""Of an init, and of a zipped artefact (docs/performance.md)."""
RUNS = 5

type Row = dict[str, str | float | int | None]


def measure(runs: int = RUNS) -> list[Row]:
    """Build the artefacts and return one row per function: medians of `runs` starts, in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for name in ("tree", "artefacts", "own"):
            (place / name).mkdir()
        artefacts = build(FUNCTION_FOLDERS, place / "artefacts", copy_tree(place / "tree"))
        emulator = rie()
        lay_out_lambdas_own(place / "own", *(("awslambdaric",) if emulator else ()))
        _compile(place / "own")
        return [_row(name, artefacts[name], place / "own", emulator, runs) for name in FUNCTION_FOLDERS]


def _row(function: str, artefact: Path, lambdas_own: Path, emulator: Path | None, runs: int) -> Row:
    starts = [start(function, artefact, lambdas_own) for _ in range(runs)]
    init = first_event = None
    if emulator is not None:
        inits = [Emulator(emulator, artefact, lambdas_own).start(function) for _ in range(runs)]
        init = round(statistics.median(one.init_ms for one in inits), 1)
        first_event = round(statistics.median(one.first_event_ms for one in inits), 1)
    return {
        "function": FUNCTION_FOLDERS[function],
        "init_ms": init,
        "emulated_event_ms": first_event,
        "import_ms": _median(starts, "import", 0),
        "import_cpu_ms": _median(starts, "import", 1),
        "build_ms": _median(starts, "build", 0),
        "clients_ms": _median(starts, "clients", 0),
        "first_event_cpu_ms": round(_median(starts, "build", 1) + _median(starts, "clients", 1), 1),
        "modules": len(starts[0].modules),
        "zip_bytes": measure_size(artefact).zipped,
    }


def _median(starts: Sequence[Start], step: str, which: int) -> float:
    return round(1000 * statistics.median(one.seconds[step][which] for one in starts), 1)


def _compile(lambdas_own: Path) -> None:
    """Compile the installed packages, or each start might compile botocore again."""
    packages = [str(path.resolve()) for path in lambdas_own.iterdir()]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *packages], check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - our own interpreter


def main() -> int:
    """Print JSON. Return 1 if a function misses its target."""
    parser = argparse.ArgumentParser(prog="python -m bench.cold_start", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    rows = measure(parser.parse_args().runs)
    sys.stdout.write(json.dumps({"machine": platform.machine(), "rows": rows}, indent=1) + "\n")
    return 0 if all(_meets(row) for row in rows) else 1


def _meets(row: Row) -> bool:
    milliseconds = row["init_ms"] if row["init_ms"] is not None else row["import_ms"]
    size = row["zip_bytes"]
    assert isinstance(milliseconds, float)  # noqa: S101 - ours
    assert isinstance(size, int)  # noqa: S101 - ours
    return milliseconds < TARGET_MS and size < TARGET_BYTES


if __name__ == "__main__":
    sys.exit(main())
